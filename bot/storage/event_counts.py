"""SQL of how an event stands in numbers, and of how long its photos are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import DatasetStatus, DepictionStatus, EntrantStatus, GenerationStatus, Pick, TrainingStatus, Verdict
from bot.records import Lora, Photo
from bot.storage import loras as lora_rows
from bot.storage.datasets import build_photo
from bot.storage.event_tables import depictions, entrants, entries, votes
from bot.storage.tables import datasets, generations, loras, photos, pictures, trainings


@dataclass(frozen=True, slots=True)
class PhotoCounts:
    """`usable`: of different files, those that may be trained on as things are."""

    given: int
    usable: int


async def photo_counts(connection: AsyncConnection, event_id: int) -> PhotoCounts:
    """All photos of an event. Usable ones were neither refused nor left out, and everybody named in them agreed."""
    per_file = (photos.c.dataset_id, photos.c.sha256)
    usable = sa.select(*per_file).where(_of_event(event_id), _is_usable(event_id)).distinct().subquery()
    row = (
        await connection.execute(
            sa.select(
                sa.select(sa.func.count()).select_from(photos).where(_of_event(event_id)).scalar_subquery(),
                sa.select(sa.func.count()).select_from(usable).scalar_subquery(),
            )
        )
    ).one()
    return PhotoCounts(given=row[0], usable=row[1])


def _of_event(event_id: int) -> sa.ColumnElement[bool]:
    return photos.c.dataset_id.in_(sa.select(datasets.c.id).where(datasets.c.event_id == event_id))


def _is_usable(event_id: int) -> sa.ColumnElement[bool]:
    unanswered = sa.select(depictions.c.consent_id).where(
        depictions.c.event_id == event_id, depictions.c.status != DepictionStatus.CONFIRMED
    )
    gone = sa.select(entrants.c.user_id).where(entrants.c.event_id == event_id, entrants.c.status != EntrantStatus.IN)
    return sa.and_(
        photos.c.verdict != Verdict.REFUSED,
        photos.c.file.is_not(None),
        sa.or_(photos.c.pick.is_(None), photos.c.pick != Pick.DROPPED),
        sa.or_(photos.c.consent_id.is_(None), photos.c.consent_id.not_in(unanswered)),
        sa.or_(photos.c.contributor_id.is_(None), photos.c.contributor_id.not_in(gone)),
    )


async def newest_photos(connection: AsyncConnection, dataset_id: int, *, limit: int) -> list[Photo]:
    """In the order they came."""
    rows = await connection.execute(
        sa.select(photos).where(photos.c.dataset_id == dataset_id).order_by(photos.c.id.desc()).limit(limit)
    )
    return [build_photo(row) for row in rows][::-1]


async def trainings_by_status(connection: AsyncConnection, event_id: int) -> dict[TrainingStatus, int]:
    """Of each dataset the newest training counts."""
    newest = sa.select(sa.func.max(trainings.c.id)).where(trainings.c.event_id == event_id)
    rows = await connection.execute(
        sa.select(trainings.c.status, sa.func.count().label("total"))
        .where(trainings.c.id.in_(newest.group_by(trainings.c.dataset_id)))
        .group_by(trainings.c.status)
    )
    return {TrainingStatus(row.status): row.total for row in rows}


async def loras_of(connection: AsyncConnection, event_id: int) -> list[Lora]:
    """What was trained in the event and is not archived, retired ones among them."""
    rows = await connection.execute(
        sa.select(loras).where(loras.c.event_id == event_id, loras.c.archived_at.is_(None)).order_by(loras.c.id)
    )
    return [lora_rows.build(row) for row in rows]


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
    return {DepictionStatus(row.status): row.total for row in rows}


async def entry_count(connection: AsyncConnection, event_id: int) -> int:
    return await _count(connection, entries, entries.c.event_id == event_id)


async def vote_count(connection: AsyncConnection, event_id: int) -> int:
    return await _count(connection, votes, votes.c.event_id == event_id)


async def keep_photos_until(connection: AsyncConnection, event_id: int, until: datetime) -> None:
    """When the event's photos leave the disk at the latest; those that were trained on go by their training."""
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
