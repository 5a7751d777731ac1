"""Guilds: the choices of their admins, and erasure after the bot was removed.

When the bot is removed, the guild's API keys, styles and photos are deleted at once. A key under which there are LoRAs
stays sealed, `removal_key_kept` at the most, until they are removed: whoever set it is asked whether they are to go,
and members who are erased meanwhile reach theirs. LoRAs, pictures and choices are kept for 30 days, so that a guild
that invites the bot again finds its LoRAs; then everything is deleted but the proofs of consent and the receipts.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from bot.records.guild import NOBODY, Guild, Place, PlaceKind
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.removal import RemovalReason
from bot.resources import Service
from bot.storage import guilds, tables
from bot.storage.due import Claim, mark, store
from bot.storage.events import events
from bot.storage.jobs import generations, loras, posts, trainings
from bot.storage.money import keys, spends
from bot.storage.people import erasure, likeness, moderation_log, removals

log = logging.getLogger(__name__)

TOO_LATE = "This is for somebody else, the server has me again, or its key is deleted: then I cannot ask any more."


@dataclass(frozen=True, slots=True)
class LeftGuild:
    """A key of a guild that removed the bot, and the LoRAs under it; it is deleted at `until` at the latest."""

    key: ApiKeyRow
    loras: tuple[Lora, ...]
    until: datetime


class GuildService(Service):
    async def get(self, guild_id: int) -> Guild | None:
        """The guild's choices; None when nothing was ever chosen."""
        return await self._database.fetch(guilds.get, guild_id)

    async def roles_with_rights(self, guild_id: int) -> frozenset[int]:
        """Those of moderators, hosts, juries, winners, limits, shared LoRAs, and events that are for some roles."""
        return await self._database.fetch(guilds.roles_with_rights, guild_id)

    async def choose_provider(self, guild_id: int, provider: ProviderName | None) -> None:
        await self._change(guild_id, default_provider=provider)

    async def choose_gallery(self, guild_id: int, channel_id: int | None) -> None:
        await self._change(guild_id, gallery_channel_id=channel_id)

    async def choose_reports(self, guild_id: int, channel_id: int | None) -> None:
        await self._change(guild_id, reports_channel_id=channel_id)

    async def choose_log(self, guild_id: int, channel_id: int | None) -> None:
        """Where a line is written for each new entry of the log."""
        await self._change(guild_id, log_channel_id=channel_id)

    async def choose_moderators(self, guild_id: int, role_id: int | None) -> None:
        """Which role moderates, beside the admins; None: the admins alone."""
        await self._change(guild_id, moderator_role_id=role_id)

    async def choose_hosts(self, guild_id: int, role_id: int | None) -> None:
        """Which role plans and runs events, beside the admins; None: the admins alone."""
        await self._change(guild_id, host_role_id=role_id)

    async def choose_news(self, guild_id: int, role_id: int | None) -> None:
        """Which role is mentioned about events; None: none. The panels of the guild's events offer it."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await guilds.change(connection, guild_id, news_role_id=role_id)
            for event in await events.live_of(connection, guild_id):
                await events.renew_panel(connection, event.id, due_at=now + self._timings.panel)

        await self._database.write(transaction)

    async def choose_adult(self, guild_id: int, *, is_allowed: bool) -> None:
        """Whether explicit pictures may be made in age-restricted channels; nowhere else, in any case."""
        await self._change(guild_id, is_adult_allowed=is_allowed)

    async def choose_approval(self, guild_id: int, *, is_needed: bool) -> None:
        """Whether a moderator looks at pictures before they are in the gallery or stand for a vote."""
        await self._change(guild_id, needs_approval=is_needed)

    async def choose_samples(self, guild_id: int, *, are_made: bool) -> None:
        """Whether a first picture follows each LoRA that is ready."""
        await self._change(guild_id, makes_samples=are_made)

    async def missing(self, present: Collection[int]) -> list[int]:
        """Ids of guilds with keys, photos or LoRAs that the bot was a member of and is not among `present`.

        A server may have the commands alone, without the bot as a member: that one cannot be left. Nor can any before
        it was noted which have the bot.
        """
        async with self._database.read() as connection:
            known, joined = await erasure.known_guilds(connection), await guilds.joined(connection)
        return [each for each in known if each not in present and each in joined]

    async def note_joined(self, guild_ids: Collection[int]) -> None:
        """The bot is a member of these guilds."""
        await self._database.write(lambda connection: guilds.note_joined(connection, guild_ids))

    async def welcome(self, guild_id: int, places: Sequence[Place]) -> None:
        """Tell the server how to begin, in the first of these places that takes it.

        Nothing is told a second time, nor to a server that has a key already, nor without a place.
        """
        if not places:
            return
        now, inviter_id = self._clock.now(), next((each.id for each in places if each.kind is PlaceKind.USER), NOBODY)

        async def transaction(connection: AsyncConnection) -> None:
            known = await guilds.get(connection, guild_id)
            if known is not None and known.welcomed_at is not None:
                return
            await guilds.change(connection, guild_id, welcomed_at=now)
            told = await guilds.get(connection, guild_id)
            found = [await keys.current(connection, guild_id, each) for each in ProviderName]
            if told is not None and not any(found):
                await posts.add(
                    connection,
                    PostKind.WELCOME,
                    told.id,
                    guild_id=guild_id,
                    user_id=inviter_id,
                    places=places,
                    now=now,
                    known_as=f"welcome:{guild_id}",
                )

        await self._database.write(transaction)

    async def find(self, row_id: int) -> Guild | None:
        """The guild with this row, if the bot is there."""
        guild = await self._database.fetch(guilds.find, row_id)
        return None if guild is None or guild.left_at is not None else guild

    async def leave(self, guild_id: int) -> None:
        """Delete API keys and photos and end waiting jobs, because the bot was removed from the guild."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            needed = await removals.keys_needed(connection, guild_id)
            needed += await self._ask_about_loras(connection, guild_id, now)
            files = await erasure.erase_guild_secrets(connection, guild_id=guild_id, but_keys=needed)
            await keys.retire_all(connection, guild_id, now=now)
            await trainings.wake_queued_in_guild(connection, guild_id, now=now)
            await generations.wake_waiting(connection, tables.generations.c.guild_id == guild_id, now=now)
            await events.cancel_all(connection, guild_id, now=now)
            await guilds.leave(connection, guild_id, now=now, erase_at=now + self._timings.left_guild_kept)
            await guilds.note_not_joined(connection, guild_id)
            return files

        self._spool.free(await self._database.write(transaction))
        await self._database.wipe_log()
        log.info("The keys and photos of a guild that removed the bot were erased")

    async def _ask_about_loras(self, connection: AsyncConnection, guild_id: int, now: datetime) -> list[int]:
        """Ask who set a key under which there are LoRAs whether they are to go. Ids of the keys kept for it."""
        asked = []
        for provider in ProviderName:
            key = await keys.current(connection, guild_id, provider)
            if key is None or not await loras.may_be_there(connection, key.row):
                continue
            asked.append(key.row.id)
            if key.row.set_by != NOBODY:
                await posts.add(
                    connection,
                    PostKind.LEFT,
                    key.row.id,
                    guild_id=guild_id,
                    user_id=key.row.set_by,
                    places=[Place(PlaceKind.USER, key.row.set_by)],
                    now=now,
                )
        return asked

    async def left(self, key_id: int) -> LeftGuild | None:
        """What is asked about this key; None when its guild has the bot again, or the key is gone."""
        async with self._database.read() as connection:
            return await self._left(connection, key_id)

    async def remove_loras(self, key_id: int, user_id: int) -> int:
        """Have all LoRAs under this key removed, for whoever set it; how many. NotFound when that cannot be."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> int:
            left = await self._left(connection, key_id)
            if left is None or left.key.set_by != user_id:
                raise NotFound(TOO_LATE)
            for lora in left.loras:
                await loras.archive(connection, lora.id, now=now)
                await removals.of_lora(connection, lora, RemovalReason.LEFT, user_id=user_id, now=now)
                await likeness.end_all(connection, lora.id, now=now, kept_for=self._timings.details_kept)
            return len(left.loras)

        return await self._database.write(transaction)

    async def _left(self, connection: AsyncConnection, key_id: int) -> LeftGuild | None:
        key = await keys.get(connection, key_id)
        guild = None if key is None else await guilds.get(connection, key.row.guild_id)
        if key is None or key.row.retired_at is None or guild is None or guild.left_at is None:
            return None
        there = await loras.still_there(connection, guild.guild_id, key.row.provider)
        return LeftGuild(key.row, tuple(there), key.row.retired_at + self._timings.removal_key_kept)

    async def come_back(self, guild_id: int) -> bool:
        """Keep what is stored, because the bot was invited again; True when anything was still stored."""
        now = self._clock.now()
        return await self._database.write(lambda connection: guilds.come_back(connection, guild_id, now=now))

    async def advance(self, claim: Claim[Guild]) -> None:
        """Delete everything about a guild that the bot left `left_guild_kept` ago; of others what is too old."""

        async def transaction(connection: AsyncConnection) -> list[str]:
            if claim.row.left_at is None:
                await self._tidy(connection, claim)
                return []
            await mark(connection, tables.guilds, claim)
            return await erasure.erase_guild(connection, guild_id=claim.row.guild_id)

        self._spool.free(await self._database.write(transaction))
        await self._database.wipe_log()

    async def _tidy(self, connection: AsyncConnection, claim: Claim[Guild]) -> None:
        """Delete what of the guild's ledger and log is `ledger_kept` old; look again when the next of it is."""
        now, kept = self._clock.now(), self._timings.ledger_kept
        found = [await each.forget(connection, claim.row.guild_id, now - kept) for each in (spends, moderation_log)]
        oldest = min((each for each in found if each is not None), default=None)
        due_at = None if oldest is None else max(oldest + kept, now + guilds.TIDIED_EVERY)
        await store(connection, tables.guilds, claim, due_at=due_at)

    async def _change(self, guild_id: int, **values: int | str | None) -> None:
        await self._database.write(lambda connection: guilds.change(connection, guild_id, **values))


async def moderator_places(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[Place]:
    """Where moderators read what they have to know: the reports channel, then the admin who set the API key."""
    guild = await guilds.get(connection, guild_id)
    places = []
    if guild is not None and guild.reports_channel_id is not None:
        places.append(Place(PlaceKind.CHANNEL, guild.reports_channel_id))
    for each in (provider, *ProviderName):
        key = await keys.current(connection, guild_id, each)
        if key is not None and key.row.set_by != NOBODY:
            return [*places, Place(PlaceKind.USER, key.row.set_by)]
    return places
