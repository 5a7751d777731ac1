"""From an order for pictures to files on our disk: paid once, fetched in time, and let go in time."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import NoKey, NotFound, UserError
from bot.generation.lifecycle import MOVES, IllegalMove, check_move
from bot.models import Channel, Generation, GenerationSettings, GenerationStatus, LaneName, Lora, PostKind
from bot.providers.base import WebhookHint
from bot.sandbox.apiframe_world import JobFault
from bot.sandbox.faults import Fault
from bot.storage import tables
from bot.storage.due import LeaseLost
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_lora
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, POOR_KEY, PROVIDER, Studio, tiny_jpeg

S = GenerationStatus
GENERATE = "POST /v2/images/generate"
JOB = "GET /v2/jobs/{id}"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    """A LoRA that is ready at the provider and here, without having been trained step by step."""
    await studio.set_key()
    return await make_lora(studio)


async def make_lora(studio: Studio, api_key: str = KEY, guild_id: int = GUILD) -> Lora:
    from tests.fakes.provider import put_ready_lora

    request_id = put_ready_lora(studio.server, api_key, studio.spool.path(studio.spool.new_name()).parent)
    lora_id = await add_lora(studio.database, len(studio.server.loras), request_id=request_id, guild_id=guild_id)
    return await studio.loras.get_for(lora_id, guild_id=guild_id, user_id=ANNA)
