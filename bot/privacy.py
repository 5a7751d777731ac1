"""What is stored about a member, and its erasure."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Missing, NoKey, ProviderError
from bot.events.photos.depictions import DepictionService
from bot.keys.service import KeyService
from bot.records.lora import Lora
from bot.resources import Resources, Service
from bot.storage import erasure, loras
from bot.storage.events import events


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many rows and files of one member there are in one guild."""

    datasets: int
    photos_on_disk: int
    trainings: int
    loras: int
    generations: int
    consents: int
    events: int
    """Events they take part in, or have voted in."""


class PrivacyService(Service):
    def __init__(self, opened: Resources, key_service: KeyService, depictions: DepictionService) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._depictions = depictions

    async def guilds_of(self, user_id: int) -> list[int]:
        """Ids of the guilds in which something about this member is stored, also those they have left."""
        return await self._database.fetch(erasure.guilds_of, user_id)

    async def holdings(self, *, guild_id: int, user_id: int) -> Holdings:
        async with self._database.read() as connection:
            return Holdings(**await erasure.count(connection, guild_id=guild_id, user_id=user_id))

    async def forget_member(self, *, guild_id: int, user_id: int) -> int:
        """Erase everything about a member in this guild, except the proof of their consents.

        What they gave to events is taken back, events they host are cancelled, rows and files are erased, and the
        provider is asked to delete their LoRAs. Returns how many LoRAs the provider could not be asked to delete.
        """
        owned = await self._database.fetch(loras.owned_by, guild_id, user_id)
        await self._depictions.take_back_all(guild_id, user_id)
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            await events.cancel_all(connection, guild_id, now=now, host_id=user_id)
            return await erasure.erase_member(connection, guild_id=guild_id, user_id=user_id)

        self._spool.free(await self._database.write(transaction))
        await self._database.wipe_log()
        await self._keys.share_slots(guild_id)
        return sum([not await self._delete_at_provider(lora) for lora in owned])

    async def _delete_at_provider(self, lora: Lora) -> bool:
        try:
            client = await self._keys.client((await self._keys.current(lora.guild_id, lora.provider)).id)
            if client is None:
                return False
            await client.archive_lora(lora.remote_id)
        except Missing:
            return True
        except (NoKey, ProviderError):
            return False
        return True
