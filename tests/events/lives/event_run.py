"""Events lived through on the studio: opened by a host, given photos by members, driven by the clock."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.views import EventView
from bot.records.dataset import SubjectKind
from bot.records.event import AnnouncementKind, Entrant, Event, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.storage.events import entrants
from bot.storage.events.tables import announcements
from bot.storage.jobs import datasets
from tests.fakes.events import get_announcements, get_event, plan_and_open
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, photo
from tests.fakes.studio import Studio, tiny_jpeg

CLEO = 403
HOST = Actor(GUILD, ADMIN, is_admin=True)
HOUR = timedelta(hours=1)
HOURS = {
    EventStatus.COLLECTING: 24.0,
    EventStatus.REVIEWING: 2.0,
    EventStatus.SHOWING: 4.0,
    EventStatus.VOTING: 6.0,
}


@dataclass(slots=True)
class EventRun:
    studio: Studio
    event_id: int

    async def event(self) -> Event:
        return await get_event(self.studio.database, self.event_id)

    async def status(self) -> EventStatus:
        return (await self.event()).status

    async def view(self) -> EventView:
        view = await self.studio.events.view(self.event_id)
        assert view is not None
        return view

    async def entrant(self, user_id: int) -> Entrant:
        async with self.studio.database.read() as connection:
            entrant = await entrants.find(connection, self.event_id, user_id)
        assert entrant is not None
        return entrant

    async def give(self, user_id: int, count: int, *, first: int = 1) -> None:
        """Photos as if they had been taken in, each unlike the others."""
        event = await self.event()
        await self.studio.contributions.join(self.event_id, Actor(GUILD, user_id))
        dataset_id = event.dataset_id or await self._own_dataset(user_id)

        async def transaction(connection: AsyncConnection) -> None:
            for number in range(first, first + count):
                file = self.studio.spool.new_name(".jpg")
                content = tiny_jpeg(number)
                self.studio.spool.path(file).write_bytes(content)
                given = photo(user_id * 100 + number, dataset_id, file=file, size=len(content), contributor_id=user_id)
                await datasets.add_photo(connection, dataset_id, given)

        await self.studio.database.write(transaction)

    async def _own_dataset(self, user_id: int) -> int:
        entrant = await self.entrant(user_id)
        if entrant.dataset_id is not None:
            return entrant.dataset_id
        event, now = await self.event(), self.studio.clock.now()

        async def transaction(connection: AsyncConnection) -> int:
            dataset = await datasets.insert(
                connection,
                guild_id=GUILD,
                channel_id=CHANNEL,
                user_id=user_id,
                name="Mine",
                subject_kind=event.subject_kind,
                steps=1000,
                rank=32,
                event_id=event.id,
                created_at=now,
                due_at=now + timedelta(days=9),
            )
            await entrants.change(connection, entrant.id, dataset_id=dataset.id)
            return dataset.id

        return await self.studio.database.write(transaction)

    async def pass_time(self, step: timedelta) -> None:
        await self.studio.pass_time(step)

    async def close(self) -> None:
        await self.studio.events.close(self.event_id, HOST)
        await self.studio.settle()

    async def until(self, status: EventStatus, *, within: timedelta = timedelta(days=3)) -> None:
        """Let time pass in steps of ten minutes until the event is there."""
        ends_at = self.studio.clock.now() + within
        await self.studio.settle()
        while await self.status() is not status:
            assert self.studio.clock.now() < ends_at, f"it stays {await self.event()}"
            await self.studio.pass_time(timedelta(minutes=10))

    async def notes(self) -> list[AnnouncementKind]:
        """What was announced, in order."""
        return [note.what for note in await get_announcements(self.studio.database, self.event_id)]

    async def details(self, what: AnnouncementKind) -> list[dict[str, Any]]:
        rows = sa.select(announcements.c.detail).where(
            announcements.c.event_id == self.event_id, announcements.c.what == what
        )
        return [json.loads(detail) for detail in await self.studio.scalars(rows)]

    async def still_in(self) -> list[int]:
        async with self.studio.database.read() as connection:
            return [each.user_id for each in await entrants.of_event(connection, self.event_id)]


async def begin(
    studio: Studio, mode: EventMode = EventMode.SHARED, kind: SubjectKind = SubjectKind.OBJECT, **changes: Any
) -> EventRun:
    """An event that has just been opened by its host."""
    wanted = {"hours": HOURS, "wants_calendar": False, "entrants_min": 1, "photo_cap": 30} | changes
    event = await plan_and_open(studio.events, HOST, Channel(CHANNEL), mode, kind, **wanted)
    await studio.settle()
    return EventRun(studio, event.id)


async def begin_with_enough(studio: Studio, mode: EventMode) -> EventRun:
    """An open event of two members who have both given enough photos for a training of their own."""
    life = await begin(studio, mode, photo_cap=20, pack=(), budget=600)
    for user_id in (ANNA, BEN):
        await life.give(user_id, 15)
    return life
