"""SQL of the log of what was paid, shared, deleted, moderated and erased, written in the thing's own transaction."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import NOBODY, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.moderation import Act, LogEntry
from bot.records.post import PostKind
from bot.storage import guilds
from bot.storage.jobs import posts
from bot.storage.policy_tables import moderation_log as log
from bot.storage.rows import fetch_all, fetch_first, fetch_values, insert_row
from bot.storage.tables import posts as posts_table


async def note(
    connection: AsyncConnection,
    guild_id: int,
    act: Act,
    user_id: int,
    about: str,
    *,
    member_id: int | None = None,
    now: datetime,
    known_as: str | None = None,
) -> None:
    """Write one entry, and owe a line in the server's log channel if it has one. `known_as`: see `posts.add`."""
    said = {"at": now, "act": act, "user_id": user_id, "member_id": member_id, "about": about}
    entry_id = await insert_row(connection, log, guild_id=guild_id, **said)
    await guilds.tidy_later(connection, guild_id, now=now)
    guild = await guilds.get(connection, guild_id)
    if guild is None or guild.log_channel_id is None or guild.left_at is not None:
        return
    places = [Place(PlaceKind.CHANNEL, guild.log_channel_id)]
    await posts.add(
        connection,
        PostKind.LOG_LINE,
        entry_id,
        guild_id=guild_id,
        user_id=NOBODY,
        places=places,
        now=now,
        known_as=known_as,
    )


async def get(connection: AsyncConnection, entry_id: int) -> LogEntry | None:
    return await fetch_first(connection, LogEntry, sa.select(log).where(log.c.id == entry_id))


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[LogEntry]:
    """Oldest first."""
    return await fetch_all(connection, LogEntry, sa.select(log).where(log.c.guild_id == guild_id).order_by(log.c.id))


async def renew_lines_of(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """The member is about to be erased: the lines that name them are written again, with another name."""
    named = sa.or_(log.c.user_id == user_id, log.c.member_id == user_id)
    for entry_id in await fetch_values(connection, sa.select(log.c.id).where(log.c.guild_id == guild_id, named)):
        await posts.renew(connection, PostKind.LOG_LINE, entry_id, due_at=now)


async def forget(connection: AsyncConnection, guild_id: int, before: datetime) -> datetime | None:
    """Delete a server's entries of before then with what is known of their lines; when the oldest other was written."""
    theirs = log.c.guild_id == guild_id
    gone = sa.delete(log).where(theirs, log.c.at <= before).returning(log.c.id)
    for entry_id in await fetch_values(connection, gone):
        line = (posts_table.c.subject_table == SubjectTable.LOG, posts_table.c.subject_id == entry_id)
        await connection.execute(sa.delete(posts_table).where(*line))
    oldest: datetime | None = await connection.scalar(sa.select(sa.func.min(log.c.at)).where(theirs))
    return oldest
