"""SQL of the pictures that were given for the panels of events. Events that were copied share file and giver."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.post import PostKind
from bot.storage.events.tables import events
from bot.storage.jobs import posts
from bot.storage.rows import fetch_values, has_row


async def files_in_use(connection: AsyncConnection) -> set[str]:
    return set(await fetch_values(connection, sa.select(events.c.banner).where(events.c.banner.is_not(None))))


async def unused(connection: AsyncConnection, file: str | None) -> list[str]:
    """The file, for the caller to free, unless an event still has it."""
    is_kept = file is None or await has_row(connection, sa.select(events.c.id).where(events.c.banner == file))
    return [] if is_kept or file is None else [file]


async def forget(connection: AsyncConnection, event_id: int) -> list[str]:
    """The event goes on without it; what is to be freed."""
    file = await connection.scalar(sa.select(events.c.banner).where(events.c.id == event_id))
    await connection.execute(sa.update(events).where(events.c.id == event_id).values(banner=None, banner_by=None))
    return await unused(connection, file)


async def forget_given(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> list[str]:
    """Those that a member who is erased gave, also in events that were copied since; the files to free.

    The panels are edited: they show a drawn one.
    """
    theirs = sa.and_(events.c.guild_id == guild_id, events.c.banner_by == user_id)
    files = await fetch_values(connection, sa.select(events.c.banner).where(theirs).distinct())
    without = sa.update(events).where(theirs).values(banner=None, banner_by=None)
    changed = await fetch_values(connection, without.returning(events.c.id))
    await posts.renew(connection, PostKind.EVENT_PANEL, *changed, due_at=now)
    return [freed for file in files for freed in await unused(connection, file)]
