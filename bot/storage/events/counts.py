"""SQL of the numbers of an event, and of how long its photos are kept."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus, Photo, Verdict
from bot.records.event import DepictionStatus, Event
from bot.records.generation import GenerationStatus
from bot.records.training import TrainingStatus
from bot.storage.due import make_due
from bot.storage.events.entrants import taking_part
from bot.storage.events.photos import DROPPED, USABLE, WAITING
from bot.storage.events.tables import depictions, entries, votes
from bot.storage.rows import count_by, count_rows, fetch_all
from bot.storage.tables import datasets, generations, photos, pictures, trainings


@dataclass(frozen=True, slots=True)
class PhotoCounts:
    """`usable`: those that may be trained on as things are. `waiting`: for somebody who may be seen in them.

    `refused`: by the checks. `dropped`: by the host.
    """

    given: int
    usable: int
    waiting: int
    refused: int
    dropped: int


async def photo_counts(connection: AsyncConnection, event_id: int) -> PhotoCounts:
    """All photos of an event; usable and waiting ones are of those who take part."""
    is_in = photos.c.contributor_id.in_(taking_part(event_id))
    kinds = (sa.true(), sa.and_(USABLE, is_in), sa.and_(WAITING, is_in), photos.c.verdict == Verdict.REFUSED, DROPPED)
    numbers = [sa.func.coalesce(sa.func.sum(sa.case((kind, 1), else_=0)), 0) for kind in kinds]
    counted = sa.select(*numbers).select_from(photos.join(datasets)).where(datasets.c.event_id == event_id)
    return PhotoCounts(*map(int, (await connection.execute(counted)).one()))


async def newest_photos(connection: AsyncConnection, event: Event, *, limit: int) -> list[Photo]:
    """Of the shared subject, by those who take part, in the order they came."""
    given = sa.and_(photos.c.dataset_id == event.dataset_id, photos.c.contributor_id.in_(taking_part(event.id)))
    newest = sa.select(photos).where(given).order_by(photos.c.id.desc()).limit(limit)
    return (await fetch_all(connection, Photo, newest))[::-1]


async def trainings_by_status(connection: AsyncConnection, event_id: int) -> dict[TrainingStatus, int]:
    """Of each dataset the newest training counts."""
    newest = sa.select(sa.func.max(trainings.c.id)).where(trainings.c.event_id == event_id)
    is_newest = trainings.c.id.in_(newest.group_by(trainings.c.dataset_id))
    return await count_by(connection, trainings.c.status, is_newest)


async def picture_count(connection: AsyncConnection, event_id: int) -> int:
    """Pictures that were made for the event and not deleted."""
    made = sa.select(generations.c.id).where(
        generations.c.event_id == event_id,
        generations.c.status == GenerationStatus.READY,
        generations.c.deleted_at.is_(None),
    )
    return await count_rows(connection, pictures, pictures.c.generation_id.in_(made))


async def depictions_by_status(connection: AsyncConnection, event_id: int) -> dict[DepictionStatus, int]:
    return await count_by(connection, depictions.c.status, depictions.c.event_id == event_id)


async def entry_count(connection: AsyncConnection, event_id: int) -> int:
    return await count_rows(connection, entries, entries.c.event_id == event_id)


async def vote_count(connection: AsyncConnection, event_id: int) -> int:
    return await count_rows(connection, votes, votes.c.event_id == event_id)


async def keep_photos_until(connection: AsyncConnection, event_id: int, until: datetime | None) -> None:
    """When the event's photos leave the disk at the latest (None: as before); trained ones go by their training."""
    if until is None:
        return
    kept = sa.and_(datasets.c.status == DatasetStatus.OPEN, datasets.c.due_at.is_not(None))
    await make_due(connection, datasets, datasets.c.event_id == event_id, kept, at=until)
