"""Three guilds on one simulated Discord, each with people, keys and a provider team of its own."""

import asyncio
import contextlib
import contextvars
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from PIL import Image

from bot.app import Darkroom, assemble
from bot.clock import Timings
from bot.photos.intake import Spool
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal import painting
from bot.sandbox.world import LoopbackCdn, _simulated_discord, sandbox_settings
from bot.storage import question_tables, tables
from bot.storage.due import LeaseLost
from bot.storage.events import tables as event_tables
from tests.cogs.patience import wait_for_answers
from tests.fakes.clock import ManualClock
from tests.fakes.small_pictures import paint_small

WORDS = ("quokka", "narwhal", "axolotl")
STEMS = ("Veil", "Moss", "Dune")
"""What each guild's private style is called before the canary word: something to search for elsewhere."""
CREDITS = 10**9
AGES = timedelta(days=3650)
TIMINGS = Timings(
    photos_kept=AGES,
    pictures_kept=AGES,
    details_kept=AGES,
    left_guild_kept=AGES,
    offer_open=AGES,
    claim_open=AGES,
    sync=AGES,
    event_hour=timedelta(days=100),
    event_retry=AGES,
    event_abandoned=AGES,
    event_photos_kept=AGES,
)
"""Nothing happens by the passing of time alone, so every change is somebody's doing."""
NUMBERS = itertools.count()
HORIZON = timedelta(days=30)
ROUNDS_MAX = 500
LANES = {
    LaneName.TRAININGS: tables.trainings,
    LaneName.GENERATIONS: tables.generations,
    LaneName.POSTS: tables.posts,
    LaneName.DATASETS: tables.datasets,
    LaneName.KEYS: tables.api_keys,
    LaneName.GUILDS: tables.guilds,
    LaneName.EVENTS: event_tables.events,
    LaneName.LIKENESS: question_tables.likeness_claims,
}


class WatchedCdn(LoopbackCdn):
    """Remembers every file that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[tuple[str, bytes]] = []

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        self.passed.append((f"{filename} {description or ''}", data))
        return super().store_attachment(attachment_id, channel_id, filename, data, description)


@dataclass(eq=False)
class Person:
    """A member of one guild; somebody in two guilds is two of these with one user."""

    party: "Party"
    member: simcord.MemberActor
    is_admin: bool = False
    has_role: bool = False

    @property
    def actor(self) -> Actor:
        roles = frozenset({self.party.role.id}) if self.has_role else frozenset[int]()
        return Actor(self.party.guild.id, self.member.id, roles, self.is_admin, self.is_admin)


@dataclass(eq=False)
class Party:
    """One guild. The first of its people is the admin."""

    word: str
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    gallery: simcord.ChannelHandle
    role: simcord.RoleHandle
    people: list[Person] = field(default_factory=list)

    @property
    def place(self) -> Channel:
        return Channel(self.channel.id)


def keys_of(word: str) -> dict[ProviderName, str]:
    hexadecimal = word.encode().hex().ljust(64, "0")
    return {ProviderName.APIFRAME: f"afk_key_of_{word}", ProviderName.AUROUS: f"al_live_{hexadecimal}"}


@dataclass(eq=False)
class Town:
    env: simcord.Env
    darkroom: Darkroom
    apiframe: RehearsalApiframe
    aurous: RehearsalAurous
    cdn: WatchedCdn
    clock: ManualClock
    file: sqlite3.Connection
    parties: list[Party]

    @property
    def people(self) -> list[Person]:
        return [person for party in self.parties for person in party.people]

    def known_as(self, user_id: int) -> list[Person]:
        """The same user in each of their guilds."""
        return [person for person in self.people if person.member.id == user_id]

    async def rest(self) -> None:
        """Let the engine do everything that is due or falls due soon, at once and in order."""
        await asyncio.create_task(self._work(), context=contextvars.Context())

    async def _work(self) -> None:
        for _ in range(ROUNDS_MAX):
            due = {name: moment for name in LANES if (moment := self._next_due(name)) is not None}
            soonest = min(due.values(), default=None)
            if soonest is None or soonest > self.clock.now() + HORIZON:
                return
            self.clock.advance(max(soonest - self.clock.now(), timedelta()))
            for lane in self.darkroom.engine._lanes:
                if due.get(LaneName(lane.name), soonest + HORIZON) <= self.clock.now():
                    now = self.clock.now()
                    for claim in await lane.rows.claim(owner="walk", now=now, until=now + TIMINGS.lease, limit=50):
                        with contextlib.suppress(LeaseLost):
                            await lane.advance(claim)
        raise AssertionError("the rows never come to rest")

    def _next_due(self, lane: LaneName) -> datetime | None:
        table = LANES[lane].name
        found = self.file.execute(f"SELECT min(max(due_at, ifnull(lease_until, due_at))) FROM {table}").fetchone()  # noqa: S608
        return None if found[0] is None else datetime.fromisoformat(found[0]).replace(tzinfo=UTC)

    @property
    def spool(self) -> Spool:
        return self.darkroom.services.datasets._spool


@contextlib.asynccontextmanager
async def open_town(folder: Path) -> AsyncIterator[Town]:
    clock, cdn = ManualClock(), WatchedCdn()
    folders, now = (folder / "apiframe", folder / "aurous"), clock
    afk, al = ({keys_of(word)[provider]: word for word in WORDS} for provider in ProviderName)
    apiframe = RehearsalApiframe(folders[0], dict.fromkeys(afk, CREDITS), now=now, teams=afk)
    aurous = RehearsalAurous(folders[1], dict.fromkeys(al, CREDITS), now=now, teams=al)
    paint_small(apiframe, aurous)
    aurous.rate_limit_scale = 10**6
    for word, stem in zip(WORDS, STEMS, strict=True):
        style = aurous.add_style(f"{stem} {word}", slug=f"{stem}-{word}".lower())
        aurous.make_style_private(style.id, keys_of(word)[ProviderName.AUROUS])
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(painting, "compose", paint_quickly)
        for server in (apiframe, aurous, cdn):
            await server.start()
            stack.push_async_callback(server.close)
        settings = sandbox_settings(folder, apiframe, aurous)
        darkroom = await stack.enter_async_context(assemble(settings, timings=TIMINGS, clock=clock))
        env = await stack.enter_async_context(_simulated_discord(darkroom, cdn))
        wait_for_answers(env.backend)
        file = sqlite3.connect(f"file:{darkroom.database.file}?mode=ro", uri=True, isolation_level=None)
        stack.callback(file.close)
        yield Town(env, darkroom, apiframe, aurous, cdn, clock, file, _furnish(env))


def paint_quickly(*_order: object, **_more: object) -> Image.Image:
    """A small picture unlike every other, with room for the line of text that is written on it."""
    return Image.frombytes("RGB", (64, 64), random.Random(next(NUMBERS)).randbytes(64 * 64 * 3))


def _furnish(env: simcord.Env) -> list[Party]:
    parties, dana = [], env.create_user("Dana")
    for number, word in enumerate(WORDS):
        guild = env.create_guild(name=f"Club {word}")
        admins = guild.create_role(f"Admins {word}", permissions=discord.Permissions(manage_guild=True))
        role = guild.create_role(f"Friends {word}")
        channel, gallery = guild.create_text_channel(f"chat-{word}"), guild.create_text_channel(f"gallery-{word}")
        party = Party(word, guild, channel, gallery, role)
        second = dana if number < 2 else env.create_user(f"Cleo {word}")
        admin = guild.add_member(env.create_user(f"Ada {word}"), roles=[admins])
        first = guild.add_member(env.create_user(f"Ben {word}"))
        party.people = [
            Person(party, admin, is_admin=True),
            Person(party, first),
            Person(party, guild.add_member(second, roles=[role]), has_role=True),
        ]
        parties.append(party)
    return parties
