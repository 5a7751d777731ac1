"""The one way to make an event for a test: as a value, as a row, or planned and opened through the service."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.planning.drafts import EventDraft
from bot.events.service import EventService
from bot.records.dataset import SubjectKind
from bot.records.event import Announcement, EntrantStatus, Event, EventMode, EventStatus, OnTie
from bot.records.guild import Actor, Channel
from bot.storage.database import Database
from bot.storage.events import entrants, events
from bot.storage.events import tables as event_tables
from bot.storage.rows import fetch_all
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, CHANNEL, GUILD

USUAL: dict[str, Any] = {
    "guild_id": GUILD,
    "channel_id": CHANNEL,
    "host_id": ADMIN,
    "name": "Mascot days",
    "theme": "Our mascot",
    "rules": "",
    "mode": EventMode.SHARED,
    "subject_kind": SubjectKind.OBJECT,
    "photo_cap": 10,
    "pictures_each": 3,
    "entrants_min": 1,
    "role_ids": frozenset(),
    "moderator_ids": frozenset(),
    "pack": (),
    "style_ids": (),
    "lora_ids": (),
    "candidates": (),
    "hours": {},
    "wants_thread": False,
    "wants_calendar": False,
    "passes_role": False,
    "on_tie": OnTie.SHARE,
    "runoff_ids": (),
    "created_at": NOON,
}
"""Of a shared mascot, with no limit."""


@dataclass(frozen=True, slots=True)
class SeesOnly:
    """Implements bot.records.guild.Sight for who can see this one channel."""

    channel_id: int

    def sees(self, channel_id: int) -> bool:
        return channel_id == self.channel_id

    def may_repost(self, channel_id: int, target_id: int) -> bool:
        return channel_id in {self.channel_id, target_id}


def make_event(**changes: Any) -> Event:
    """A draft that is stored nowhere."""
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields(Event))
    return Event(**(nothing | USUAL | {"id": 7, "status": EventStatus.DRAFT, "attempt": 0} | changes))


async def add_event(database: Database, **changes: Any) -> Event:
    """A stored event that shows its pictures, as other parts leave it behind; opened, unless it is a draft."""
    opened_at = None if changes.get("status") is EventStatus.DRAFT else NOON
    more = {"status": EventStatus.SHOWING, "opened_at": opened_at}

    async def transaction(connection: AsyncConnection) -> Event:
        return await events.insert(connection, **(USUAL | more | changes))

    return await database.write(transaction)


async def get_event(database: Database, event_id: int) -> Event:
    async with database.read() as connection:
        event = await events.get(connection, event_id)
    assert event is not None
    return event


async def get_announcements(database: Database, event_id: int) -> list[Announcement]:
    noted = sa.select(event_tables.announcements).where(event_tables.announcements.c.event_id == event_id)
    async with database.read() as connection:
        return await fetch_all(connection, Announcement, noted.order_by(event_tables.announcements.c.id))


async def change_event(database: Database, event: Event, **values: Any) -> Event:
    """Columns set past the services, as it is stored afterwards."""

    async def transaction(connection: AsyncConnection) -> None:
        statement = sa.update(event_tables.events).where(event_tables.events.c.id == event.id)
        await connection.execute(statement.values(**values))

    await database.write(transaction)
    return await get_event(database, event.id)


async def add_entrants(
    database: Database,
    event: Event,
    *user_ids: int,
    status: EntrantStatus = EntrantStatus.IN,
    now: datetime = NOON,
    **changes: Any,
) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        for user_id in user_ids:
            entrant = await entrants.join(
                connection, event_id=event.id, guild_id=event.guild_id, user_id=user_id, now=now
            )
            await entrants.change(connection, entrant.id, status=status, **changes)

    await database.write(transaction)


async def plan_event(
    service: EventService,
    host: Actor,
    channel: Channel,
    mode: EventMode = EventMode.SHARED,
    kind: SubjectKind = SubjectKind.OBJECT,
    **said: Any,
) -> Event:
    """A draft as its host plans it; `said`: other words of the draft."""
    draft = EventDraft("Mascot days", "Our mascot", "Be kind", mode, kind)
    return await service.create(replace(draft, **said), host, channel)


async def plan_and_open(
    service: EventService,
    host: Actor,
    channel: Channel,
    mode: EventMode = EventMode.SHARED,
    kind: SubjectKind = SubjectKind.OBJECT,
    **settings: Any,
) -> Event:
    """An event that its host has planned, set to `settings`, and opened."""
    event = await plan_event(service, host, channel, mode, kind)
    if settings:
        await service.change(event.id, host, **settings)
    return await service.open(event.id, host)
