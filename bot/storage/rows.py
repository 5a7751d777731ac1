"""Rows as records: a record's fields are the columns of the same names, which give the right types already."""

import operator
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


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
