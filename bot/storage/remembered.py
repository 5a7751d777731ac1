"""SQL of what each member used for pictures last."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Remembered
from bot.storage.rows import fetch_first
from bot.storage.tables import remembered


def _of(guild_id: int, user_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(remembered.c.guild_id == guild_id, remembered.c.user_id == user_id)


async def get(connection: AsyncConnection, guild_id: int, user_id: int) -> Remembered | None:
    return await fetch_first(connection, Remembered, sa.select(remembered).where(_of(guild_id, user_id)))


async def put(connection: AsyncConnection, guild_id: int, user_id: int, what: Remembered, *, now: datetime) -> None:
    await forget(connection, guild_id, user_id)
    await connection.execute(
        sa.insert(remembered).values(
            guild_id=guild_id,
            user_id=user_id,
            lora_id=what.lora_id,
            style_id=what.style_id,
            settings=what.settings,
            used_at=now,
        )
    )


async def forget(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    result = await connection.execute(sa.delete(remembered).where(_of(guild_id, user_id)))
    return result.rowcount == 1
