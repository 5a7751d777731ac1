"""A member's id inside texts and JSON: what others wrote of them, lists that they were in. It is taken out of all."""

import json
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import NOBODY
from bot.records.job import SubjectTable
from bot.records.post import PostKind
from bot.storage import tables as t
from bot.storage.columns import Json


def wordy_columns(table: sa.Table) -> Iterator[sa.Column[Any]]:
    """Those that hold text or JSON, which may name anybody."""
    yield from (column for column in table.c if isinstance(column.type, sa.String | Json))


async def take_out(connection: AsyncConnection, table: sa.Table, guild_id: int, user_id: int) -> None:
    """Put NOBODY in place of the member in every text and JSON of this table's rows of the guild.

    A receipt on its way keeps its address.
    """
    scope = _of_guild(table, guild_id)
    if table is t.posts:
        scope = sa.and_(scope, t.posts.c.kind != PostKind.RECEIPT)
    for column in wordy_columns(table):
        text = sa.cast(column, sa.Text)
        found = sa.select(table.c.id, text).where(scope, text.like(f"%{user_id}%"))
        for row_id, kept in (await connection.execute(found)).all():
            is_json = isinstance(column.type, Json)
            value = _without(json.loads(kept), user_id) if is_json else _without_in_text(kept, user_id)
            changed = sa.literal(value, sa.JSON) if is_json else value
            await connection.execute(sa.update(table).where(table.c.id == row_id).values({column.name: changed}))


def _of_guild(table: sa.Table, guild_id: int) -> sa.ColumnElement[bool]:
    """The rows of this table that belong to the guild, by themselves or by what they are about."""

    def ids(parent: sa.Table) -> sa.Select[tuple[int]]:
        return sa.select(parent.c.id).where(parent.c.guild_id == guild_id)

    if "guild_id" in table.c:
        return table.c.guild_id == guild_id
    if table is t.timeline:
        subjects = ((SubjectTable.TRAINING, t.trainings), (SubjectTable.GENERATION, t.generations))
        about = ((table.c.subject_table == word, table.c.subject_id.in_(ids(parent))) for word, parent in subjects)
        return sa.or_(*(sa.and_(*each) for each in about))
    (key,) = table.foreign_keys
    return key.parent.in_(ids(key.column.table))


def _without_in_text(text: str, user_id: int) -> str:
    if text.startswith("{"):
        try:
            return json.dumps(_without(json.loads(text), user_id))
        except json.JSONDecodeError:
            pass
    return _replaced(text, user_id)


def _without(value: Any, user_id: int) -> Any:
    """A list of ids loses the member's; anywhere else NOBODY stands for it."""
    match value:
        case str():
            return _replaced(value, user_id)
        case dict():
            return {_replaced(key, user_id): _without(each, user_id) for key, each in value.items()}
        case list():
            is_of_ids = all(isinstance(each, int) for each in value)
            return [_without(each, user_id) for each in value if not (is_of_ids and each == user_id)]
        case int() if value == user_id:
            return NOBODY
    return value


def _replaced(text: str, user_id: int) -> str:
    """A longer number, or a checksum, that holds the same digits stays as it is."""
    return re.sub(rf"(?<![0-9A-Za-z]){user_id}(?![0-9A-Za-z])", str(NOBODY), text)
