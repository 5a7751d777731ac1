"""What members ask about generations: order pictures, see what became of them, fetch what was kept."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, Doorbell
from bot.errors import NotFound
from bot.generation import prompt as rules
from bot.keys import KeyService
from bot.models import (
    Channel,
    Generation,
    GenerationSettings,
    LaneName,
    Lora,
    Picture,
    SubjectTable,
    TimelineEntry,
)
from bot.photos.intake import Spool
from bot.providers.base import WebhookHint
from bot.storage import due as due_rows
from bot.storage import generations, loras, tables, timeline
from bot.storage.database import Database

JOBS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class GenerationView:
    generation: Generation
    lora: Lora | None
    pictures: tuple[Picture, ...]
    files: tuple[Path | None, ...]
    """Where each picture lies on disk, None once the retention rule took it."""
    timeline: tuple[TimelineEntry, ...]


class GenerationService:
    def __init__(
        self, database: Database, key_service: KeyService, spool: Spool, *, doorbell: Doorbell, clock: Clock
    ) -> None:
        self._database = database
        self._keys = key_service
        self._spool = spool
        self._doorbell = doorbell
        self._clock = clock

    async def order(
        self, lora: Lora, prompt: str, settings: GenerationSettings, *, channel: Channel, user_id: int
    ) -> Generation:
        """Accept an order for pictures. When this returns, the job survives anything."""
        prompt = rules.with_trigger_word(prompt, lora.trigger_word)
        rules.check_prompt(prompt)
        settings = rules.check_settings(settings)
        key = await self._keys.current(lora.guild_id, lora.provider)
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> Generation:
            generation_id = await generations.insert(
                connection,
                settings=settings,
                guild_id=lora.guild_id,
                channel_id=channel.id,
                parent_id=channel.parent_id,
                user_id=user_id,
                lora_id=lora.id,
                key_id=key.id,
                provider=lora.provider,
                prompt=prompt,
                idempotency_key=str(uuid.uuid4()),
                webhook_token=secrets.token_urlsafe(24),
                created_at=now,
                due_at=now,
            )
            await timeline.add(connection, SubjectTable.GENERATION, generation_id, "received", at=now)
            generation = await generations.get(connection, generation_id)
            assert generation is not None  # noqa: S101 - inserted just above
            return generation

        generation = await self._database.write(work)
        self._doorbell.ring(LaneName.GENERATIONS)
        return generation

    async def view(self, generation_id: int) -> GenerationView | None:
        """Everything about one generation; callers check who may see it."""
        async with self._database.read() as connection:
            generation = await generations.get(connection, generation_id)
            return None if generation is None else await self._view(connection, generation)

    async def view_for(self, generation_id: int, *, guild_id: int, user_id: int) -> GenerationView:
        view = await self.view(generation_id)
        if view is None or view.generation.guild_id != guild_id or view.generation.user_id != user_id:
            raise NotFound("There are no such pictures of yours here. `/jobs` shows what you have.")
        return view

    async def of_member(self, *, guild_id: int, user_id: int) -> Sequence[GenerationView]:
        async with self._database.read() as connection:
            found = await generations.of_member(connection, guild_id, user_id, JOBS_SHOWN)
            return [await self._view(connection, generation) for generation in found]

    async def signing_keys(self, token: str) -> list[str] | None:
        async with self._database.read() as connection:
            generation = await generations.by_webhook_token(connection, token)
        if generation is None:
            return None
        return await self._keys.signing_keys(generation.guild_id, generation.provider)

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """A verified delivery came for the row with this token; False when it speaks of another object."""
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> bool:
            generation = await generations.by_webhook_token(connection, token)
            if generation is None or (generation.request_id is not None and generation.request_id != hint.request_id):
                return False
            if not generation.status.is_terminal:
                await due_rows.wake(connection, tables.generations, generation.id, now=now)
            return True

        fits = await self._database.write(work)
        if fits:
            self._doorbell.ring(LaneName.GENERATIONS)
        return fits

    async def _view(self, connection: AsyncConnection, generation: Generation) -> GenerationView:
        pictures = await generations.pictures_of(connection, generation.id)
        return GenerationView(
            generation=generation,
            lora=await loras.get(connection, generation.lora_id),
            pictures=tuple(pictures),
            files=tuple(None if picture.file is None else self._spool.path(picture.file) for picture in pictures),
            timeline=tuple(await timeline.of(connection, SubjectTable.GENERATION, generation.id)),
        )
