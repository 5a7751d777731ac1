"""The host's side of events on top of the studio, and rows of what others gave."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.events.service import EventService
from bot.events.views import EventView
from bot.records.dataset import Photo
from bot.records.event import Announcement, Event, EventMode
from bot.records.guild import Actor, Channel
from bot.storage import tables
from tests.fakes.events import change_event, get_announcements, plan_and_open, plan_event
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD, add_dataset, add_photos, photo
from tests.fakes.studio import Studio

HOST = Actor(GUILD, ANNA)
BOSS = Actor(GUILD, ADMIN, is_admin=True)
HERE = Channel(CHANNEL)


@dataclass
class Hosting:
    studio: Studio

    @property
    def service(self) -> EventService:
        return self.studio.events

    async def draft(self, mode: EventMode = EventMode.SHARED, **changes: Any) -> Event:
        return await plan_event(self.service, HOST, HERE, mode, **changes)

    async def opened(self, mode: EventMode = EventMode.SHARED, **changes: Any) -> Event:
        """Ready because there is a key; `changes` of the draft's settings."""
        return await plan_and_open(self.service, HOST, HERE, mode, **changes)

    async def view(self, event: Event) -> EventView:
        view = await self.service.view(event.id)
        assert view is not None
        return view

    async def now_at(self, event: Event, **values: Any) -> Event:
        """The event moved on by the engine."""
        return await change_event(self.studio.database, event, **values)

    async def notes(self, event: Event) -> list[Announcement]:
        return await get_announcements(self.studio.database, event.id)

    async def give(self, event: Event, *photos: Photo) -> None:
        """Photos of the shared subject, or of a dataset of the event that is made for them."""
        dataset_id = event.dataset_id or await add_dataset(self.studio.database, event_id=event.id)
        await add_photos(self.studio.database, [replace(each, dataset_id=dataset_id) for each in photos])

    async def photos_leave_at(self, event: Event) -> datetime | None:
        column = tables.datasets.c.due_at
        (due_at,) = await self.studio.scalars(sa.select(column).where(tables.datasets.c.event_id == event.id))
        assert due_at is None or isinstance(due_at, datetime)
        return due_at


def given(number: int, **changes: Any) -> Photo:
    """A usable photo of the event, still on disk."""
    return photo(number, file=f"photo-{number}.jpg", contributor_id=ANNA, **changes)
