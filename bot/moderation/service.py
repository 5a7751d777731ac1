"""Moderation of a server: who moderates, who is blocked, which words are refused, and the log."""

import csv
import io
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.moderation.rules import tidy_words
from bot.records.guild import Actor
from bot.records.moderation import Act, LogEntry
from bot.resources import Service
from bot.storage import guilds
from bot.storage.people import moderation, moderation_log

COLUMNS = ("time", "who", "what", "about", "member")
MODERATORS_ONLY = "Only an admin or a moderator of this server can do that."
BLOCKED = (
    "The moderators of this server have blocked you from using this bot here. "
    "If you think that is a mistake, please talk to them. "
    "`/privacy` still shows and erases what is kept about you, and `/me` what members ask about your photos."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member may do in a server before anything else is asked."""

    is_blocked: bool
    is_moderator: bool
    is_event_host: bool


class ModerationService(Service):
    async def standing(self, guild_id: int, user_id: int, role_ids: frozenset[int]) -> Standing:
        """Whether the member is blocked, and whether one of these roles moderates or hosts events; admins always do."""
        return await self._database.fetch(_standing, guild_id, user_id, role_ids)

    async def words(self, actor: Actor) -> tuple[str, ...]:
        """The list, for moderators."""
        _check_moderator(actor)
        guild = await self._database.fetch(guilds.get, actor.guild_id)
        return (guild.words if guild is not None else None) or ()

    async def set_words(self, actor: Actor, text: str) -> tuple[str, ...]:
        """Replace the list by one word or phrase a line; what was accepted before stays."""
        _check_moderator(actor)
        words = tidy_words(text)

        async def transaction(connection: AsyncConnection) -> None:
            await guilds.change(connection, actor.guild_id, words=words or None)
            await self._note(connection, actor, f"the list of words, {len(words)} lines")

        await self._database.write(transaction)
        return words

    async def block(self, actor: Actor, user_id: int) -> None:
        """The member can use nothing here any more, and what of theirs waits ends. Their LoRAs stay.

        The caller has checked that the member is neither the owner nor, for a moderator, an admin.
        """
        _check_moderator(actor)
        if user_id == actor.user_id:
            raise UserError("You cannot block yourself. Pick the member who should be blocked.")
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if not await moderation.block(connection, actor.guild_id, user_id, by=actor.user_id, now=now):
                raise UserError("They are blocked already. `/moderation unblock` lets them back in.")
            await moderation.end_what_waits(connection, actor.guild_id, user_id, now=now)
            await self._note(connection, actor, "blocked", user_id)

        await self._database.write(transaction)

    async def unblock(self, actor: Actor, user_id: int) -> None:
        _check_moderator(actor)

        async def transaction(connection: AsyncConnection) -> None:
            if not await moderation.unblock(connection, actor.guild_id, user_id):
                raise NotFound("They are not blocked.")
            await self._note(connection, actor, "unblocked", user_id)

        await self._database.write(transaction)

    async def entry(self, entry_id: int) -> LogEntry | None:
        """The entry, or None; callers check who may see it."""
        return await self._database.fetch(moderation_log.get, entry_id)

    async def log(self, actor: Actor) -> str:
        """The whole log of the server as CSV, oldest first. An erased member has a negative number."""
        _check_moderator(actor)
        entries = await self._database.fetch(moderation_log.of_guild, actor.guild_id)
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        for each in entries:
            at = each.at.isoformat(timespec="seconds")
            writer.writerow((at, each.user_id, each.act, each.about, each.member_id or ""))
        return table.getvalue()

    async def _note(self, connection: AsyncConnection, actor: Actor, about: str, member_id: int | None = None) -> None:
        who, now = actor.user_id, self._clock.now()
        await moderation_log.note(connection, actor.guild_id, Act.MODERATED, who, about, member_id=member_id, now=now)


async def _standing(connection: AsyncConnection, guild_id: int, user_id: int, role_ids: frozenset[int]) -> Standing:
    guild = await guilds.get(connection, guild_id)
    is_moderator = guild is not None and guild.moderator_role_id in role_ids
    is_event_host = guild is not None and guild.host_role_id in role_ids
    return Standing(await moderation.is_blocked(connection, guild_id, user_id), is_moderator, is_event_host)


def _check_moderator(actor: Actor) -> None:
    if not actor.is_moderator:
        raise NotAllowed(MODERATORS_ONLY)
