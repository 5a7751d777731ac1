"""SQL of who takes part in an event."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Entrant, EntrantStatus
from bot.storage.events.tables import entrants
from bot.storage.rows import count_rows, fetch_all, fetch_first, fetch_values, has_row, insert_record

IS_IN = entrants.c.status == EntrantStatus.IN


async def get(connection: AsyncConnection, entrant_id: int) -> Entrant | None:
    return await fetch_first(connection, Entrant, sa.select(entrants).where(entrants.c.id == entrant_id))


async def find(connection: AsyncConnection, event_id: int, user_id: int) -> Entrant | None:
    """Whatever their status is."""
    theirs = sa.select(entrants).where(entrants.c.event_id == event_id, entrants.c.user_id == user_id)
    return await fetch_first(connection, Entrant, theirs)


async def join(connection: AsyncConnection, *, event_id: int, guild_id: int, user_id: int, now: datetime) -> Entrant:
    """A new entrant, or the same again after they had withdrawn. Callers check that they may."""
    before = await find(connection, event_id, user_id)
    if before is None:
        first = {"event_id": event_id, "guild_id": guild_id, "user_id": user_id, "joined_at": now}
        return await insert_record(connection, Entrant, entrants, status=EntrantStatus.IN, **first)
    await change(connection, before.id, status=EntrantStatus.IN, left_at=None)
    again = await find(connection, event_id, user_id)
    assert again is not None  # changed just above
    return again


async def change(connection: AsyncConnection, entrant_id: int, **values: Any) -> None:
    await connection.execute(sa.update(entrants).where(entrants.c.id == entrant_id).values(**values))


async def of_event(connection: AsyncConnection, event_id: int) -> Sequence[Entrant]:
    """Those who are in, in the order they joined."""
    taking_part = sa.select(entrants).where(entrants.c.event_id == event_id, IS_IN)
    return await fetch_all(connection, Entrant, taking_part.order_by(entrants.c.id))


async def count(connection: AsyncConnection, event_id: int) -> int:
    """Those who are in."""
    return await count_rows(connection, entrants, entrants.c.event_id == event_id, IS_IN)


async def has_any(connection: AsyncConnection, event_id: int) -> bool:
    """Whether anybody has ever joined, also if they left again."""
    return await has_row(connection, sa.select(entrants.c.id).where(entrants.c.event_id == event_id))


async def events_of(connection: AsyncConnection, guild_id: int, user_id: int) -> frozenset[int]:
    """The events this member takes part in."""
    return frozenset(await fetch_values(connection, entered_by(guild_id, user_id)))


def entered_by(guild_id: int, user_id: int) -> sa.Select[tuple[int]]:
    return sa.select(entrants.c.event_id).where(entrants.c.guild_id == guild_id, entrants.c.user_id == user_id, IS_IN)


def taking_part(event_id: int) -> sa.Select[tuple[int]]:
    """The user ids of those who are in."""
    return sa.select(entrants.c.user_id).where(entrants.c.event_id == event_id, IS_IN)
