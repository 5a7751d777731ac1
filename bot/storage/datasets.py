"""SQL of datasets, their photos and the consents given for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind, Dataset, DatasetStatus, Photo
from bot.records.key import ProviderName
from bot.storage.database import note_due
from bot.storage.rows import build, fetch_first
from bot.storage.tables import consents, datasets, photos

_NEW = sa.insert(datasets).returning(*datasets.c)
"""Made once, because making this statement takes longer than running it."""


async def insert(connection: AsyncConnection, **values: Any) -> Dataset:
    note_due(connection, datasets)
    result = await connection.execute(_NEW, {"status": DatasetStatus.OPEN} | values)
    return build(Dataset, result.one())


async def get(connection: AsyncConnection, dataset_id: int) -> Dataset | None:
    return await fetch_first(connection, Dataset, sa.select(datasets).where(datasets.c.id == dataset_id))


async def open_of(connection: AsyncConnection, guild_id: int, user_id: int) -> Dataset | None:
    """The member's newest open dataset in this guild; those of events have their own place."""
    return await fetch_first(
        connection,
        Dataset,
        sa.select(datasets)
        .where(
            datasets.c.guild_id == guild_id,
            datasets.c.user_id == user_id,
            datasets.c.status == DatasetStatus.OPEN,
            datasets.c.event_id.is_(None),
        )
        .order_by(datasets.c.id.desc())
        .limit(1),
    )


async def move(connection: AsyncConnection, dataset_id: int, *, from_: DatasetStatus, to: DatasetStatus) -> bool:
    """Compare-and-set of the status; False when somebody was faster."""
    result = await connection.execute(
        sa.update(datasets).where(datasets.c.id == dataset_id, datasets.c.status == from_).values(status=to)
    )
    return result.rowcount == 1


async def forget_person(connection: AsyncConnection, dataset_id: int) -> None:
    """Drop gender, ethnicity and age: they are kept no longer than the photos."""
    await connection.execute(
        sa.update(datasets).where(datasets.c.id == dataset_id).values(gender=None, ethnicity=None, age=None)
    )


async def photos_of(connection: AsyncConnection, dataset_id: int) -> list[Photo]:
    rows = await connection.execute(sa.select(photos).where(photos.c.dataset_id == dataset_id).order_by(photos.c.id))
    return [build(Photo, row) for row in rows]


async def add_photo(connection: AsyncConnection, dataset_id: int, photo: Photo) -> int:
    result = await connection.execute(
        sa.insert(photos)
        .values(
            dataset_id=dataset_id,
            name=photo.name,
            verdict=photo.verdict,
            findings=photo.findings,
            sha256=photo.sha256,
            dhash=photo.dhash,
            size=photo.size,
            width=photo.width,
            height=photo.height,
            file=photo.file,
            contributor_id=photo.contributor_id,
            consent_id=photo.consent_id,
            pick=photo.pick,
            sharpness=photo.sharpness,
            brightness=photo.brightness,
            detail=photo.detail,
        )
        .returning(photos.c.id)
    )
    return int(result.scalar_one())


async def remove_photos(connection: AsyncConnection, dataset_id: int, photo_ids: Sequence[int]) -> list[str]:
    """Delete these rows; the spool names of their files, for the caller to free."""
    rows = await connection.execute(
        sa.delete(photos).where(photos.c.dataset_id == dataset_id, photos.c.id.in_(photo_ids)).returning(photos.c.file)
    )
    return [row.file for row in rows if row.file is not None]


async def forget_files(connection: AsyncConnection, dataset_id: int) -> list[str]:
    """Record that the dataset's photos have left the disk; their spool names, for the caller to free."""
    rows = await connection.execute(
        sa.select(photos.c.file).where(photos.c.dataset_id == dataset_id, photos.c.file.is_not(None))
    )
    files = [row.file for row in rows]
    await connection.execute(sa.update(photos).where(photos.c.dataset_id == dataset_id).values(file=None))
    return files


async def files_in_use(connection: AsyncConnection) -> set[str]:
    rows = await connection.execute(sa.select(photos.c.file).where(photos.c.file.is_not(None)))
    return {row.file for row in rows}


async def record_consent(
    connection: AsyncConnection,
    *,
    dataset: Dataset,
    provider: ProviderName,
    policy_version: str,
    photo_hashes: Sequence[str],
    now: datetime,
    user_id: int | None = None,
    kind: ConsentKind = ConsentKind.PHOTOS,
    wording: str | None = None,
) -> int:
    """The proof that a member told us to send exactly these photos to this provider; its id.

    `user_id`: who agreed, by default the dataset's owner. `wording`: the sentence, where the policy's version alone
    does not say it. It belongs to the dataset's event, if that has one.
    """
    result = await connection.execute(
        sa.insert(consents)
        .values(
            guild_id=dataset.guild_id,
            user_id=dataset.user_id if user_id is None else user_id,
            dataset_id=dataset.id,
            provider=provider,
            policy_version=policy_version,
            photo_hashes=photo_hashes,
            given_at=now,
            event_id=dataset.event_id,
            kind=kind,
            wording=wording,
        )
        .returning(consents.c.id)
    )
    return int(result.scalar_one())
