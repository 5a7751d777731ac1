"""What events spend: reading it, LoRAs to spend on, and a studio whose events stand still."""

from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import client as aurous
from bot.records.event import Event
from bot.records.job import LaneName, SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import Spend
from bot.records.lora import Lora
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.jobs import loras
from bot.storage.money import spends
from tests.fakes.studio import Studio

PRICES = {ProviderName.APIFRAME: apiframe.PRICES, ProviderName.AUROUS: aurous.PRICES}
TRAINING, PICTURE = apiframe.PRICES.training, apiframe.PRICES.picture


def without_engine(studio: Studio) -> Studio:
    """Events move only when a test moves them: their lane would order, settle and go on by itself."""
    studio.lanes.pop(LaneName.EVENTS)
    return studio


async def add_event_lora(studio: Studio, event: Event, *, user_id: int) -> Lora:
    """A LoRA of this event that is ready, here and at the provider."""
    lora = await studio.lora(user_id=user_id)
    await studio.change(tables.loras, lora.id, event_id=event.id)
    async with studio.database.read() as connection:
        stored = await loras.get(connection, lora.id)
    assert stored is not None
    return stored


async def spends_of(studio: Studio, event: Event) -> list[Spend]:
    async with studio.database.read() as connection:
        return await spends.of_event(connection, event.id)


async def total_of(studio: Studio, event: Event) -> int:
    return sum(spend.credits for spend in await spends_of(studio, event))


async def add_spend(database: Database, event: Event, credits_: int) -> None:
    """Credits that a picture of the event's host has taken."""
    spend = Spend(
        0,
        event.guild_id,
        event.host_id,
        event.id,
        SubjectTable.GENERATION,
        1,
        ProviderName.APIFRAME,
        reserved=credits_,
        credits=credits_,
        trainings=0,
        pictures=1,
        created_at=event.created_at,
        settled_at=None,
    )
    await database.write(lambda connection: spends.reserve(connection, spend))
