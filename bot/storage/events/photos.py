"""SQL of the photos of events: who gave them, which may be used, which were chosen, and their deletion."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus, Gender, Photo, Pick, Verdict
from bot.records.event import DepictionStatus, Event
from bot.storage.due import make_due
from bot.storage.events.entrants import taking_part
from bot.storage.events.tables import depictions, entrants
from bot.storage.rows import changes_row, count_by, count_rows, fetch_all, fetch_values
from bot.storage.tables import datasets, photos

PENDING = sa.select(depictions.c.consent_id).where(depictions.c.status == DepictionStatus.PENDING)
DROPPED = sa.and_(photos.c.verdict != Verdict.REFUSED, photos.c.pick == Pick.DROPPED)
_KEPT = sa.and_(photos.c.verdict != Verdict.REFUSED, sa.or_(photos.c.pick.is_(None), photos.c.pick != Pick.DROPPED))
WAITING = sa.and_(_KEPT, photos.c.consent_id.in_(PENDING))
"""For the answer of somebody who may be seen in it."""
USABLE = sa.and_(_KEPT, sa.or_(photos.c.consent_id.is_(None), photos.c.consent_id.not_in(PENDING)))
"""Neither refused, nor left out by the host, nor waiting for somebody who may be seen in it."""
TRAINABLE = sa.and_(USABLE, photos.c.file.is_not(None))
"""And still on our disk."""


async def usable_of_dataset(connection: AsyncConnection, dataset_id: int) -> int:
    return await count_rows(connection, photos, photos.c.dataset_id == dataset_id, TRAINABLE)


async def usable_of_event(connection: AsyncConnection, event_id: int) -> int:
    """Trainable photos of those who take part: of the shared subject, or of the entrant who gave most."""
    each = (
        sa.select(sa.func.count().label("usable"))
        .select_from(photos.join(datasets))
        .where(datasets.c.event_id == event_id, TRAINABLE, photos.c.contributor_id.in_(taking_part(event_id)))
        .group_by(photos.c.dataset_id)
        .subquery()
    )
    return int((await connection.execute(sa.select(sa.func.coalesce(sa.func.max(each.c.usable), 0)))).scalar_one())


async def of_contributor(connection: AsyncConnection, dataset_id: int, user_id: int) -> list[Photo]:
    given = sa.select(photos).where(photos.c.dataset_id == dataset_id, photos.c.contributor_id == user_id)
    return await fetch_all(connection, Photo, given.order_by(photos.c.id))


async def of_those_taking_part(connection: AsyncConnection, event: Event) -> list[Photo]:
    """Photos of the shared subject, in the order they came."""
    given = sa.and_(photos.c.dataset_id == event.dataset_id, photos.c.contributor_id.in_(taking_part(event.id)))
    return await fetch_all(connection, Photo, sa.select(photos).where(given).order_by(photos.c.id))


async def given_by_others(
    connection: AsyncConnection, dataset_id: int, user_id: int, hashes: Collection[str]
) -> frozenset[str]:
    """Which of these files somebody else has given already."""
    these = sa.select(photos.c.sha256).where(photos.c.dataset_id == dataset_id, photos.c.sha256.in_(hashes))
    others = these.where(photos.c.contributor_id != user_id, photos.c.verdict != Verdict.REFUSED)
    return frozenset(await fetch_values(connection, others))


async def forget_refused(connection: AsyncConnection, dataset_id: int, user_id: int, hashes: Collection[str]) -> None:
    """Delete earlier refusals of these files, because they are given again and checked again."""
    these = sa.delete(photos).where(photos.c.dataset_id == dataset_id, photos.c.sha256.in_(hashes))
    own = these.where(photos.c.contributor_id == user_id, photos.c.verdict == Verdict.REFUSED)
    await connection.execute(own)


async def remove(
    connection: AsyncConnection, dataset_id: int, user_id: int, photo_ids: Sequence[int]
) -> tuple[list[str], set[int]]:
    """Delete these photos of the contributor; spool names to free, and the submissions they came with."""
    own = sa.delete(photos).where(photos.c.dataset_id == dataset_id, photos.c.contributor_id == user_id)
    removed = own.where(photos.c.id.in_(photo_ids)).returning(photos.c.file, photos.c.consent_id)
    rows = (await connection.execute(removed)).all()
    return [row.file for row in rows if row.file], {row.consent_id for row in rows if row.consent_id is not None}


async def remove_of_contributor(connection: AsyncConnection, event_id: int, user_id: int) -> list[str]:
    """Delete everything the member gave to the event; spool names to free."""
    mine = sa.select(datasets.c.id).where(datasets.c.event_id == event_id)
    return await _delete(connection, photos.c.dataset_id.in_(mine), photos.c.contributor_id == user_id)


async def of_submission(connection: AsyncConnection, consent_id: int) -> list[Photo]:
    """Those on our disk."""
    given = sa.select(photos).where(photos.c.consent_id == consent_id, photos.c.file.is_not(None))
    return await fetch_all(connection, Photo, given.order_by(photos.c.id))


async def remove_of_submission(connection: AsyncConnection, consent_id: int) -> list[str]:
    """Delete the photos that came with it; spool names to free."""
    return await _delete(connection, photos.c.consent_id == consent_id)


async def remove_of_author(connection: AsyncConnection, dataset_id: int, hashes: Sequence[str]) -> list[str]:
    """Delete those photos of somebody's dataset that their author had agreed to; spool names to free."""
    return await _delete(connection, photos.c.dataset_id == dataset_id, photos.c.sha256.in_(hashes))


async def remove_unanswered(connection: AsyncConnection, dataset_id: int) -> list[str]:
    """Delete photos that wait for somebody who may be seen in them; spool names to free."""
    return await _delete(connection, photos.c.dataset_id == dataset_id, photos.c.consent_id.in_(PENDING))


async def keep_chosen(connection: AsyncConnection, dataset_id: int, picks: Mapping[int, Pick]) -> list[str]:
    """Write down what was chosen (photo id to pick) and delete everything else; spool names to free."""
    for pick in set(picks.values()):
        chosen = [photo_id for photo_id, picked in picks.items() if picked is pick]
        await connection.execute(
            sa.update(photos).where(photos.c.dataset_id == dataset_id, photos.c.id.in_(chosen)).values(pick=pick)
        )
    return await _delete(connection, photos.c.dataset_id == dataset_id, photos.c.id.not_in(list(picks)))


async def note_chosen(connection: AsyncConnection, event_id: int, counts: Mapping[int, int]) -> None:
    """How many photos of each entrant were chosen (user id to number); of all others none."""
    mine = entrants.c.event_id == event_id
    await connection.execute(sa.update(entrants).where(mine).values(photos_chosen=0))
    for user_id, chosen in counts.items():
        theirs = sa.update(entrants).where(mine, entrants.c.user_id == user_id)
        await connection.execute(theirs.values(photos_chosen=chosen))


async def counts_by_contributor(connection: AsyncConnection, dataset_id: int) -> dict[int, int]:
    given = sa.and_(photos.c.dataset_id == dataset_id, photos.c.contributor_id.is_not(None))
    return await count_by(connection, photos.c.contributor_id, given)


async def set_pick(connection: AsyncConnection, dataset_id: int, photo_id: int, pick: Pick | None) -> bool:
    """False when the photo is not there any more, or was refused."""
    usable = sa.and_(photos.c.dataset_id == dataset_id, photos.c.verdict != Verdict.REFUSED)
    return await changes_row(connection, sa.update(photos).where(usable, photos.c.id == photo_id).values(pick=pick))


async def submissions_with_photos(connection: AsyncConnection, event_id: int) -> frozenset[int]:
    """Consent ids of the submissions that still have photos."""
    given = sa.select(photos.c.consent_id).distinct().select_from(photos.join(datasets))
    return frozenset(await fetch_values(connection, given.where(datasets.c.event_id == event_id)))


async def describe_person(connection: AsyncConnection, dataset_id: int, *, gender: Gender, ethnicity: str) -> None:
    person = sa.update(datasets).where(datasets.c.id == dataset_id)
    await connection.execute(person.values(gender=gender, ethnicity=ethnicity))


async def reopen(connection: AsyncConnection, dataset_id: int, *, due_at: datetime) -> None:
    """Take photos in again, until `due_at`, in place of those that have left the disk."""
    await _delete(connection, photos.c.dataset_id == dataset_id, photos.c.file.is_(None))
    await make_due(connection, datasets, datasets.c.id == dataset_id, at=due_at, status=DatasetStatus.OPEN)


async def _delete(connection: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[str]:
    return await fetch_values(connection, sa.delete(photos).where(*conditions).returning(photos.c.file))
