"""SQL of what an event spends: credits set aside before a job is stored, settled when it has ended."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Event, Spend
from bot.records.job import SubjectTable
from bot.storage.events.tables import events, spends
from bot.storage.rows import fetch_all, insert_row


async def total(connection: AsyncConnection, event_id: int) -> int:
    """Credits spent or set aside."""
    result = await connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(spends.c.credits), 0)).where(spends.c.event_id == event_id)
    )
    return int(result.scalar_one())


async def reserve(
    connection: AsyncConnection,
    event: Event,
    *,
    user_id: int,
    subject: SubjectTable,
    subject_id: int,
    credits_: int,
    now: datetime,
) -> bool:
    """Set credits aside in the transaction that stores the job; False, and nothing is, when the budget has no room."""
    # Two processes on PostgreSQL must not both find the same room.
    await connection.execute(sa.select(events.c.id).where(events.c.id == event.id).with_for_update())
    if event.budget is not None and await total(connection, event.id) + credits_ > event.budget:
        return False
    await insert_row(
        connection,
        spends,
        event_id=event.id,
        guild_id=event.guild_id,
        user_id=user_id,
        subject_table=subject,
        subject_id=subject_id,
        credits=credits_,
        created_at=now,
    )
    return True


async def unsettled(connection: AsyncConnection, event_id: int) -> list[Spend]:
    open_ones = sa.select(spends).where(spends.c.event_id == event_id, spends.c.settled_at.is_(None))
    return await fetch_all(connection, Spend, open_ones.order_by(spends.c.id))


async def of_event(connection: AsyncConnection, event_id: int) -> list[Spend]:
    its = sa.select(spends).where(spends.c.event_id == event_id)
    return await fetch_all(connection, Spend, its.order_by(spends.c.id))


async def settle(connection: AsyncConnection, spend_id: int, *, credits_: int, now: datetime) -> None:
    """What the job really took; asking twice settles once."""
    unsettled_one = sa.update(spends).where(spends.c.id == spend_id, spends.c.settled_at.is_(None))
    await connection.execute(unsettled_one.values(credits=credits_, settled_at=now))
