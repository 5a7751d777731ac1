"""SQL of the jobs and datasets that belong to an event."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus
from bot.records.generation import GenerationStatus
from bot.records.training import Training, TrainingStatus
from bot.storage.due import make_due
from bot.storage.jobs import datasets as dataset_rows
from bot.storage.jobs.generations import OPEN
from bot.storage.rows import count_rows, fetch_all, fetch_values
from bot.storage.tables import datasets, generations, trainings

ENDED = [status for status in TrainingStatus if status.is_terminal]


async def trainings_of(connection: AsyncConnection, event_id: int) -> list[Training]:
    """Oldest first; a dataset that was tried again has several."""
    begun = sa.select(trainings).where(trainings.c.event_id == event_id).order_by(trainings.c.id)
    return await fetch_all(connection, Training, begun)


async def generations_under_way(connection: AsyncConnection, event_id: int) -> int:
    under_way = generations.c.status.in_(OPEN)
    return await count_rows(connection, generations, generations.c.event_id == event_id, under_way)


async def wake(connection: AsyncConnection, event_id: int, *, now: datetime) -> None:
    """The event was cancelled: let what still waits find that out now."""
    for table, queued in ((trainings, TrainingStatus.QUEUED), (generations, GenerationStatus.QUEUED)):
        await make_due(connection, table, table.c.event_id == event_id, table.c.status == queued, at=now)


async def discard_datasets(connection: AsyncConnection, event_id: int) -> list[str]:
    """Photos that no training needs any more leave the disk; their spool names, for the caller to free."""
    is_needed = sa.exists().where(trainings.c.dataset_id == datasets.c.id, trainings.c.status.not_in(ENDED))
    unused = sa.and_(datasets.c.event_id == event_id, sa.not_(is_needed))
    still_open = sa.update(datasets).where(unused, datasets.c.status == DatasetStatus.OPEN)
    await connection.execute(still_open.values(status=DatasetStatus.DISCARDED))
    files: list[str] = []
    for dataset_id in await fetch_values(connection, sa.select(datasets.c.id).where(unused)):
        await dataset_rows.forget_person(connection, dataset_id)
        files += await dataset_rows.forget_files(connection, dataset_id)
    return files
