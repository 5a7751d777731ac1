"""SQL of events and their announcements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Announcement, AnnouncementKind, Event, EventStatus, host_of, places_of
from bot.records.guild import Place
from bot.records.post import PostKind
from bot.storage.changes import change_state, note_step
from bot.storage.database import note_due
from bot.storage.due import make_due
from bot.storage.events.tables import announcements, events
from bot.storage.jobs import posts
from bot.storage.rows import count_rows, fetch_all, fetch_first, has_row, insert_record, insert_row

LIVE = [status for status in EventStatus if status.is_live]
IS_PLANNED = sa.and_(events.c.status == EventStatus.DRAFT, events.c.opens_at.is_not(None))
"""It opens by itself."""


async def insert(connection: AsyncConnection, **changes: Any) -> Event:
    """A draft, with every field that Event has no default for."""
    return await insert_record(connection, Event, events, **{"status": EventStatus.DRAFT} | changes)


async def get(connection: AsyncConnection, event_id: int) -> Event | None:
    return await fetch_first(connection, Event, sa.select(events).where(events.c.id == event_id))


async def of_guild(connection: AsyncConnection, guild_id: int, *, limit: int = 100) -> list[Event]:
    """Newest first, drafts and ended ones among them."""
    here = sa.select(events).where(events.c.guild_id == guild_id)
    return await fetch_all(connection, Event, here.order_by(events.c.id.desc()).limit(limit))


async def live_of(connection: AsyncConnection, guild_id: int) -> list[Event]:
    here = sa.select(events).where(events.c.guild_id == guild_id, events.c.status.in_(LIVE))
    return await fetch_all(connection, Event, here.order_by(events.c.id))


async def coming_of(connection: AsyncConnection, guild_id: int) -> list[Event]:
    """Those that are live, and those that open by themselves."""
    is_coming = sa.or_(events.c.status.in_(LIVE), IS_PLANNED)
    return await fetch_all(connection, Event, sa.select(events).where(events.c.guild_id == guild_id, is_coming))


async def live_count(connection: AsyncConnection, guild_id: int) -> int:
    return await count_rows(connection, events, events.c.guild_id == guild_id, events.c.status.in_(LIVE))


async def change(connection: AsyncConnection, event_id: int, *, expected: EventStatus, **changes: Any) -> Event | None:
    """Compare-and-set on the status: the event as it is then, None when it has moved on."""
    note_due(connection, events)
    unmoved = sa.and_(events.c.id == event_id, events.c.status == expected)
    changed = sa.update(events).where(unmoved).values(wakes=events.c.wakes + 1, **changes)
    event = await fetch_first(connection, Event, changed.returning(*events.c))
    if event is not None:
        note_step(connection, events, event, expected, changes)
    return event


async def cancel_all(connection: AsyncConnection, guild_id: int, *, now: datetime, host_id: int | None = None) -> None:
    """None of the guild's events goes on, or none of this host's."""
    ended = [status for status in EventStatus if status.is_terminal]
    note_due(connection, events)
    hosted = sa.true() if host_id is None else events.c.host_id == host_id
    going_on = sa.update(events).where(events.c.guild_id == guild_id, events.c.status.not_in(ended), hosted)
    over = going_on.values(status=EventStatus.CANCELLED, stage_ends_at=None, ended_at=now, due_at=now)
    await change_state(connection, over, EventStatus.CANCELLED, at=now)


async def wake(connection: AsyncConnection, event_id: int, *, now: datetime) -> None:
    """Let the event's lane look at it now, also when it slept without a date."""
    is_looked_at = sa.or_(events.c.status.in_(LIVE), IS_PLANNED)
    await make_due(connection, events, events.c.id == event_id, is_looked_at, at=now)


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
    known_as: str = "",
) -> bool:
    """Note it and post it, once for each `once` (default: the kind); False when it had been announced before.

    `known_as` takes the place of a `once` that holds the number of a row, see `posts.add`.
    What is not open yet is told to its host alone.
    """
    if await was_announced(connection, event.id, once or what):
        return False
    said = {"what": what, "once": once or what, "detail": detail, "at": now}
    announcement_id = await insert_row(connection, announcements, event_id=event.id, guild_id=event.guild_id, **said)
    if what.is_for_host and not host_of(event):
        return True
    places = places_of(event)
    shown_at = places[::-1] if what.is_for_host else places
    if event.opened_at is None:
        shown_at = host_of(event)
    name = f"{event.id}:{known_as or once or what}"
    await post(connection, event, PostKind.EVENT_ANNOUNCEMENT, announcement_id, places=shown_at, now=now, known_as=name)
    return True


async def post(
    connection: AsyncConnection,
    event: Event,
    kind: PostKind,
    subject_id: int,
    *,
    places: Sequence[Place],
    now: datetime,
    known_as: str | None = None,
) -> None:
    """Put a post about the event into the outbox."""
    await posts.add(
        connection,
        kind,
        subject_id,
        guild_id=event.guild_id,
        user_id=event.host_id,
        places=places,
        now=now,
        known_as=known_as,
    )


async def was_announced(connection: AsyncConnection, event_id: int, once: str) -> bool:
    said = sa.and_(announcements.c.event_id == event_id, announcements.c.once == once)
    return await has_row(connection, sa.select(announcements.c.id).where(said))


async def get_announcement(connection: AsyncConnection, announcement_id: int) -> Announcement | None:
    found = sa.select(announcements).where(announcements.c.id == announcement_id)
    return await fetch_first(connection, Announcement, found)
