"""SQL of trainings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ProviderName
from bot.records.training import Training, TrainingStatus
from bot.storage.database import note_due
from bot.storage.rows import build, fetch_first
from bot.storage.tables import api_keys, trainings

IN_FLIGHT = [status for status in TrainingStatus if status.is_in_flight]


async def insert(connection: AsyncConnection, **values: Any) -> int:
    note_due(connection, trainings)
    result = await connection.execute(
        sa.insert(trainings).values(status=TrainingStatus.QUEUED, **values).returning(trainings.c.id)
    )
    return int(result.scalar_one())


async def get(connection: AsyncConnection, training_id: int) -> Training | None:
    return await fetch_first(connection, Training, sa.select(trainings).where(trainings.c.id == training_id))


async def by_webhook_token(connection: AsyncConnection, token: str) -> Training | None:
    return await fetch_first(connection, Training, sa.select(trainings).where(trainings.c.webhook_token == token))


async def of_member(connection: AsyncConnection, guild_id: int, user_id: int, limit: int) -> list[Training]:
    rows = await connection.execute(
        sa.select(trainings)
        .where(trainings.c.guild_id == guild_id, trainings.c.user_id == user_id)
        .order_by(trainings.c.id.desc())
        .limit(limit)
    )
    return [build(Training, row) for row in rows]


async def latest_of_dataset(connection: AsyncConnection, dataset_id: int) -> Training | None:
    return await fetch_first(
        connection,
        Training,
        sa.select(trainings).where(trainings.c.dataset_id == dataset_id).order_by(trainings.c.id.desc()).limit(1),
    )


async def holding_slots(connection: AsyncConnection, key_id: int) -> dict[int, int]:
    """How many trainings of each member hold a slot of this key: in flight, or queued and already let through."""
    rows = await connection.execute(
        sa.select(trainings.c.user_id, sa.func.count().label("held"))
        .where(
            trainings.c.key_id == key_id,
            sa.or_(
                trainings.c.status.in_(IN_FLIGHT),
                sa.and_(trainings.c.status == TrainingStatus.QUEUED, trainings.c.due_at.is_not(None)),
            ),
        )
        .group_by(trainings.c.user_id)
    )
    return {row.user_id: row.held for row in rows}


async def waiting(connection: AsyncConnection, key_id: int) -> list[tuple[int, int]]:
    """(id, user id) of the queued trainings that no slot has been found for, oldest first."""
    rows = await connection.execute(
        sa.select(trainings.c.id, trainings.c.user_id)
        .where(
            trainings.c.key_id == key_id,
            trainings.c.status == TrainingStatus.QUEUED,
            trainings.c.due_at.is_(None),
        )
        .order_by(trainings.c.id)
    )
    return [(row.id, row.user_id) for row in rows]


async def assign_slots(connection: AsyncConnection, training_ids: Sequence[int], *, now: datetime) -> None:
    note_due(connection, trainings)
    await connection.execute(sa.update(trainings).where(trainings.c.id.in_(training_ids)).values(due_at=now))


async def wake_queued(connection: AsyncConnection, training_id: int, *, now: datetime) -> None:
    """A queued training's photos have left the disk: let the next step find that out now."""
    note_due(connection, trainings)
    await connection.execute(
        sa.update(trainings)
        .where(trainings.c.id == training_id, trainings.c.status == TrainingStatus.QUEUED)
        .values(due_at=now, wakes=trainings.c.wakes + 1)
    )


async def wake_queued_in_guild(connection: AsyncConnection, guild_id: int, *, now: datetime) -> None:
    """The same for every queued training of a guild."""
    note_due(connection, trainings)
    await connection.execute(
        sa.update(trainings)
        .where(trainings.c.guild_id == guild_id, trainings.c.status == TrainingStatus.QUEUED)
        .values(due_at=now, wakes=trainings.c.wakes + 1)
    )


async def suspend_queued(connection: AsyncConnection, key_id: int) -> None:
    """Queued trainings of a paused key wait until the key works again."""
    await connection.execute(
        sa.update(trainings)
        .where(
            trainings.c.key_id == key_id,
            trainings.c.status == TrainingStatus.QUEUED,
            trainings.c.lease_owner.is_(None),
        )
        .values(due_at=None)
    )


async def move_queued(connection: AsyncConnection, *, guild_id: int, provider: ProviderName, key_id: int) -> None:
    """Nothing was sent for queued trainings yet, so they may use the guild's new key."""
    await connection.execute(
        sa.update(trainings)
        .where(
            trainings.c.guild_id == guild_id,
            trainings.c.provider == provider,
            trainings.c.status == TrainingStatus.QUEUED,
        )
        .values(key_id=key_id)
    )


async def not_yet_charged(connection: AsyncConnection, key_id: int) -> int:
    """Trainings on this key whose training fee is still to come (Apiframe takes it when training begins)."""
    result = await connection.execute(
        sa.select(sa.func.count())
        .select_from(trainings)
        .where(
            trainings.c.key_id == key_id,
            trainings.c.status.in_([TrainingStatus.SUBMITTING, TrainingStatus.SUBMITTED]),
        )
    )
    return int(result.scalar_one())


async def open_on_key(connection: AsyncConnection, key_id: int) -> int:
    result = await connection.execute(
        sa.select(sa.func.count())
        .select_from(trainings)
        .where(trainings.c.key_id == key_id, trainings.c.status.in_(IN_FLIGHT))
    )
    return int(result.scalar_one())


async def keys_with_waiting(connection: AsyncConnection) -> list[int]:
    """Usable keys for which trainings wait."""
    rows = await connection.execute(
        sa.select(trainings.c.key_id)
        .distinct()
        .join(api_keys, api_keys.c.id == trainings.c.key_id)
        .where(
            trainings.c.status == TrainingStatus.QUEUED,
            trainings.c.due_at.is_(None),
            api_keys.c.paused_at.is_(None),
            api_keys.c.retired_at.is_(None),
        )
    )
    return [row[0] for row in rows]


async def count_by_status(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(
        sa.select(trainings.c.status, sa.func.count().label("total")).group_by(trainings.c.status)
    )
    return {row.status: row.total for row in rows}
