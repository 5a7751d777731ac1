"""Moderation of a server: who moderates."""

from bot.resources import Service
from bot.storage import guilds


class ModerationService(Service):
    async def is_moderator(self, guild_id: int, role_ids: frozenset[int]) -> bool:
        """Whether one of these roles moderates; admins always do, which the caller knows."""
        guild = await self._database.fetch(guilds.get, guild_id)
        return guild is not None and guild.moderator_role_id in role_ids
