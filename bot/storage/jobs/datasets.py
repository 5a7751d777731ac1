"""SQL of datasets, their photos and the consents given for them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind, Dataset, DatasetStatus, Gender, Photo
from bot.records.question import RequestStatus
from bot.storage.database import note_due
from bot.storage.events import depictions
from bot.storage.question_tables import photo_requests
from bot.storage.reader import asked_once
from bot.storage.rows import (
    build,
    changes_row,
    columns_of,
    count_rows,
    drop_files,
    fetch_all,
    fetch_first,
    fetch_values,
    has_row,
    insert_row,
)
from bot.storage.tables import consents, datasets, photos

_NEW = sa.insert(datasets).returning(*datasets.c)
"""Made once, as the next ones, because making these statements takes longer than running them."""

_IS_OPEN = sa.and_(
    datasets.c.guild_id == sa.bindparam("guild_id"),
    datasets.c.user_id == sa.bindparam("user_id"),
    datasets.c.status == DatasetStatus.OPEN,
    datasets.c.event_id.is_(None),
)
_OPEN = sa.select(datasets).where(_IS_OPEN).order_by(datasets.c.id.desc())
_NUMBER_OPEN = sa.select(sa.func.count()).select_from(datasets).where(_IS_OPEN)


async def insert(connection: AsyncConnection, **values: Any) -> Dataset:
    note_due(connection, datasets)
    result = await connection.execute(_NEW, {"status": DatasetStatus.OPEN} | values)
    return build(Dataset, result.one())


async def get(connection: AsyncConnection, dataset_id: int) -> Dataset | None:
    return await fetch_first(connection, Dataset, sa.select(datasets).where(datasets.c.id == dataset_id))


async def open_of(connection: AsyncConnection, guild_id: int, user_id: int) -> Dataset | None:
    """The member's newest open dataset in this guild."""
    return next(iter(await all_open_of(connection, guild_id, user_id)), None)


async def all_open_of(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Dataset]:
    """The member's open datasets in this guild, newest first; those of events have their own place."""
    return await fetch_all(connection, Dataset, _OPEN, {"guild_id": guild_id, "user_id": user_id})


async def count_open_of(connection: AsyncConnection, guild_id: int, user_id: int) -> int:
    theirs = {"guild_id": guild_id, "user_id": user_id}
    return int((await connection.execute(_NUMBER_OPEN, theirs)).scalar_one())


@asked_once
async def count_waiting_photos(connection: AsyncConnection, guild_id: int) -> int:
    """The guild's photos whose files are on disk, those of events aside."""
    kept = sa.and_(datasets.c.guild_id == guild_id, datasets.c.event_id.is_(None), photos.c.file.is_not(None))
    joined = photos.join(datasets, photos.c.dataset_id == datasets.c.id)
    return await connection.scalar(sa.select(sa.func.count()).select_from(joined).where(kept)) or 0


async def move(connection: AsyncConnection, dataset_id: int, *, from_: DatasetStatus, to: DatasetStatus) -> bool:
    """Compare-and-set of the status; False when somebody was faster."""
    mine = sa.and_(datasets.c.id == dataset_id, datasets.c.status == from_)
    return await changes_row(connection, sa.update(datasets).where(mine).values(status=to))


async def describe_person(
    connection: AsyncConnection, dataset_id: int, *, gender: Gender, ethnicity: str, age: str | None
) -> bool:
    """Who is in the photos of an open dataset; False when it is not open any more."""
    mine = sa.and_(datasets.c.id == dataset_id, datasets.c.status == DatasetStatus.OPEN)
    said = sa.update(datasets).where(mine).values(gender=gender, ethnicity=ethnicity, age=age)
    return await changes_row(connection, said)


async def keep_until(connection: AsyncConnection, dataset: Dataset, until: datetime, *, now: datetime) -> bool:
    """Put off the deletion of an open dataset's photos; False when it is not open or its time is over."""
    hours = (until - dataset.created_at) // timedelta(hours=1)
    is_open = sa.and_(datasets.c.status == DatasetStatus.OPEN, datasets.c.due_at > now)
    kept = sa.update(datasets).where(datasets.c.id == dataset.id, is_open).values(due_at=until, kept_hours=hours)
    note_due(connection, datasets)
    return await changes_row(connection, kept)


async def has_others(connection: AsyncConnection, dataset: Dataset) -> bool:
    """Whether anybody but its owner agreed to photos of the dataset, or is asked about some."""
    agreed = sa.select(consents.c.id).where(consents.c.dataset_id == dataset.id, consents.c.user_id != dataset.user_id)
    if await has_row(connection, agreed.limit(1)):
        return True
    asked = sa.select(photo_requests.c.id).where(
        photo_requests.c.dataset_id == dataset.id, photo_requests.c.status == RequestStatus.ASKED
    )
    return bool(await depictions.of_dataset(connection, dataset.id)) or await has_row(connection, asked.limit(1))


async def rename(connection: AsyncConnection, dataset_id: int, name: str) -> None:
    await connection.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(name=name))


async def forget_person(connection: AsyncConnection, dataset_id: int) -> None:
    """Drop gender, ethnicity and age: they are kept no longer than the photos."""
    await connection.execute(
        sa.update(datasets).where(datasets.c.id == dataset_id).values(gender=None, ethnicity=None, age=None)
    )


async def photos_of(connection: AsyncConnection, dataset_id: int) -> list[Photo]:
    mine = sa.select(photos).where(photos.c.dataset_id == dataset_id).order_by(photos.c.id)
    return await fetch_all(connection, Photo, mine)


async def count_photos(connection: AsyncConnection, dataset_id: int) -> int:
    return await count_rows(connection, photos, photos.c.dataset_id == dataset_id)


async def add_photo(connection: AsyncConnection, dataset_id: int, photo: Photo) -> int:
    return await insert_row(connection, photos, **columns_of(photo) | {"dataset_id": dataset_id})


async def remove_photos(connection: AsyncConnection, dataset_id: int, photo_ids: Sequence[int]) -> list[str]:
    """Delete these rows; the spool names of their files, for the caller to free."""
    these = sa.and_(photos.c.dataset_id == dataset_id, photos.c.id.in_(photo_ids))
    files = await fetch_values(connection, sa.delete(photos).where(these).returning(photos.c.file))
    await depictions.forget_photoless(connection, dataset_id)
    return files


async def join_submissions(
    connection: AsyncConnection,
    dataset: Dataset,
    apart: Collection[int],
    *,
    policy_version: str,
    wording: str,
    now: datetime,
) -> None:
    """Make one submission, agreed to with `wording`, of the photos on disk whose submission is not among `apart`."""
    here = sa.and_(photos.c.dataset_id == dataset.id, photos.c.file.is_not(None))
    plain = sa.and_(here, sa.or_(photos.c.consent_id.is_(None), photos.c.consent_id.not_in(apart)))
    hashes = await fetch_values(connection, sa.select(photos.c.sha256).where(plain).order_by(photos.c.id))
    if hashes:
        consent_id = await record_consent(
            connection,
            dataset=dataset,
            policy_version=policy_version,
            wording=wording,
            photo_hashes=hashes,
            now=now,
        )
        await connection.execute(sa.update(photos).where(plain).values(consent_id=consent_id))


async def forget_files(connection: AsyncConnection, dataset_id: int) -> list[str]:
    """Record that the dataset's photos have left the disk; their spool names, for the caller to free."""
    files = await drop_files(connection, photos, photos.c.dataset_id == dataset_id)
    await depictions.forget_photoless(connection, dataset_id)
    return files


async def files_in_use(connection: AsyncConnection) -> set[str]:
    return set(await fetch_values(connection, sa.select(photos.c.file)))


async def record_consent(
    connection: AsyncConnection,
    *,
    dataset: Dataset,
    policy_version: str,
    photo_hashes: Sequence[str],
    now: datetime,
    user_id: int | None = None,
    kind: ConsentKind = ConsentKind.PHOTOS,
    wording: str | None = None,
) -> int:
    """The proof that a member told us to send exactly these photos to the dataset's provider; its id.

    `user_id`: who agreed, by default the dataset's owner. `wording`: the sentence that was shown. It
    belongs to the dataset's event, if that has one.
    """
    return await insert_row(
        connection,
        consents,
        guild_id=dataset.guild_id,
        user_id=dataset.user_id if user_id is None else user_id,
        dataset_id=dataset.id,
        provider=dataset.subject_kind.provider,
        policy_version=policy_version,
        photo_hashes=photo_hashes,
        given_at=now,
        event_id=dataset.event_id,
        kind=kind,
        wording=wording,
    )
