"""SQL of who takes part in an event."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Entrant, EntrantStatus
from bot.storage.events.tables import entrants
from bot.storage.rows import build, fetch_first


async def find(connection: AsyncConnection, event_id: int, user_id: int) -> Entrant | None:
    """Whatever their status is."""
    return await fetch_first(
        connection, Entrant, sa.select(entrants).where(entrants.c.event_id == event_id, entrants.c.user_id == user_id)
    )


async def join(connection: AsyncConnection, *, event_id: int, guild_id: int, user_id: int, now: datetime) -> Entrant:
    """A new entrant, or the same again after they had withdrawn. Callers check that they may."""
    before = await find(connection, event_id, user_id)
    if before is None:
        statement = sa.insert(entrants).values(
            event_id=event_id, guild_id=guild_id, user_id=user_id, status=EntrantStatus.IN, joined_at=now
        )
        return build(Entrant, (await connection.execute(statement.returning(*entrants.c))).one())
    await change(connection, before.id, status=EntrantStatus.IN, left_at=None)
    again = await find(connection, event_id, user_id)
    assert again is not None  # noqa: S101 - changed just above
    return again


async def change(connection: AsyncConnection, entrant_id: int, **values: Any) -> None:
    await connection.execute(sa.update(entrants).where(entrants.c.id == entrant_id).values(**values))


async def of_event(connection: AsyncConnection, event_id: int) -> Sequence[Entrant]:
    """Those who are in, in the order they joined."""
    rows = await connection.execute(
        sa.select(entrants)
        .where(entrants.c.event_id == event_id, entrants.c.status == EntrantStatus.IN)
        .order_by(entrants.c.id)
    )
    return [build(Entrant, row) for row in rows]


async def count(connection: AsyncConnection, event_id: int) -> int:
    """Those who are in."""
    result = await connection.execute(
        sa.select(sa.func.count())
        .select_from(entrants)
        .where(entrants.c.event_id == event_id, entrants.c.status == EntrantStatus.IN)
    )
    return int(result.scalar_one())


async def events_of(connection: AsyncConnection, guild_id: int, user_id: int) -> frozenset[int]:
    """The events this member takes part in."""
    rows = await connection.execute(
        sa.select(entrants.c.event_id).where(
            entrants.c.guild_id == guild_id, entrants.c.user_id == user_id, entrants.c.status == EntrantStatus.IN
        )
    )
    return frozenset(row.event_id for row in rows)
