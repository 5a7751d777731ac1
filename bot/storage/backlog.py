"""SQL of what waits, for metrics: read often, so each question reads the start of an index and ends at a limit."""

from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.due import LOOKED_AT

COUNTED_MAX = 10_000
SOON = timedelta(days=1)
"""What has not ended is due within this time, or waits without a date."""


async def oldest_due(connection: AsyncConnection, table: sa.Table, now: datetime) -> datetime | None:
    """Since when the row waits that has been due for longest and that nobody works on; None without one."""
    columns = table.c
    due = sa.select(columns.due_at, columns.lease_until).where(columns.due_at <= now).order_by(columns.due_at)
    rows = await connection.execute(due.limit(LOOKED_AT))
    return next((row.due_at for row in rows if row.lease_until is None or row.lease_until <= now), None)


async def open_by_status(
    connection: AsyncConnection, table: sa.Table, statuses: list[str], now: datetime, *, sleeps: bool
) -> dict[str, int]:
    """How many rows have each of these statuses, of up to COUNTED_MAX each way.

    `sleeps`: rows without a date may be among them; else those have ended, and there are many.
    """
    columns = table.c
    ways = [columns.due_at <= now + SOON, *([columns.due_at.is_(None)] if sleeps else [])]
    found: Counter[str] = Counter(dict.fromkeys(statuses, 0))
    for way in ways:
        some = sa.select(columns.status).where(way).limit(COUNTED_MAX).subquery()
        counted = sa.select(some.c.status, sa.func.count()).where(some.c.status.in_(statuses)).group_by(some.c.status)
        found.update({str(status): number for status, number in await connection.execute(counted)})
    return dict(found)
