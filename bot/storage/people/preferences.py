"""SQL of what each member prefers in a guild."""

from collections.abc import Collection
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.question import Preferences
from bot.storage.question_tables import preferences
from bot.storage.rows import fetch_first, fetch_values, insert_row


async def get(connection: AsyncConnection, guild_id: int, user_id: int) -> Preferences:
    """What was chosen, or the defaults."""
    found = await fetch_first(connection, Preferences, sa.select(preferences).where(_of(guild_id, user_id)))
    return found or Preferences()


async def quiet_among(connection: AsyncConnection, guild_id: int, user_ids: Collection[int]) -> frozenset[int]:
    """Those of these members who want no pings."""
    theirs = sa.and_(preferences.c.guild_id == guild_id, preferences.c.user_id.in_(user_ids))
    found = sa.select(preferences.c.user_id).where(theirs, preferences.c.is_quiet.is_(True))
    return frozenset(await fetch_values(connection, found))


async def put(connection: AsyncConnection, guild_id: int, user_id: int, what: Preferences) -> None:
    await connection.execute(sa.delete(preferences).where(_of(guild_id, user_id)))
    if what != Preferences():
        await insert_row(connection, preferences, guild_id=guild_id, user_id=user_id, **asdict(what))


def _of(guild_id: int, user_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(preferences.c.guild_id == guild_id, preferences.c.user_id == user_id)
