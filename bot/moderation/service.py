"""Moderation of a server: who moderates, who is blocked, and which words are refused."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.moderation.rules import tidy_words
from bot.records.guild import Actor
from bot.resources import Service
from bot.storage import guilds, moderation

MODERATORS_ONLY = "Only an admin or a moderator of this server can do that."
BLOCKED = (
    "The moderators of this server have blocked you from using this bot here. "
    "`/privacy` still shows and erases what is kept about you."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member may do in a server before anything else is asked."""

    is_blocked: bool
    is_moderator: bool


class ModerationService(Service):
    async def standing(self, guild_id: int, user_id: int, role_ids: frozenset[int]) -> Standing:
        """Whether the member is blocked, and whether one of these roles moderates; admins always do."""
        async with self._database.read() as connection:
            guild = await guilds.get(connection, guild_id)
            is_moderator = guild is not None and guild.moderator_role_id in role_ids
            return Standing(await moderation.is_blocked(connection, guild_id, user_id), is_moderator)

    async def words(self, actor: Actor) -> tuple[str, ...]:
        """The list, for moderators."""
        _check_moderator(actor)
        guild = await self._database.fetch(guilds.get, actor.guild_id)
        return (guild.words if guild is not None else None) or ()

    async def set_words(self, actor: Actor, text: str) -> tuple[str, ...]:
        """Replace the list by one word or phrase a line; what was accepted before stays."""
        _check_moderator(actor)
        words = tidy_words(text)
        await self._database.write(lambda connection: guilds.change(connection, actor.guild_id, words=words or None))
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

        await self._database.write(transaction)

    async def unblock(self, actor: Actor, user_id: int) -> None:
        _check_moderator(actor)
        if not await self._database.write(lambda connection: moderation.unblock(connection, actor.guild_id, user_id)):
            raise NotFound("They are not blocked.")


def _check_moderator(actor: Actor) -> None:
    if not actor.is_moderator:
        raise NotAllowed(MODERATORS_ONLY)
