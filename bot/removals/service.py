"""The receipts: what is to be removed at the providers, and what they have answered."""

from bot.records.removal import Removal
from bot.resources import Service
from bot.storage.people import removals


class RemovalService(Service):
    async def receipts(self, user_id: int, guild_id: int | None) -> list[Removal]:
        """The member's receipts in this server, None: in all servers; the newest first."""
        return await self._database.fetch(removals.of_person, user_id, guild_id)

    async def of_erasure(self, removal_id: int) -> list[Removal]:
        """All receipts of the member whose erasure ended with this one; empty when they are kept no longer."""
        async with self._database.read() as connection:
            removal = await removals.get(connection, removal_id)
            if removal is None:
                return []
            return await removals.of_person(connection, removal.user_id, removal.guild_id)
