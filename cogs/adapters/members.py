"""Whether somebody is still a member of a server, asked of Discord one by one: no privileged intent is needed."""

import asyncio
import logging
import time

import aiohttp
import discord

from bot.client import DarkroomBot

log = logging.getLogger(__name__)

ASK_S = 5.0
"""Seconds that a training's step waits for the answer."""
REMEMBERED_S = 600.0
REMEMBERED_MOST = 10_000


NO_ANSWER = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
"""Of Discord, or not in time."""


class DiscordMembers:
    """Implements bot.ports.Members. An answer is remembered for ten minutes."""

    bot: DarkroomBot | None = None
    """The present bot; a new one is set whenever the gateway has to start afresh."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[float, bool]] = {}

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        """True when Discord cannot be asked right now: an outage takes nothing away from anybody."""
        asked_at, was_member = self._known.get((guild_id, user_id), (-REMEMBERED_S, True))
        if time.monotonic() < asked_at + REMEMBERED_S:
            return was_member
        guild = self.bot.get_guild(guild_id) if self.bot is not None else None
        if guild is None:
            return True
        try:
            await guild.fetch_member(user_id)
        except discord.NotFound:
            return self._remember(guild_id, user_id, is_member=False)
        except NO_ANSWER as error:
            log.info("Discord did not say who is a member: %s", type(error).__name__)
            return True
        return self._remember(guild_id, user_id, is_member=True)

    async def roles_of(self, guild_id: int, user_id: int) -> frozenset[int] | None:
        guild = self.bot.get_guild(guild_id) if self.bot is not None else None
        if guild is None:
            return None
        try:
            async with asyncio.timeout(ASK_S):
                member = await guild.fetch_member(user_id)
        except NO_ANSWER as error:
            log.info("Discord did not say which roles a member has: %s", type(error).__name__)
            return None
        return frozenset(role.id for role in member.roles)

    def _remember(self, guild_id: int, user_id: int, *, is_member: bool) -> bool:
        if len(self._known) >= REMEMBERED_MOST:
            self._known.clear()
        self._known[guild_id, user_id] = (time.monotonic(), is_member)
        return is_member
