"""SQL of the numbers of an event, and of how long its photos are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus, Photo
from bot.records.event import DepictionStatus
from bot.records.generation import GenerationStatus
from bot.records.lora import Lora
from bot.records.training import TrainingStatus
from bot.storage.database import note_due
from bot.storage.events.photos import USABLE, taking_part
from bot.storage.events.tables import depictions, entries, votes
from bot.storage.rows import build
from bot.storage.tables import datasets, generations, loras, photos, pictures, trainings


@dataclass(frozen=True, slots=True)
class PhotoCounts:
    """`usable`: those that may be trained on as things are."""

    given: int
    usable: int


async def photo_counts(connection: AsyncConnection, event_id: int) -> PhotoCounts:
    """All photos of an event; usable ones are of those who take part."""
    is_usable = sa.and_(USABLE, photos.c.contributor_id.in_(taking_part(event_id)))
    row = (
        await connection.execute(
            sa.select(sa.func.count().label("given"), sa.func.count().filter(is_usable).label("usable"))
            .select_from(photos.join(datasets))
            .where(datasets.c.event_id == event_id)
        )
    ).one()
    return PhotoCounts(row.given, row.usable)


async def newest_photos(connection: AsyncConnection, dataset_id: int, *, limit: int) -> list[Photo]:
    """In the order they came."""
    rows = await connection.execute(
        sa.select(photos).where(photos.c.dataset_id == dataset_id).order_by(photos.c.id.desc()).limit(limit)
    )
    return [build(Photo, row) for row in rows][::-1]


async def trainings_by_status(connection: AsyncConnection, event_id: int) -> dict[TrainingStatus, int]:
    """Of each dataset the newest training counts."""
    newest = sa.select(sa.func.max(trainings.c.id)).where(trainings.c.event_id == event_id)
    rows = await connection.execute(
        sa.select(trainings.c.status, sa.func.count().label("total"))
        .where(trainings.c.id.in_(newest.group_by(trainings.c.dataset_id)))
        .group_by(trainings.c.status)
    )
    return {row.status: row.total for row in rows}


async def loras_of(connection: AsyncConnection, event_id: int) -> list[Lora]:
    """What was trained in the event and is not archived, retired ones among them."""
    rows = await connection.execute(
        sa.select(loras).where(loras.c.event_id == event_id, loras.c.archived_at.is_(None)).order_by(loras.c.id)
    )
    return [build(Lora, row) for row in rows]


async def picture_count(connection: AsyncConnection, event_id: int) -> int:
    """Pictures that were made for the event and not deleted."""
    made = sa.select(generations.c.id).where(
        generations.c.event_id == event_id,
        generations.c.status == GenerationStatus.READY,
        generations.c.deleted_at.is_(None),
    )
    return await _count(connection, pictures, pictures.c.generation_id.in_(made))


async def depictions_by_status(connection: AsyncConnection, event_id: int) -> dict[DepictionStatus, int]:
    rows = await connection.execute(
        sa.select(depictions.c.status, sa.func.count().label("total"))
        .where(depictions.c.event_id == event_id)
        .group_by(depictions.c.status)
    )
    return {row.status: row.total for row in rows}


async def entry_count(connection: AsyncConnection, event_id: int) -> int:
    return await _count(connection, entries, entries.c.event_id == event_id)


async def vote_count(connection: AsyncConnection, event_id: int) -> int:
    return await _count(connection, votes, votes.c.event_id == event_id)


async def keep_photos_until(connection: AsyncConnection, event_id: int, until: datetime) -> None:
    """When the event's photos leave the disk at the latest; those that were trained on go by their training."""
    note_due(connection, datasets)
    await connection.execute(
        sa.update(datasets)
        .where(
            datasets.c.event_id == event_id,
            datasets.c.status == DatasetStatus.OPEN,
            datasets.c.due_at.is_not(None),
        )
        .values(due_at=until, wakes=datasets.c.wakes + 1)
    )


async def _count(connection: AsyncConnection, table: sa.Table, where: sa.ColumnElement[Any]) -> int:
    result = await connection.execute(sa.select(sa.func.count()).select_from(table).where(where))
    return int(result.scalar_one())
