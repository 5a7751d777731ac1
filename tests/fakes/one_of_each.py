"""A row about a member in every table, made from the tables themselves: a new table is in it by itself."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import GenerationSettings
from bot.records.job import SubjectTable
from bot.storage import tables
from bot.storage.columns import (
    CANDIDATES,
    DOUBT,
    FINDINGS,
    HOURS,
    ID_SET,
    PLACES,
    SETTINGS,
    TUPLE,
    UPLOADS,
    Instant,
    Json,
    Word,
)
from bot.storage.database import Database
from bot.storage.people import own_rows
from tests.fakes.clock import NOON
from tests.fakes.rows import CHANNEL, GUILD

SHORT = 10
"""Characters; a column that holds no more has no room for its name."""
EMPTY: dict[Json[Any], Any] = {
    TUPLE: (),
    ID_SET: frozenset(),
    PLACES: (),
    FINDINGS: (),
    CANDIDATES: (),
    HOURS: {},
    SETTINGS: GenerationSettings(),
    DOUBT: None,
    UPLOADS: (),
}


async def add_one_of_each(
    database: Database, user_id: int, other_id: int, *, tag: str, guild_id: int = GUILD
) -> dict[str, int]:
    """The ids of the rows by table. Every text is `written(tag, column)`; `other_id` is whom they deal with.

    Tags of different lengths make different numbers.
    """
    added: dict[str, int] = {}

    async def transaction(connection: AsyncConnection) -> None:
        for table in sorted(own_rows.tables_about_members(), key=lambda each: each is tables.timeline):
            values = {
                column.name: _value(column, added, user_id, other_id, guild_id, tag)
                for column in table.c
                if column.name not in {"id", "file", "banner", "due_at", "lease_owner", "lease_until"}
            }
            if table is tables.timeline:
                values |= {"subject_table": SubjectTable.TRAINING, "subject_id": added["trainings"]}
            row = await connection.execute(sa.insert(table).values(**values).returning(table.c.id))
            added[table.name] = row.scalar_one()

    await database.write(transaction)
    return added


def written(tag: str, column: sa.Column[Any]) -> str:
    """What stands in a column of text: unlike everything else, and as long as the column allows."""
    most = column.type.length if isinstance(column.type, sa.String) else None
    is_short = most is not None and most < SHORT
    return (f"#{tag}" if is_short else f"{tag} {column.name} {column.table.name}")[:most]


def _value(column: sa.Column[Any], added: dict[str, int], user_id: int, other_id: int, guild_id: int, tag: str) -> Any:
    naming = own_rows.NAMING.get(column.table, ())
    for key in column.foreign_keys:
        return added[key.column.table.name]
    if column.name == "contributor_id" or column in naming:
        return other_id if column in naming[1:] else user_id
    match column.type:
        case Word():
            words: type[StrEnum] = column.type.words
            return next(iter(words))
        case Json():
            return EMPTY[column.type]
        case Instant():
            return NOON
        case sa.LargeBinary():
            return b"sealed"
        case sa.Boolean():
            return False
        case sa.BigInteger():
            return {"guild_id": guild_id, "channel_id": CHANNEL}.get(column.name, len(tag))
        case sa.Integer():
            return len(tag)
        case sa.Float():
            return 0.5
    return written(tag, column)
