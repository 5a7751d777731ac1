"""Events with sensible defaults and what they spend, on top of the studio."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import client as aurous
from bot.records.dataset import SubjectKind
from bot.records.event import EntrantStatus, Event, EventMode, EventStatus, Spend
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.storage import loras, tables
from bot.storage.database import Database
from bot.storage.events import entrants, events, spends
from bot.storage.events import tables as event_tables
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, CHANNEL, GUILD
from tests.fakes.studio import Studio

PRICES = {ProviderName.APIFRAME: apiframe.PRICES, ProviderName.AUROUS: aurous.PRICES}
TRAINING, PICTURE = apiframe.PRICES.training, apiframe.PRICES.picture


def without_engine(studio: Studio) -> Studio:
    """Events move only when a test moves them: their lane would order, settle and go on by itself."""
    studio.lanes.pop(LaneName.EVENTS)
    return studio


async def add_event(studio: Studio, **changes: Any) -> Event:
    return await insert_event(studio.database, **changes)


async def insert_event(database: Database, **changes: Any) -> Event:
    """A shared event that shows its pictures, with no limit."""
    values: dict[str, Any] = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "host_id": ADMIN,
        "name": "Mascot days",
        "theme": "Our mascot",
        "rules": "",
        "mode": EventMode.SHARED,
        "subject_kind": SubjectKind.OBJECT,
        "status": EventStatus.SHOWING,
        "photo_cap": 10,
        "pictures_each": 3,
        "entrants_min": 1,
        "budget": None,
        "role_ids": (),
        "moderator_ids": (),
        "pack": (),
        "style_ids": (),
        "lora_ids": (),
        "candidates": (),
        "hours": {},
        "wants_thread": False,
        "wants_calendar": False,
        "created_at": NOON,
        "opened_at": None if changes.get("status") is EventStatus.DRAFT else NOON,
    }

    async def transaction(connection: AsyncConnection) -> Event:
        return await events.insert(connection, **(values | changes))

    return await database.write(transaction)


async def change_event(studio: Studio, event: Event, **values: Any) -> Event:
    await studio.change(event_tables.events, event.id, **values)
    async with studio.database.read() as connection:
        changed = await events.get(connection, event.id)
    assert changed is not None
    return changed


async def join(studio: Studio, event: Event, *user_ids: int, status: EntrantStatus = EntrantStatus.IN) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        for user_id in user_ids:
            entrant = await entrants.join(
                connection, event_id=event.id, guild_id=event.guild_id, user_id=user_id, now=studio.clock.now()
            )
            await entrants.change(connection, entrant.id, status=status)

    await studio.database.write(transaction)


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
