"""LoRAs: who may use which, finding one by a few letters, and archiving it at the provider."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.errors import Missing, NotAllowed, NotFound, ProviderError, UserError
from bot.keys import KeyService
from bot.models import Lora
from bot.storage import generations, loras
from bot.storage.database import Database

CHOICES_MAX = 25
"""Autocomplete choices Discord shows (Discord /docs/interactions/application-commands)."""


@dataclass(frozen=True, slots=True)
class LoraView:
    lora: Lora
    uses: int


class LoraService:
    def __init__(self, database: Database, key_service: KeyService, *, clock: Clock) -> None:
        self._database = database
        self._keys = key_service
        self._clock = clock

    async def usable_by(self, *, guild_id: int, user_id: int) -> Sequence[Lora]:
        """The LoRAs this member may make pictures with here, newest first."""
        async with self._database.read() as connection:
            return await loras.owned_by(connection, guild_id, user_id)

    async def archivable_by(self, *, guild_id: int, user_id: int, is_admin: bool) -> Sequence[Lora]:
        """The member's own LoRAs; for the guild's admins, all of them."""
        if not is_admin:
            return await self.usable_by(guild_id=guild_id, user_id=user_id)
        async with self._database.read() as connection:
            return await loras.of_guild(connection, guild_id)

    async def choices(self, text: str, *, guild_id: int, user_id: int) -> Sequence[Lora]:
        """At most 25 usable LoRAs for what has been typed: beginnings first, then letters anywhere in order."""
        return best_matches(text, await self.usable_by(guild_id=guild_id, user_id=user_id))

    async def archivable_choices(self, text: str, *, guild_id: int, user_id: int, is_admin: bool) -> Sequence[Lora]:
        return best_matches(text, await self.archivable_by(guild_id=guild_id, user_id=user_id, is_admin=is_admin))

    async def pick(self, value: str, *, guild_id: int, user_id: int) -> Lora:
        """The LoRA behind an autocomplete value, or behind a typed name when exactly one fits."""
        return pick_from(value, await self.usable_by(guild_id=guild_id, user_id=user_id))

    async def pick_archivable(self, value: str, *, guild_id: int, user_id: int, is_admin: bool) -> Lora:
        return pick_from(value, await self.archivable_by(guild_id=guild_id, user_id=user_id, is_admin=is_admin))

    async def view(self, value: str, *, guild_id: int, user_id: int) -> LoraView:
        lora = await self.pick(value, guild_id=guild_id, user_id=user_id)
        async with self._database.read() as connection:
            return LoraView(lora, await generations.of_lora(connection, lora.id))

    async def get(self, lora_id: int) -> Lora | None:
        """Callers check who may see it."""
        async with self._database.read() as connection:
            return await loras.get(connection, lora_id)

    async def get_for(self, lora_id: int, *, guild_id: int, user_id: int) -> Lora:
        lora = await self.get(lora_id)
        if lora is None or lora.guild_id != guild_id or lora.owner_id != user_id:
            raise NotFound("You have no such LoRA here. `/loras list` shows what you have.")
        if lora.archived_at is not None:
            raise NotFound("This LoRA has been archived and cannot be used any more.")
        return lora

    async def archive(self, lora_id: int, *, guild_id: int, user_id: int, is_admin: bool) -> Lora:
        """Ask the provider to delete the LoRA, then hide it. The owner and the guild's admins may."""
        lora = await self.get(lora_id)
        if lora is None or lora.guild_id != guild_id or not (is_admin or lora.owner_id == user_id):
            raise NotFound("There is no such LoRA here that you may archive.")
        if lora.archived_at is not None:
            raise UserError("This LoRA has been archived already.")
        client = await self._keys.client((await self._keys.current(guild_id, lora.provider)).id)
        if client is None:
            raise NotAllowed("The stored API key cannot be opened. Ask an admin to run `/keys set`.")
        try:
            await client.archive_lora(lora.request_id)
        except Missing:
            pass
        except ProviderError as error:
            raise UserError(
                f"{lora.provider.label} could not delete it just now, so it was left as it is. Please try again later."
            ) from error
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> bool:
            return await loras.archive(connection, lora.id, now=now)

        await self._database.write(work)
        return lora


NO_MATCH = 4


def best_matches(text: str, among: Sequence[Lora]) -> Sequence[Lora]:
    ranked = [(rank_match(text, lora.name), lora) for lora in among]
    return [lora for rank, lora in sorted(ranked, key=lambda pair: pair[0]) if rank < NO_MATCH][:CHOICES_MAX]


def pick_from(value: str, among: Sequence[Lora]) -> Lora:
    for lora in among:
        if value == choice_value(lora):
            return lora
    named = [lora for lora in among if lora.name.casefold() == value.strip().casefold()]
    if len(named) == 1:
        return named[0]
    raise NotFound("You have no such LoRA here. Pick one from the list, or train one with `/train`.")


def rank_match(text: str, name: str) -> int:
    """0 the name begins with the text, 1 a word of it does, 2 it holds the text, 3 its letters in order, 4 no match."""
    text, name = text.strip().casefold(), name.casefold()
    if name.startswith(text):
        return 0
    if any(word.startswith(text) for word in name.split()):
        return 1
    if text in name:
        return 2
    letters = iter(name)
    return 3 if all(letter in letters for letter in text) else NO_MATCH


def choice_value(lora: Lora) -> str:
    return f"lora-{lora.id}"
