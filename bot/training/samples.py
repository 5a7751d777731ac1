"""The first picture with a LoRA that is ready: ordered by nobody, within every limit, and at most once."""

import zlib
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.errors import UserError
from bot.generation.capabilities import SEED_MAX
from bot.generation.prompt import FIRST_PROMPTS, with_trigger_word
from bot.keys.slots import assign_free_slots
from bot.limits.ledger import Ledger
from bot.moderation.texts import check_text
from bot.providers.base import Prices
from bot.records.generation import GenerationSettings, Operation
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.records.lora import Lora
from bot.records.training import Training
from bot.storage import guilds, identities
from bot.storage.jobs import generations, timeline
from bot.storage.money.slots import PICTURES
from bot.storage.people import moderation


class Samples:
    def __init__(self, ledger: Ledger, clock: Clock, prices: Mapping[ProviderName, Prices]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._prices = prices

    async def order(
        self, connection: AsyncConnection, training: Training, lora: Lora, role_ids: frozenset[int] | None
    ) -> None:
        """Store the order in the transaction that stores the LoRA, if its server wants that and nothing forbids it.

        `role_ids`: its owner's roles, which may limit them; None when they are not known, and then nothing is ordered.
        """
        prompt = with_trigger_word(FIRST_PROMPTS[lora.subject_kind], lora.trigger_word)
        amount = Amount(self._prices[training.provider].picture, pictures=1)
        if role_ids is None or not await self._is_wanted(connection, training, lora, prompt):
            return
        if not await self._ledger.has_room(connection, training, amount, role_ids):
            return
        now, identity = self._clock.now(), await identities.of_sample(connection, training.marker)
        generation_id = await generations.insert(
            connection,
            settings=GenerationSettings(seed=zlib.crc32(training.marker.encode()) % (SEED_MAX + 1)),
            guild_id=training.guild_id,
            channel_id=training.channel_id,
            parent_id=training.parent_id,
            user_id=training.user_id,
            lora_id=lora.id,
            operation=Operation.IMAGINE,
            key_id=training.key_id,
            provider=training.provider,
            prompt=prompt,
            estimate=amount.credits,
            idempotency_key=identity.idempotency_key,
            webhook_token=identity.webhook_token,
            sample_of=training.id,
            created_at=now,
        )
        generation = await generations.get(connection, generation_id)
        assert generation is not None  # inserted just above
        await self._ledger.reserve(connection, generation, amount, role_ids)
        await timeline.add(connection, SubjectTable.GENERATION, generation_id, "received", at=now)
        await assign_free_slots(connection, generation.key_id, PICTURES, clock=self._clock)

    async def _is_wanted(self, connection: AsyncConnection, training: Training, lora: Lora, prompt: str) -> bool:
        """Not for an event, whose pictures come anyway, nor for a character, which cost nothing so far."""
        if training.event_id is not None or lora.is_character or not lora.is_usable:
            return False
        guild = await guilds.get(connection, training.guild_id)
        if guild is not None and (not guild.makes_samples or guild.left_at is not None):
            return False
        if await moderation.is_blocked(connection, training.guild_id, training.user_id):
            return False
        try:
            await check_text(connection, training.guild_id, prompt)
        except UserError:
            return False
        return True
