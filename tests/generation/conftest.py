"""A LoRA that is ready, for orders of pictures."""

import pytest

from bot.records.lora import Lora
from tests.fakes.studio import Studio


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    return await studio.lora()
