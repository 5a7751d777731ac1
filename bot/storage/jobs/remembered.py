"""SQL of what each member used for pictures last."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Remembered
from bot.storage.rows import changes_row, columns_of, fetch_first, insert_row
from bot.storage.tables import remembered


def _of(guild_id: int, user_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(remembered.c.guild_id == guild_id, remembered.c.user_id == user_id)


async def get(connection: AsyncConnection, guild_id: int, user_id: int) -> Remembered | None:
    return await fetch_first(connection, Remembered, sa.select(remembered).where(_of(guild_id, user_id)))


async def used_at(connection: AsyncConnection, guild_id: int, user_id: int) -> datetime | None:
    """When that was."""
    statement = sa.select(remembered.c.used_at).where(_of(guild_id, user_id))
    return (await connection.execute(statement)).scalar_one_or_none()


async def put(connection: AsyncConnection, guild_id: int, user_id: int, what: Remembered, *, now: datetime) -> None:
    await forget(connection, guild_id, user_id)
    await insert_row(connection, remembered, guild_id=guild_id, user_id=user_id, used_at=now, **columns_of(what))


async def forget(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    return await changes_row(connection, sa.delete(remembered).where(_of(guild_id, user_id)))
