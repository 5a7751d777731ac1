"""SQL of the jobs and datasets that belong to an event."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus
from bot.records.generation import GenerationStatus
from bot.records.training import Training, TrainingStatus
from bot.storage import datasets as dataset_rows
from bot.storage.database import note_due
from bot.storage.rows import build
from bot.storage.tables import datasets, generations, trainings

ENDED = [status for status in TrainingStatus if status.is_terminal]
DONE = [status for status in GenerationStatus if status.is_terminal]


async def trainings_of(connection: AsyncConnection, event_id: int) -> list[Training]:
    """Oldest first; a dataset that was tried again has several."""
    rows = await connection.execute(
        sa.select(trainings).where(trainings.c.event_id == event_id).order_by(trainings.c.id)
    )
    return [build(Training, row) for row in rows]


async def generations_under_way(connection: AsyncConnection, event_id: int) -> int:
    result = await connection.execute(
        sa.select(sa.func.count())
        .select_from(generations)
        .where(generations.c.event_id == event_id, generations.c.status.not_in(DONE))
    )
    return int(result.scalar_one())


async def wake(connection: AsyncConnection, event_id: int, *, now: datetime) -> None:
    """The event was cancelled: let what still waits find that out now."""
    for table, queued in ((trainings, TrainingStatus.QUEUED), (generations, GenerationStatus.QUEUED)):
        note_due(connection, table)
        await connection.execute(
            sa.update(table)
            .where(table.c.event_id == event_id, table.c.status == queued)
            .values(due_at=now, wakes=table.c.wakes + 1)
        )


async def discard_datasets(connection: AsyncConnection, event_id: int) -> list[str]:
    """Photos that no training needs any more leave the disk; their spool names, for the caller to free."""
    is_needed = sa.exists().where(trainings.c.dataset_id == datasets.c.id, trainings.c.status.not_in(ENDED))
    unused = sa.and_(datasets.c.event_id == event_id, sa.not_(is_needed))
    await connection.execute(
        sa.update(datasets)
        .where(unused, datasets.c.status == DatasetStatus.OPEN)
        .values(status=DatasetStatus.DISCARDED)
    )
    files: list[str] = []
    for dataset_id in (await connection.execute(sa.select(datasets.c.id).where(unused))).scalars().all():
        await dataset_rows.forget_person(connection, dataset_id)
        files += await dataset_rows.forget_files(connection, dataset_id)
    return files
