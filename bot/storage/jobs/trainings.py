"""SQL of trainings."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ProviderName
from bot.records.training import Training, TrainingStatus
from bot.storage.changes import change_state
from bot.storage.database import note_due
from bot.storage.due import make_due
from bot.storage.money.keys import of_same_account
from bot.storage.rows import count_by, count_rows, fetch_all, fetch_first, insert_row
from bot.storage.tables import datasets, trainings

IN_FLIGHT = [status for status in TrainingStatus if status.is_in_flight]
QUEUED = trainings.c.status == TrainingStatus.QUEUED
LENGTHS = 50
"""Trainings that are looked at for how long the next one will take, the newest."""


async def insert(connection: AsyncConnection, **values: Any) -> int:
    return await insert_row(connection, trainings, status=TrainingStatus.QUEUED, **values)


async def get(connection: AsyncConnection, training_id: int) -> Training | None:
    return await fetch_first(connection, Training, sa.select(trainings).where(trainings.c.id == training_id))


async def by_webhook_token(connection: AsyncConnection, token: str) -> Training | None:
    return await fetch_first(connection, Training, sa.select(trainings).where(trainings.c.webhook_token == token))


async def running_of(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Training]:
    """A member's trainings that have not ended, newest first."""
    mine = sa.select(trainings).where(trainings.c.guild_id == guild_id, trainings.c.user_id == user_id)
    running = mine.where(trainings.c.status.not_in([status for status in TrainingStatus if status.is_terminal]))
    return await fetch_all(connection, Training, running.order_by(trainings.c.id.desc()))


async def latest_of_dataset(connection: AsyncConnection, dataset_id: int) -> Training | None:
    newest = sa.select(trainings).order_by(trainings.c.id.desc()).limit(1)
    return await fetch_first(connection, Training, newest.where(trainings.c.dataset_id == dataset_id))


async def lengths(
    connection: AsyncConnection, provider: ProviderName, guild_id: int | None = None
) -> list[tuple[int, timedelta]]:
    """(steps, time from the order to the LoRA) of the newest finished trainings at a provider, of one server or all."""
    columns = trainings.c
    made = sa.select(datasets.c.steps, columns.submitted_at, columns.finished_at).join(
        datasets, datasets.c.id == columns.dataset_id
    )
    made = made.where(columns.status == TrainingStatus.READY, columns.provider == provider)
    made = made.where(columns.submitted_at.is_not(None), columns.finished_at > columns.submitted_at)
    if guild_id is not None:
        made = made.where(columns.guild_id == guild_id)
    rows = await connection.execute(made.order_by(columns.id.desc()).limit(LENGTHS))
    return [(row.steps, row.finished_at - row.submitted_at) for row in rows]


async def cancel_queued(
    connection: AsyncConnection, training_id: int, *, error: str | None, now: datetime, due_at: datetime
) -> bool:
    """End it while it is queued, whoever works on it: their step is dropped before it would send it. Else False."""
    note_due(connection, trainings)
    queued = sa.update(trainings).where(trainings.c.id == training_id, QUEUED)
    ended = {"status": TrainingStatus.CANCELLED, "error": error, "finished_at": now, "due_at": due_at}
    ended_now = queued.values(lease_owner=None, lease_until=None, **ended)
    return await change_state(connection, ended_now, TrainingStatus.CANCELLED, at=now) == 1


async def wake_queued(connection: AsyncConnection, training_id: int, *, now: datetime) -> None:
    """A queued training's photos have left the disk: let the next step find that out now."""
    await make_due(connection, trainings, trainings.c.id == training_id, QUEUED, at=now)


async def wake_queued_in_guild(connection: AsyncConnection, guild_id: int, *, now: datetime) -> None:
    """The same for every queued training of a guild."""
    await make_due(connection, trainings, trainings.c.guild_id == guild_id, QUEUED, at=now)


async def suspend_queued(connection: AsyncConnection, key_id: int) -> None:
    """Queued trainings of a paused key wait until the key works again."""
    unclaimed = sa.and_(trainings.c.key_id == key_id, QUEUED, trainings.c.lease_owner.is_(None))
    await connection.execute(sa.update(trainings).where(unclaimed).values(due_at=None))


async def move_queued(connection: AsyncConnection, *, guild_id: int, provider: ProviderName, key_id: int) -> None:
    """Nothing was sent for queued trainings yet, so they may use the guild's new key."""
    theirs = sa.and_(trainings.c.guild_id == guild_id, trainings.c.provider == provider, QUEUED)
    await connection.execute(sa.update(trainings).where(theirs).values(key_id=key_id))


async def not_yet_charged(connection: AsyncConnection, key_id: int) -> int:
    """Trainings of this key's team whose training fee is still to come (Apiframe takes it when training begins)."""
    begins = trainings.c.status.in_([TrainingStatus.SUBMITTING, TrainingStatus.SUBMITTED])
    return await count_rows(connection, trainings, trainings.c.key_id.in_(of_same_account(key_id)), begins)


async def open_on_key(connection: AsyncConnection, key_id: int) -> int:
    return await count_rows(connection, trainings, trainings.c.key_id == key_id, trainings.c.status.in_(IN_FLIGHT))


async def count_by_status(connection: AsyncConnection) -> dict[str, int]:
    return await count_by(connection, trainings.c.status)
