"""SQL of slots: how many jobs of one team a provider has at once, and who waits for one here.

A queued job holds a slot while it is due at some time; without a time it waits for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import GenerationStatus
from bot.records.training import TrainingStatus
from bot.storage.database import note_due
from bot.storage.money.keys import of_same_account
from bot.storage.rows import count_rows
from bot.storage.tables import api_keys, generations, trainings

_KEY_ID = sa.bindparam("key_id", type_=sa.BigInteger)
"""The statements that are asked before every upload and every order are made once for each queue."""
USABLE = sa.and_(api_keys.c.paused_at.is_(None), api_keys.c.retired_at.is_(None))


@dataclass(frozen=True, slots=True)
class Waiting:
    job_id: int
    guild_id: int
    user_id: int


@dataclass(frozen=True, slots=True, eq=False)
class SlotQueue:
    """Jobs of one kind. The provider has those that are `in_flight`."""

    table: sa.Table
    in_flight: tuple[str, ...]

    @property
    def columns(self) -> Any:
        return self.table.c

    def of_team(self, key_id: int | sa.BindParameter[int]) -> sa.ColumnElement[bool]:
        """Jobs under this key or another one of the same team, of whatever server."""
        is_of_team: sa.ColumnElement[bool] = self.columns.key_id.in_(of_same_account(key_id))
        return is_of_team

    @property
    def is_queued(self) -> sa.ColumnElement[bool]:
        queued: sa.ColumnElement[bool] = self.columns.status == "queued"
        return queued


TRAININGS = SlotQueue(trainings, tuple(status for status in TrainingStatus if status.is_in_flight))
PICTURES = SlotQueue(
    generations,
    tuple(status for status in GenerationStatus if not status.is_terminal and status is not GenerationStatus.QUEUED),
)


async def holding(connection: AsyncConnection, queue: SlotQueue, key_id: int) -> dict[tuple[int, int], int]:
    """How many slots of the key's team each (server, member) holds: in flight, or queued and let through."""
    rows = await connection.execute(_holding(queue), {"key_id": key_id})
    return {(guild_id, user_id): number for guild_id, user_id, number in rows}


@cache
def _holding(queue: SlotQueue) -> sa.Select[Any]:
    columns = queue.columns
    let_through = sa.and_(queue.is_queued, columns.due_at.is_not(None))
    holds = sa.or_(columns.status.in_(queue.in_flight), let_through)
    counted = sa.select(columns.guild_id, columns.user_id, sa.func.count())
    return counted.where(queue.of_team(_KEY_ID), holds).group_by(columns.guild_id, columns.user_id)


async def waiting(connection: AsyncConnection, queue: SlotQueue, key_id: int) -> list[Waiting]:
    """The team's queued jobs that no slot has been found for, under keys that can be used; oldest first."""
    return [Waiting(*row) for row in await connection.execute(_waiting(queue), {"key_id": key_id})]


@cache
def _waiting(queue: SlotQueue) -> sa.Select[Any]:
    columns = queue.columns
    mine = sa.select(columns.id, columns.guild_id, columns.user_id).join(api_keys, api_keys.c.id == columns.key_id)
    free = mine.where(queue.of_team(_KEY_ID), queue.is_queued, columns.due_at.is_(None), USABLE)
    return free.order_by(columns.id)


async def assign(connection: AsyncConnection, queue: SlotQueue, job_ids: Sequence[int], *, now: datetime) -> None:
    note_due(connection, queue.table)
    await connection.execute(sa.update(queue.table).where(queue.columns.id.in_(job_ids)).values(due_at=now))


async def count_in_flight(connection: AsyncConnection, queue: SlotQueue, key_id: int) -> int:
    """How many of the team's jobs the provider has."""
    return await count_rows(connection, queue.table, queue.of_team(key_id), queue.columns.status.in_(queue.in_flight))


async def take_back(connection: AsyncConnection, queue: SlotQueue, key_id: int, *, except_id: int) -> None:
    """Queued jobs of the team that nobody works on wait again, but for the one that tries."""
    columns = queue.columns
    let_through = sa.and_(queue.is_queued, columns.due_at.is_not(None), columns.lease_owner.is_(None))
    others = sa.update(queue.table).where(queue.of_team(key_id), let_through, columns.id != except_id)
    await connection.execute(others.values(due_at=None))
