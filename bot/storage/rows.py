"""Rows as records: a record's fields are the columns of the same names, which give the right types already."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.changes import note_new
from bot.storage.database import note_due

T = TypeVar("T")

Parameters = Mapping[str, Any]

LOOKS_EVERY = timedelta(seconds=30)
"""Every lane looks at its rows at least this often by itself: what is due later need not wake it."""


@cache
def _values(record: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    return operator.itemgetter(*(field.name for field in fields(record)))


def build(record: type[T], row: sa.Row[Any]) -> T:
    """The row as this dataclass. KeyError when the row has no column for one of its fields."""
    return record(*_values(record)(row._asdict()))  # type: ignore[arg-type] # to mypy a type[T] is no key of a cache


async def fetch_first(connection: AsyncConnection, record: type[T], statement: sa.Executable) -> T | None:
    """The first row that the statement gives, None without any."""
    row = (await connection.execute(statement)).first()
    return None if row is None else build(record, row)


async def fetch_all(
    connection: AsyncConnection, record: type[T], statement: sa.Executable, parameters: Parameters | None = None
) -> list[T]:
    """`parameters` of a statement that was made once."""
    return [build(record, row) for row in await connection.execute(statement, parameters)]


async def fetch_values(connection: AsyncConnection, statement: sa.Executable) -> list[Any]:
    """The first column of all rows, without empty values."""
    return [value for value in (await connection.execute(statement)).scalars() if value is not None]


async def has_row(connection: AsyncConnection, statement: sa.Select[Any]) -> bool:
    return (await connection.execute(statement)).first() is not None


async def count_rows(connection: AsyncConnection, table: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> int:
    statement = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return int((await connection.execute(statement)).scalar_one())


async def count_by(
    connection: AsyncConnection, column: sa.Column[T], *conditions: sa.ColumnElement[bool]
) -> dict[T, int]:
    """How many rows have each value of this column."""
    statement = sa.select(column, sa.func.count()).where(*conditions).group_by(column)
    return dict((await connection.execute(statement)).all())


async def changes_row(connection: AsyncConnection, statement: sa.UpdateBase) -> bool:
    """Run a compare-and-set; False when no row was (any more) as its conditions say."""
    return (await connection.execute(statement)).rowcount == 1


async def insert_row(connection: AsyncConnection, table: sa.Table, **values: Any) -> int:
    """Store a row; its id."""
    return int((await _insert(connection, table, values, table.c.id)).id)


async def insert_record(connection: AsyncConnection, record: type[T], table: sa.Table, **values: Any) -> T:
    """Store a row; it with its id and all defaults."""
    return build(record, await _insert(connection, table, values, *table.c))


async def _insert(
    connection: AsyncConnection, table: sa.Table, values: Mapping[str, Any], *returned: sa.Column[Any]
) -> sa.Row[Any]:
    row = (await connection.execute(sa.insert(table).values(**values).returning(*returned))).one()
    if "status" in values:
        note_new(connection, table, SimpleNamespace(**{**values, "id": row.id}), values["status"])
    if _is_due_soon(values):
        note_due(connection, table)
    return row


def _is_due_soon(values: Mapping[str, Any]) -> bool:
    due_at, created_at = values.get("due_at"), values.get("created_at")
    return due_at is not None and (created_at is None or due_at < created_at + LOOKS_EVERY)


def columns_of(record: Any) -> dict[str, Any]:
    """A record as the columns of its row, without the id that it gets when it is stored."""
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name != "id"}


async def drop_files(connection: AsyncConnection, table: sa.Table, condition: sa.ColumnElement[bool]) -> list[str]:
    """Record that the files of these rows have left the disk; their spool names, for the caller to free."""
    kept = sa.and_(condition, table.c.file.is_not(None))
    files = await fetch_values(connection, sa.select(table.c.file).where(kept))
    await connection.execute(sa.update(table).where(kept).values(file=None))
    return files
