"""The outbox with the real poster and discord.py before a stand-in of Discord, on a loop whose time leaps."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import discord
import pytest
import sqlalchemy as sa
from discord.gateway import DiscordWebSocket
from discord.http import Route
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.client import DarkroomBot
from bot.clock import SystemClock
from bot.engine import Engine
from bot.photos.intake import Spool
from bot.records.generation import GenerationStatus, Picture
from bot.records.guild import Place, PlaceKind
from bot.records.job import LaneName
from bot.records.post import PostKind, PostStatus
from bot.records.post_names import component_id
from bot.resources import Resources
from bot.services import build_lanes, build_services
from bot.storage import meta, tables
from bot.storage.database import Database, sqlite_url
from bot.storage.jobs import generations, posts
from cogs import EXTENSIONS
from cogs.adapters.poster import DiscordPoster
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error
from tests.fakes.clock import NOON
from tests.fakes.resources import resources
from tests.fakes.rows import add_generation, add_post, add_training
from tests.trust.studios import MEMORY_DISK
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.pings import pinged
from tests.wire.discord.redirect import point_discord_at
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Channel, ChannelKind, Guild, Person
from tests.wire.kills.ledger import posts_in

OPEN = [PostStatus.PENDING, PostStatus.SENDING]
LOOKS_EVERY_S = 1.0
NEVER = timedelta(minutes=40)
"""A post that is open for so long is lost."""


@dataclass(eq=False)
class Desk:
    standin: DiscordStandin
    opened: Resources
    poster: DiscordPoster
    bot: DarkroomBot
    guild: Guild
    owners: dict[int | None, Person] = field(default_factory=dict)
    """Who each result belongs to, by the id of its card."""

    @property
    def messages(self) -> list[StoredMessage]:
        world, store = self.standin.world, self.standin.messages
        return [message for channel in world.channels.values() for message in store.in_channel(channel)]

    def person(self) -> Person:
        made = self.standin.world.add_person("member")
        self.standin.world.join(self.guild, made)
        return made

    def channel(self) -> Channel:
        return self.standin.world.add_channel(self.guild, "results")

    def thread(self, parent: Channel) -> Channel:
        return self.standin.world.add_thread(parent, "thread", self.standin.world.bot, ChannelKind.PUBLIC_THREAD)

    async def post(self, places: Sequence[Channel | Person], owner: Person) -> None:
        """Put the news of a finished training into the outbox, for these places."""
        now, whose = self.opened.clock.now(), {"guild_id": self.guild.id, "user_id": owner.id}
        number = await add_training(
            self.opened.database, len(self.owners) + 1, channel_id=1, due_at=None, created_at=now, **whose
        )
        kind = PostKind.TRAINING_READY
        await add_post(self.opened.database, number, now=now, places=chain(places), kind=kind, **whose)
        await self._note_owner(kind, number, owner)

    async def post_pictures(self, places: Sequence[Channel | Person], owner: Person, contents: Sequence[bytes]) -> None:
        """The same for finished pictures with these contents."""
        now, whose = self.opened.clock.now(), {"guild_id": self.guild.id, "user_id": owner.id}
        number = await add_generation(
            self.opened.database, len(self.owners) + 1, channel_id=1, due_at=None, created_at=now, **whose
        )
        urls = tuple(f"https://example.com/{number}/{position}" for position in range(len(contents)))
        made = [
            Picture(0, number, position, url, self._kept(content), "image/png", len(content), 0)
            for position, (url, content) in enumerate(zip(urls, contents, strict=True), start=1)
        ]

        async def transaction(connection: AsyncConnection) -> None:
            ended = {"status": GenerationStatus.READY, "finished_at": now, "image_urls": urls}
            ours = tables.generations.c.id == number
            await connection.execute(sa.update(tables.generations).where(ours).values(**ended))
            for picture in made:
                await generations.add_picture(connection, picture)

        await self.opened.database.write(transaction)
        kind = PostKind.PICTURES
        await add_post(self.opened.database, number, now=now, places=chain(places), kind=kind, **whose)
        await self._note_owner(kind, number, owner)

    async def _note_owner(self, kind: PostKind, number: int, owner: Person) -> None:
        post = await self.opened.database.fetch(posts.find, kind, number)
        assert post is not None
        self.owners[component_id(post.nonce)] = owner

    def _kept(self, content: bytes) -> str:
        file = self.opened.spool.new_name(".png")
        self.opened.spool.path(file).write_bytes(content)
        return file

    @contextlib.asynccontextmanager
    async def life(self) -> AsyncIterator["asyncio.Task[None]"]:
        """The outbox works, with nothing remembered of an earlier life, until the block is left or it is cancelled."""
        self.bot.services = services = build_services(self.opened)
        lanes = [lane for lane in build_lanes(self.opened, services) if lane.name == LaneName.POSTS]
        engine = Engine(lanes, clock=self.opened.clock, timings=self.opened.timings)
        task = asyncio.create_task(engine.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def count(self, *statuses: PostStatus) -> int:
        async with self.opened.database.read() as connection:
            found = sa.select(sa.func.count()).where(tables.posts.c.status.in_(statuses))
            return int((await connection.execute(found)).scalar_one())

    async def until_done(self, most: timedelta = NEVER) -> float:
        """Wait until nothing is open, or `most` has passed; how many seconds that took."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while await self.count(*OPEN) and loop.time() - begun < most.total_seconds():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(LOOKS_EVERY_S)
        return loop.time() - begun

    def misposted(self) -> dict[str, int]:
        """What must not be: results that stand twice or nowhere, and people told who are not concerned."""
        posted = posts_in(self.messages)
        strangers = 0
        for message in self.messages:
            owners = {f"user:{self.owners[post].id}" for post in posts_in([message])}
            strangers += not pinged(message) <= owners
        return {
            "posted twice": sum(count > 1 for count in posted.values()),
            "lost": sum(not posted[post] for post in self.owners),
            "told somebody else": strangers,
        }


def chain(places: Sequence[Channel | Person]) -> list[Place]:
    return [Place(PlaceKind.USER if isinstance(place, Person) else PlaceKind.CHANNEL, place.id) for place in places]


@contextlib.asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    def time_of_day() -> datetime:
        return NOON + timedelta(seconds=loop.time() - begun)

    clock = SystemClock(time_of_day, loop.time)
    standin = DiscordStandin(is_checking=False)
    standin.state.snowflakes.time_of_day = lambda: time_of_day().timestamp()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY_DISK)))
        await standin.start()
        stack.push_async_callback(standin.close)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (discord.Asset, "BASE")):
            patch.setattr(owner, name, getattr(owner, name))
        point_discord_at(standin.api_url, standin.gateway_url)
        database = await stack.enter_async_context(Database(sqlite_url(folder / "darkroom.db")))
        await database.write(lambda connection: meta.put(connection, meta.INSTALLATION, b"abc123"))
        poster = DiscordPoster()
        opened = resources(database, Spool(folder / "spool"), clock, poster=poster)
        stack.callback(opened.pool.close)
        bot = await stack.enter_async_context(DarkroomBot(build_services(opened), EXTENSIONS, show_error, ActionButton))
        await bot.login(standin.token)
        poster.bot, bot.is_reached = bot, True
        yield Desk(standin, opened, poster, bot, standin.world.add_guild("Photo club"))
