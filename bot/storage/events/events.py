"""SQL of events and their announcements."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import (
    Announcement,
    AnnouncementKind,
    Event,
    EventStatus,
    host_of,
    places_of,
)
from bot.records.post import PostKind
from bot.storage import posts
from bot.storage.database import note_due
from bot.storage.events.tables import announcements, events
from bot.storage.rows import build, fetch_first

LIVE = [status for status in EventStatus if status.is_live]


async def insert(connection: AsyncConnection, **changes: Any) -> Event:
    """A draft, with every field that Event has no default for."""
    note_due(connection, events)
    result = await connection.execute(
        sa.insert(events).values(**{"status": EventStatus.DRAFT} | changes).returning(*events.c)
    )
    return build(Event, result.one())


async def get(connection: AsyncConnection, event_id: int) -> Event | None:
    return await fetch_first(connection, Event, sa.select(events).where(events.c.id == event_id))


async def of_guild(connection: AsyncConnection, guild_id: int, *, limit: int = 100) -> list[Event]:
    """Newest first, drafts and ended ones among them."""
    rows = await connection.execute(
        sa.select(events).where(events.c.guild_id == guild_id).order_by(events.c.id.desc()).limit(limit)
    )
    return [build(Event, row) for row in rows]


async def live_count(connection: AsyncConnection, guild_id: int) -> int:
    result = await connection.execute(
        sa.select(sa.func.count()).select_from(events).where(events.c.guild_id == guild_id, events.c.status.in_(LIVE))
    )
    return int(result.scalar_one())


async def change(connection: AsyncConnection, event_id: int, *, expected: EventStatus, **changes: Any) -> Event | None:
    """Compare-and-set on the status: the event as it is then, None when it has moved on."""
    note_due(connection, events)
    result = await connection.execute(
        sa.update(events)
        .where(events.c.id == event_id, events.c.status == expected)
        .values(wakes=events.c.wakes + 1, **changes)
        .returning(*events.c)
    )
    row = result.first()
    return None if row is None else build(Event, row)


async def cancel_all(connection: AsyncConnection, guild_id: int, *, now: datetime, host_id: int | None = None) -> None:
    """None of the guild's events goes on, or none of this host's."""
    ended = [status for status in EventStatus if status.is_terminal]
    note_due(connection, events)
    hosted = sa.true() if host_id is None else events.c.host_id == host_id
    await connection.execute(
        sa.update(events)
        .where(events.c.guild_id == guild_id, events.c.status.not_in(ended), hosted)
        .values(status=EventStatus.CANCELLED, stage_ends_at=None, ended_at=now, due_at=now)
    )


async def wake(connection: AsyncConnection, event_id: int, *, now: datetime) -> None:
    """Let the event's lane look at it now, also when it slept without a date."""
    note_due(connection, events)
    await connection.execute(
        sa.update(events)
        .where(events.c.id == event_id, events.c.status.in_(LIVE))
        .values(due_at=now, wakes=events.c.wakes + 1)
    )


async def renew_panel(connection: AsyncConnection, event_id: int, *, due_at: datetime) -> None:
    """What the panel shows has changed: its message is edited by `due_at`; changes until then share one edit."""
    await posts.renew(connection, PostKind.EVENT_PANEL, event_id, due_at=due_at)


async def announce(
    connection: AsyncConnection,
    event: Event,
    what: AnnouncementKind,
    *,
    once: str = "",
    detail: str = "",
    now: datetime,
) -> bool:
    """Note it and post it, once for each `once` (default: the kind); False when it had been announced before."""
    if await was_announced(connection, event.id, once or what):
        return False
    inserted = await connection.execute(
        sa.insert(announcements)
        .values(event_id=event.id, guild_id=event.guild_id, what=what, once=once or what, detail=detail, at=now)
        .returning(announcements.c.id)
    )
    if what.is_for_host and not host_of(event):
        return True
    places = places_of(event)
    await posts.add(
        connection,
        PostKind.EVENT_ANNOUNCEMENT,
        int(inserted.scalar_one()),
        guild_id=event.guild_id,
        user_id=event.host_id,
        places=places[::-1] if what.is_for_host else places,
        now=now,
    )
    return True


async def was_announced(connection: AsyncConnection, event_id: int, once: str) -> bool:
    result = await connection.execute(
        sa.select(announcements.c.id).where(announcements.c.event_id == event_id, announcements.c.once == once)
    )
    return result.first() is not None


async def get_announcement(connection: AsyncConnection, announcement_id: int) -> Announcement | None:
    return await fetch_first(
        connection, Announcement, sa.select(announcements).where(announcements.c.id == announcement_id)
    )


async def announcements_of(connection: AsyncConnection, event_id: int) -> list[Announcement]:
    rows = await connection.execute(
        sa.select(announcements).where(announcements.c.event_id == event_id).order_by(announcements.c.id)
    )
    return [build(Announcement, row) for row in rows]
