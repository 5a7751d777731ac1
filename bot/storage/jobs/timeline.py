"""The timeline of a training or a generation: what happened when, as /jobs shows it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.job import SubjectTable, TimelineEntry
from bot.storage.rows import fetch_all
from bot.storage.tables import timeline


async def add(
    connection: AsyncConnection, subject: SubjectTable, subject_id: int, what: str, *, at: datetime, detail: str = ""
) -> None:
    await connection.execute(
        sa.insert(timeline).values(subject_table=subject, subject_id=subject_id, at=at, what=what, detail=detail[:300])
    )


async def of(connection: AsyncConnection, subject: SubjectTable, subject_id: int) -> list[TimelineEntry]:
    mine = sa.select(timeline).where(timeline.c.subject_table == subject, timeline.c.subject_id == subject_id)
    return await fetch_all(connection, TimelineEntry, mine.order_by(timeline.c.id))
