"""Due rows: claiming them under a lease, and storing the result of a step by compare-and-set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import DarkroomError
from bot.storage.changes import note_step
from bot.storage.database import Database, note_due
from bot.storage.rows import build, changes_row, has_row

T = TypeVar("T")

LOOKED_AT = 64
"""Rows looked at: more than one process works on at once, so that a free one is among them."""


class LeaseLost(DarkroomError):
    """Somebody else owns the row now, or its status has changed; nothing of this step is stored."""


@dataclass(frozen=True, slots=True)
class Claim(Generic[T]):
    """A due row that one worker has claimed. `wakes` counts the hints it had received by then."""

    row: T
    id: int
    owner: str
    status: str
    wakes: int
    due_at: datetime


Pauses = Sequence[tuple[sa.ColumnElement[bool], timedelta]]
"""The longest pause between two steps of the rows that a condition describes."""


class DueRows(Generic[T]):
    """The jobs of one table, as this record. `wake` is set when a row of it has been made due.

    Rows that no condition of `pauses` describes wait for a time of day; those that `deletions` describes, for the time
    at which something of them is deleted.
    """

    def __init__(
        self,
        database: Database,
        table: sa.Table,
        record: type[T],
        pauses: Pauses = (),
        deletions: sa.ColumnElement[bool] | None = None,
    ) -> None:
        self._database = database
        self._table = table
        self._record = record
        self._pauses = pauses
        self._deletions = sa.false() if deletions is None else deletions
        self.wake = database.wakeups.event(table.name)

    async def next_due(self, *, is_settled: bool = True) -> datetime | None:
        """When the next row can be claimed (a leased row: when its lease ends); None when nothing waits.

        Deletions wait until the clock `is_settled`.
        """
        columns = self._table.c
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(columns.due_at, columns.lease_until)
                .where(columns.due_at.is_not(None), self._is_in_time(is_settled=is_settled))
                .order_by(columns.due_at)
                .limit(LOOKED_AT)
            )
            return min((max(row.due_at, row.lease_until or row.due_at) for row in rows), default=None)

    async def claim(
        self, *, owner: str, now: datetime, until: datetime, limit: int, is_settled: bool = True
    ) -> list[Claim[T]]:
        columns = self._table.c

        async def transaction(connection: AsyncConnection) -> list[Claim[T]]:
            due = (
                sa.select(columns.id)
                .where(
                    columns.due_at <= now,
                    sa.or_(columns.lease_until.is_(None), columns.lease_until <= now),
                    self._is_in_time(is_settled=is_settled),
                )
                .order_by(columns.due_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = await connection.execute(
                sa.update(self._table)
                .where(columns.id.in_(due.scalar_subquery()))
                .values(lease_owner=owner, lease_until=until)
                .returning(*columns)
            )
            return [
                Claim(build(self._record, row), row.id, owner, row.status, row.wakes, row.due_at)
                for row in sorted(rows, key=lambda row: row.due_at)
            ]

        return await self._database.write(transaction)

    def _is_in_time(self, *, is_settled: bool) -> sa.ColumnElement[bool]:
        return sa.true() if is_settled else sa.not_(self._deletions)

    async def renew(self, claims: Iterable[Claim[T]], *, until: datetime) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            for claim in claims:
                owned = sa.update(self._table).where(_is_owned(claim, self._table))
                await connection.execute(owned.values(lease_until=until))

        await self._database.write(transaction)

    async def holds(self, claim: Claim[T], *, now: datetime) -> bool:
        """Whether the claim's lease is still valid; asked just before every paid call."""
        async with self._database.read() as connection:
            is_valid = sa.and_(_is_owned(claim, self._table), self._table.c.lease_until > now)
            return await has_row(connection, sa.select(self._table.c.id).where(is_valid))

    async def postpone(self, claim: Claim[T], *, due_at: datetime) -> None:
        """Give the row back, due at a later time, and count one more attempt."""

        async def transaction(connection: AsyncConnection) -> None:
            note_due(connection, self._table)
            await connection.execute(
                sa.update(self._table)
                .where(_is_owned(claim, self._table))
                .values(due_at=due_at, attempt=self._table.c.attempt + 1, lease_owner=None, lease_until=None)
            )

        await self._database.write(transaction)

    async def pull_in(self, *, now: datetime) -> None:
        """Make rows due that lie further ahead than their pause: the clock has gone back since they were given it."""

        async def transaction(connection: AsyncConnection) -> None:
            for is_pausing, pause in self._pauses:
                await make_due(connection, self._table, is_pausing, self._table.c.due_at > now + pause, at=now)

        if self._pauses:
            await self._database.write(transaction)

    async def release_all(self) -> None:
        """Take every lease back. Only when no other process can be alive: at start, under the database's lock."""

        async def transaction(connection: AsyncConnection) -> None:
            leased = sa.update(self._table).where(self._table.c.lease_owner.is_not(None))
            await connection.execute(leased.values(lease_owner=None, lease_until=None))

        await self._database.write(transaction)


async def store(
    connection: AsyncConnection, table: sa.Table, claim: Claim[Any], *, due_at: datetime | None, **values: Any
) -> None:
    """Store a step's outcome and give the row back. LeaseLost when the claim is no longer valid.

    A hint that came in while the step ran makes the row due at once again.
    """
    columns = table.c
    due: Any = due_at
    if due_at is not None:
        due = sa.case((columns.wakes != claim.wakes, sa.literal(claim.due_at, columns.due_at.type)), else_=due_at)
    unmoved = sa.and_(_is_owned(claim, table), columns.status == claim.status)
    given_back = sa.update(table).where(unmoved).values(due_at=due, lease_owner=None, lease_until=None, **values)
    if not await changes_row(connection, given_back):
        raise LeaseLost
    note_step(connection, table, claim.row, claim.status, values)
    note_due(connection, table)


async def mark(connection: AsyncConnection, table: sa.Table, claim: Claim[Any], **values: Any) -> None:
    """Store an intermediate state (or nothing) and keep the lease. LeaseLost when the claim is no longer valid."""
    unmoved = sa.and_(_is_owned(claim, table), table.c.status == claim.status)
    if not await changes_row(connection, sa.update(table).where(unmoved).values(lease_owner=claim.owner, **values)):
        raise LeaseLost
    note_step(connection, table, claim.row, claim.status, values)


async def wake(connection: AsyncConnection, table: sa.Table, row_id: int, *, now: datetime) -> None:
    """Make a row due now; if somebody works on it right now, it becomes due again right afterwards."""
    await make_due(connection, table, table.c.id == row_id, table.c.due_at.is_not(None), at=now)


async def make_due(
    connection: AsyncConnection, table: sa.Table, *conditions: sa.ColumnElement[bool], at: datetime, **values: Any
) -> None:
    """Make these rows due; those that somebody works on right now become due again right afterwards."""
    note_due(connection, table)
    await connection.execute(sa.update(table).where(*conditions).values(due_at=at, wakes=table.c.wakes + 1, **values))


def _is_owned(claim: Claim[Any], table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.id == claim.id, table.c.lease_owner == claim.owner)
