"""SQL that reads what is kept about one member: the rows of the same tables that erasure reaches."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.job import SubjectTable
from bot.storage import question_tables as q
from bot.storage import tables as t
from bot.storage.people import erasure, pseudonyms
from bot.storage.rows import count_rows, fetch_values

PAGE = 200
"""Rows that are in memory at once."""

NAMING: Mapping[sa.Table, tuple[sa.Column[Any], ...]] = {
    **erasure.MEMBER_COLUMNS,
    **erasure.ANONYMISED,
    **erasure.KEPT_FOR_PROOF,
}
"""The columns that name the member whom a row is about."""
UNDER_PSEUDONYM = (*erasure.UNDER_PSEUDONYM, q.questions)
"""Those that name them even after their erasure, in a way that only who knows their id can tell."""
OF_NOBODY = frozenset({*erasure.GUILD_ONLY, *erasure.NAMELESS} - set(NAMING))
"""Their rows are about no member."""


async def guilds_of(connection: AsyncConnection, user_id: int) -> list[int]:
    """Every guild in which a row is about this member; proofs, receipts and what is under their pseudonym count."""
    found: set[int] = set()
    for table, columns in NAMING.items():
        mine = sa.or_(*(column == user_id for column in columns))
        found.update(await fetch_values(connection, sa.select(table.c.guild_id).where(mine).distinct()))
    for table in UNDER_PSEUDONYM:
        for column in NAMING[table]:
            named = (await connection.execute(sa.select(table.c.guild_id, column).where(column < 0).distinct())).all()
            found |= await pseudonyms.guilds_among(connection, user_id, [(guild_id, name) for guild_id, name in named])
    return sorted(found)


async def count_hidden(connection: AsyncConnection, guild_id: int, user_id: int) -> int:
    """How many rows in this guild are under the member's pseudonym."""
    names = (await pseudonyms.ids_of(connection, guild_id, user_id))[1:]
    return sum([await count_rows(connection, table, about(table, guild_id, names)) for table in UNDER_PSEUDONYM])


def tables_about_members() -> list[sa.Table]:
    return [table for table in t.metadata.sorted_tables if table not in OF_NOBODY]


def about(table: sa.Table, guild_id: int, ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """The table's rows about the member in this guild, who goes by these ids: their own and their pseudonym.

    A table that names nobody goes with the rows that its own belong to.
    """
    if table is t.photos:
        given = sa.func.coalesce(t.photos.c.contributor_id, t.datasets.c.user_id).in_(ids)
        return t.photos.c.id.in_(
            sa.select(t.photos.c.id).join(t.datasets).where(t.datasets.c.guild_id == guild_id, given)
        )
    if table is t.timeline:
        subjects = ((SubjectTable.TRAINING, t.trainings), (SubjectTable.GENERATION, t.generations))
        return sa.or_(
            *(
                sa.and_(table.c.subject_table == word, table.c.subject_id.in_(_ids_about(parent, guild_id, ids)))
                for word, parent in subjects
            )
        )
    if table in NAMING:
        return sa.and_(table.c.guild_id == guild_id, sa.or_(*(column.in_(ids) for column in NAMING[table])))
    (key,) = table.foreign_keys
    return key.parent.in_(_ids_about(key.column.table, guild_id, ids))


async def page(
    connection: AsyncConnection, columns: Sequence[sa.Column[Any]], condition: sa.ColumnElement[bool], before: int
) -> list[dict[str, Any]]:
    """The next newest rows whose id is below `before`, at most PAGE; by column name, and with their ids."""
    row_id = columns[0].table.c.id
    statement = sa.select(row_id, *(column for column in columns if column is not row_id))
    newest = statement.where(condition, row_id < before).order_by(row_id.desc()).limit(PAGE)
    return [dict(row) for row in (await connection.execute(newest)).mappings()]


def _ids_about(table: sa.Table, guild_id: int, ids: Sequence[int]) -> sa.Select[tuple[int]]:
    return sa.select(table.c.id).where(about(table, guild_id, ids))
