"""What members prefer: where their pictures come first, and whether results ping them."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.question import Preferences
from bot.resources import Service
from bot.storage.people import preferences


class PreferenceService(Service):
    async def get(self, guild_id: int, user_id: int) -> Preferences:
        return await self._database.fetch(preferences.get, guild_id, user_id)

    async def quiet_among(self, guild_id: int, user_ids: Collection[int]) -> frozenset[int]:
        """Those of these members who want no pings."""
        return await self._database.fetch(preferences.quiet_among, guild_id, user_ids)

    async def change(self, guild_id: int, user_id: int, **values: bool) -> None:
        """Store these fields of `Preferences`; the others stay."""

        async def transaction(connection: AsyncConnection) -> None:
            before = await preferences.get(connection, guild_id, user_id)
            await preferences.put(connection, guild_id, user_id, replace(before, **values))

        await self._database.write(transaction)
