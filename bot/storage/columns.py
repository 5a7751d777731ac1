"""Parts of all tables: the naming convention, column types, Discord's ids, and the columns of a job."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from bot.records.dataset import Finding, Upload
from bot.records.doubt import Doubt
from bot.records.event import Candidate, EventStatus
from bot.records.generation import GenerationSettings
from bot.records.guild import Place, PlaceKind

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC time. SQLite has no time zone, so it keeps the UTC wall time there."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(sa.types.TypeDecorator[W]):
    """One of a closed set of words. ValueError when a value or a row has a word that is not in the set."""

    impl = sa.String
    cache_ok = True

    def __init__(self, words: type[W], length: int = 20) -> None:
        super().__init__(length)
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> W | None:
        return None if value is None else self.words(value)


class Json(sa.types.TypeDecorator[T]):
    """A value that is kept as JSON: `dump` gives what is kept, `load` gives the value again."""

    impl = sa.JSON
    cache_ok = True

    def __init__(self, load: Callable[[Any], T], dump: Callable[[T], Any]) -> None:
        super().__init__()
        self.load = load
        self.dump = dump

    def process_bind_param(self, value: T | None, dialect: Dialect) -> Any:
        return None if value is None else self.dump(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:
        return None if value is None else self.load(value)


def _fields(values: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [astuple(value) for value in values]


TUPLE = Json(tuple, list)
ID_SET = Json(frozenset, sorted)
PLACES = Json(lambda kept: tuple(Place(PlaceKind(kind), place_id) for kind, place_id in kept), _fields)
FINDINGS = Json(lambda kept: tuple(Finding(*each) for each in kept), _fields)
UPLOADS = Json(lambda kept: tuple(Upload(*each) for each in kept), _fields)
CANDIDATES = Json(lambda kept: tuple(Candidate(*each) for each in kept), _fields)
DOUBT = Json(
    lambda kept: Doubt(datetime.fromisoformat(kept[0]), kept[1]),
    lambda doubt: [doubt.since.astimezone(UTC).isoformat(), doubt.answers],
)
HOURS = Json(lambda kept: {EventStatus(stage): float(hours) for stage, hours in kept.items()}, dict)
SETTINGS = Json(lambda kept: GenerationSettings(**kept), asdict)


def snowflake(name: str, **kwargs: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, autoincrement=False, nullable=False, **kwargs)


def table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """A table whose first column is an `id` that no other row gets again (https://www.sqlite.org/autoinc.html)."""
    row_id = sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    return sa.Table(name, metadata, row_id, *columns, sqlite_autoincrement=True)


def due() -> tuple[sa.Column[Any], ...]:
    """The columns of a job: when it is due, who works on it until when, and how many hints it has received."""
    return (
        sa.Column("due_at", Instant, index=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.String(40)),
        sa.Column("lease_until", Instant),
        sa.Column("wakes", sa.Integer, nullable=False, server_default="0"),
    )
