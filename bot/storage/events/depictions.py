"""SQL of consent in events: who agreed, who was named as seen in photos, and what was taken back."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind
from bot.records.event import AnnouncementKind, Depiction, DepictionStatus, Event
from bot.records.guild import NOBODY
from bot.records.job import SubjectTable
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.removal import RemovalReason
from bot.records.training import Training, TrainingStatus
from bot.storage.events import events
from bot.storage.events.tables import announcements, depictions, entrants, entries, runoff_votes, votes
from bot.storage.jobs import loras as lora_rows
from bot.storage.jobs import posts, timeline
from bot.storage.people import questions, removals
from bot.storage.rows import fetch_all, fetch_first, fetch_values, insert_row
from bot.storage.tables import consents, loras, photos, trainings

TAKEN_BACK = "taken back"
"""Timeline word of a training: somebody in its photos said no while it was trained."""


async def retire_if_taken_back(connection: AsyncConnection, event: Event, lora: Lora, *, now: datetime) -> bool:
    """Whether the LoRA is retired now because somebody took their photos back while it was trained."""
    if not await is_noted(connection, event.id, lora.training_id):
        return False
    return await retire_and_announce(connection, event, lora, now)


async def retire_and_announce(
    connection: AsyncConnection,
    event: Event,
    lora: Lora,
    now: datetime,
    *,
    why: RemovalReason = RemovalReason.TAKEN_BACK,
    user_id: int = NOBODY,
) -> bool:
    """Nobody may use the LoRA from now on, and it is to go at its provider; `user_id` gets the receipt."""
    if not await lora_rows.retire(connection, lora, why, user_id=user_id, now=now):
        return False
    detail = json.dumps({"lora_id": lora.id})
    once, known_as = f"taken_back:{lora.id}", f"taken_back:{lora.known_as}"
    await events.announce(
        connection, event, AnnouncementKind.TAKEN_BACK, once=once, detail=detail, now=now, known_as=known_as
    )
    return True


@dataclass(frozen=True, slots=True)
class SubmittedPhotos:
    """What one submission went to, and the hashes of its photos."""

    dataset_id: int
    photo_hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GivenToOthers:
    """One yes. `dataset_id`: None when an order of pictures starts from the photos."""

    id: int
    dataset_id: int | None
    photo_hashes: tuple[str, ...]


async def insert(connection: AsyncConnection, **values: Any) -> int:
    return await insert_row(connection, depictions, status=DepictionStatus.PENDING, **values)


async def get(connection: AsyncConnection, depiction_id: int) -> Depiction | None:
    return await fetch_first(connection, Depiction, sa.select(depictions).where(depictions.c.id == depiction_id))


async def of_member(connection: AsyncConnection, event_id: int, user_id: int) -> list[Depiction]:
    """Where this member was named, newest first."""
    return await _find(connection, depictions.c.event_id == event_id, depictions.c.user_id == user_id)


async def of_member_in_guild(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Depiction]:
    return await _find(connection, depictions.c.guild_id == guild_id, depictions.c.user_id == user_id)


async def named_by(connection: AsyncConnection, event_id: int, user_id: int) -> list[Depiction]:
    """Whom this member named, newest first."""
    return await _find(connection, depictions.c.event_id == event_id, depictions.c.named_by == user_id)


async def of_dataset(connection: AsyncConnection, dataset_id: int) -> list[Depiction]:
    """Who was named as seen in photos of this dataset, which is not one of an event; newest first."""
    return await _find(connection, depictions.c.dataset_id == dataset_id)


async def mark_dataset(connection: AsyncConnection, dataset_id: int) -> None:
    """A LoRA is trained on those photos here whose named members have said yes."""
    confirmed = sa.and_(depictions.c.dataset_id == dataset_id, depictions.c.status == DepictionStatus.CONFIRMED)
    here = depictions.c.consent_id.in_(_submissions_here(dataset_id))
    await connection.execute(sa.update(depictions).where(confirmed, here).values(in_training=True))


async def pending_submissions(connection: AsyncConnection, event_id: int) -> frozenset[int]:
    """Consent ids of the submissions that wait for somebody's answer."""
    pending = sa.and_(depictions.c.event_id == event_id, depictions.c.status == DepictionStatus.PENDING)
    return frozenset(await fetch_values(connection, sa.select(depictions.c.consent_id).where(pending)))


async def change(connection: AsyncConnection, depiction_id: int, **values: Any) -> None:
    await connection.execute(sa.update(depictions).where(depictions.c.id == depiction_id).values(**values))


async def mark_in_training(connection: AsyncConnection, event_id: int, consent_ids: Collection[int]) -> None:
    """A LoRA is trained on what these submissions still hold."""
    these = sa.update(depictions).where(depictions.c.event_id == event_id, depictions.c.consent_id.in_(consent_ids))
    confirmed = these.where(depictions.c.status == DepictionStatus.CONFIRMED)
    await connection.execute(confirmed.values(in_training=True))


async def forget_pending(
    connection: AsyncConnection, event_id: int, consent_ids: Collection[int] | None = None
) -> None:
    """There is nothing left to answer in these submissions (None: in the whole event)."""
    condition = sa.and_(depictions.c.event_id == event_id, depictions.c.status == DepictionStatus.PENDING)
    if consent_ids is not None:
        condition &= depictions.c.consent_id.in_(consent_ids)
    await _forget(connection, condition)


async def forget_unanswered(connection: AsyncConnection, consent_ids: Collection[int]) -> None:
    """The photos of these submissions are gone, so there is nothing left to answer."""
    pending = depictions.c.status == DepictionStatus.PENDING
    await _forget(connection, sa.and_(pending, depictions.c.consent_id.in_(consent_ids)))


async def forget_photoless(connection: AsyncConnection, dataset_id: int) -> None:
    """The same for those submissions of this dataset that have no photos on our disk any more."""
    pending = sa.and_(depictions.c.dataset_id == dataset_id, depictions.c.status == DepictionStatus.PENDING)
    await _forget(connection, sa.and_(pending, depictions.c.consent_id.not_in(_submissions_here(dataset_id))))


async def forget_named_in_datasets(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    """The member's datasets are erased, so whom they named there is asked nothing any more."""
    named = sa.and_(depictions.c.guild_id == guild_id, depictions.c.named_by == user_id)
    await _forget(connection, sa.and_(named, depictions.c.event_id.is_(None)))


async def forget_named_by(connection: AsyncConnection, event_id: int, user_id: int) -> None:
    """The member took their photos back, so whom they named is asked nothing any more."""
    await _forget(connection, sa.and_(depictions.c.event_id == event_id, depictions.c.named_by == user_id))


async def submission(connection: AsyncConnection, consent_id: int) -> SubmittedPhotos | None:
    return await fetch_first(connection, SubmittedPhotos, sa.select(consents).where(consents.c.id == consent_id))


async def withdraw_consents(connection: AsyncConnection, consent_ids: Collection[int], *, now: datetime) -> None:
    standing = sa.update(consents).where(consents.c.id.in_(consent_ids), consents.c.withdrawn_at.is_(None))
    await connection.execute(standing.values(withdrawn_at=now))


async def withdraw_all(connection: AsyncConnection, event_id: int, user_id: int, *, now: datetime) -> None:
    """Everything the member had agreed to by giving photos."""
    own = sa.update(consents).where(consents.c.event_id == event_id, consents.c.user_id == user_id)
    standing = own.where(consents.c.kind == ConsentKind.PHOTOS, consents.c.withdrawn_at.is_(None))
    await connection.execute(standing.values(withdrawn_at=now))


async def confirmations(connection: AsyncConnection, dataset_id: int, user_id: int, hashes: Sequence[str]) -> list[int]:
    """Consent ids with which the member agreed to be seen in exactly these photos."""
    own = sa.select(consents.c.id, consents.c.photo_hashes).where(consents.c.dataset_id == dataset_id)
    depicted = own.where(consents.c.user_id == user_id, consents.c.kind == ConsentKind.DEPICTED)
    rows = await connection.execute(depicted)
    return [row.id for row in rows if row.photo_hashes == tuple(hashes)]


async def given_to_others(connection: AsyncConnection, guild_id: int, user_id: int) -> list[GivenToOthers]:
    """Each yes of the member to others' use of photos that they took, or, outside of events, that show them."""
    is_depicted = sa.and_(consents.c.kind == ConsentKind.DEPICTED, consents.c.event_id.is_(None))
    own = sa.select(consents).where(
        consents.c.guild_id == guild_id,
        consents.c.user_id == user_id,
        sa.or_(consents.c.kind == ConsentKind.AUTHOR, is_depicted),
        consents.c.withdrawn_at.is_(None),
    )
    return await fetch_all(connection, GivenToOthers, own)


async def entered_by(connection: AsyncConnection, guild_id: int, user_id: int) -> list[int]:
    """Events the member ever took part in."""
    own = sa.select(entrants.c.event_id).where(entrants.c.guild_id == guild_id, entrants.c.user_id == user_id)
    return await fetch_values(connection, own)


async def leave_ballot(connection: AsyncConnection, event_id: int, user_id: int) -> None:
    """The member's own entry, with the votes for it, and their own votes."""
    await connection.execute(sa.delete(entries).where(entries.c.event_id == event_id, entries.c.user_id == user_id))
    for cast in (votes, runoff_votes):
        await connection.execute(sa.delete(cast).where(cast.c.event_id == event_id, cast.c.voter_id == user_id))


async def loras_of_dataset(connection: AsyncConnection, dataset_id: int) -> list[Lora]:
    return await _trained(connection, loras.c.dataset_id == dataset_id)


async def note_for_later(
    connection: AsyncConnection, event: Event, training: Training, *, user_id: int, now: datetime
) -> None:
    """Somebody took photos back while this training had them: its LoRA is to be retired as soon as it is there.

    It is kept among the event's announcements and never posted; members' own rows may be erased before that.
    """
    await removals.of_training(connection, training, RemovalReason.TAKEN_BACK, user_id=user_id, now=now)
    if not await is_noted(connection, event.id, training.id):
        once, detail = _while_training(training.id), json.dumps({"training_id": training.id})
        await insert_row(
            connection,
            announcements,
            event_id=event.id,
            guild_id=event.guild_id,
            what=AnnouncementKind.TAKEN_BACK,
            once=once,
            detail=detail,
            at=now,
        )


async def is_noted(connection: AsyncConnection, event_id: int, training_id: int) -> bool:
    return await events.was_announced(connection, event_id, _while_training(training_id))


async def note_in_training(connection: AsyncConnection, training: Training, *, user_id: int, now: datetime) -> None:
    """The same for a training without an event: it is kept with the training's timeline."""
    await removals.of_training(connection, training, RemovalReason.TAKEN_BACK, user_id=user_id, now=now)
    await timeline.add(connection, SubjectTable.TRAINING, training.id, TAKEN_BACK, at=now)


async def is_taken_back(connection: AsyncConnection, training_id: int) -> bool:
    entries = await timeline.of(connection, SubjectTable.TRAINING, training_id)
    return any(entry.what == TAKEN_BACK for entry in entries)


async def take_photos_out(connection: AsyncConnection, training_id: int, *, left: int) -> None:
    """A queued training goes on with the photos that are left."""
    queued = sa.update(trainings).where(trainings.c.id == training_id, trainings.c.status == TrainingStatus.QUEUED)
    await connection.execute(queued.values(photo_count=left))


async def loras_of_event(connection: AsyncConnection, event_id: int) -> list[Lora]:
    """Those trained for it, oldest first."""
    return await _trained(connection, loras.c.event_id == event_id)


async def _trained(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> list[Lora]:
    """Also when their trainings are erased."""
    return await fetch_all(connection, Lora, sa.select(loras).where(condition).order_by(loras.c.id))


def _while_training(training_id: int) -> str:
    return f"taken_back:training:{training_id}"


async def _find(connection: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[Depiction]:
    return await fetch_all(
        connection, Depiction, sa.select(depictions).where(*conditions).order_by(depictions.c.id.desc())
    )


async def _forget(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> None:
    """Messages that asked are edited, which takes the photos out of them; those not sent yet are not sent."""
    forgotten = await fetch_all(connection, Depiction, sa.delete(depictions).where(condition).returning(*depictions.c))
    await questions.withdraw(connection, PostKind.DEPICTION, [each.id for each in forgotten])
    for each in forgotten:
        await posts.renew(connection, PostKind.DEPICTION, each.id, due_at=each.created_at)


def _submissions_here(dataset_id: int) -> sa.Select[Any]:
    """Consent ids of a dataset's photos on our disk."""
    here = sa.select(photos.c.consent_id).where(photos.c.dataset_id == dataset_id, photos.c.file.is_not(None))
    return here.where(photos.c.consent_id.is_not(None))
