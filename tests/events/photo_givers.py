"""Open events, members who give photos to them, and what is left behind."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.events.photos.rules import Contribution
from bot.records.dataset import Photo, SubjectKind, Upload
from bot.records.event import Depiction, Entrant, Event, EventMode, EventStatus
from bot.records.guild import Actor, PlaceKind
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.events import entrants
from bot.storage.events import tables as event_tables
from bot.storage.rows import build
from tests.fakes.attachments import Attachments
from tests.fakes.events import add_event, change_event
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, add_dataset, add_post
from tests.fakes.studio import Studio

CLEO, DAN = 403, 404
HOST = Actor(GUILD, ADMIN)
IN_A_DAY = timedelta(hours=24)


def member(user_id: int = ANNA, *role_ids: int) -> Actor:
    return Actor(GUILD, user_id, frozenset(role_ids))


async def open_event(studio: Studio, **changes: Any) -> Event:
    """It collects photos of a shared subject, unless told otherwise, and its panel stands in the channel."""
    now = studio.clock.now()
    values: dict[str, Any] = {
        "status": EventStatus.COLLECTING,
        "opened_at": now,
        "stage_ends_at": now + IN_A_DAY,
        "due_at": now + IN_A_DAY,
    }
    event = await add_event(studio.database, **(values | changes))
    if event.mode is EventMode.SHARED:
        dataset_id = await add_dataset(
            studio.database,
            user_id=event.host_id,
            event_id=event.id,
            subject_kind=SubjectKind.OBJECT,
            due_at=now + timedelta(days=9),
        )
        event = await change_event(studio.database, event, dataset_id=dataset_id)
    await add_post(
        studio.database,
        event.id,
        kind=PostKind.EVENT_PANEL,
        user_id=event.host_id,
        now=now,
    )
    return event


class Giver:
    """One member with a camera: every photo is unlike all others, of this and of every other giver."""

    def __init__(self, studio: Studio, attachments: Attachments, user_id: int = ANNA) -> None:
        self.studio, self.attachments, self.actor = studio, attachments, member(user_id)
        self._next = user_id * 1000

    def photos(self, count: int) -> list[Upload]:
        self._next += count
        return self.attachments.add_photos(count, first=self._next - count)

    async def give(self, event: Event, count: int = 1, **how: Any) -> Contribution:
        return await self.studio.contributions.give(event.id, self.photos(count), self.actor, **how)


async def entrant_of(studio: Studio, event: Event, user_id: int = ANNA) -> Entrant:
    async with studio.database.read() as connection:
        found = await entrants.find(connection, event.id, user_id)
    assert found is not None
    return found


async def photos_of(studio: Studio, event: Event) -> list[Photo]:
    """Of every dataset of the event."""
    async with studio.database.read() as connection:
        rows = await connection.execute(
            sa.select(tables.photos)
            .join(tables.datasets)
            .where(tables.datasets.c.event_id == event.id)
            .order_by(tables.photos.c.id)
        )
        return [build(Photo, row) for row in rows]


async def consents_of(studio: Studio) -> list[sa.Row[Any]]:
    async with studio.database.read() as connection:
        return list((await connection.execute(sa.select(tables.consents).order_by(tables.consents.c.id))).all())


async def questions(studio: Studio, event: Event) -> list[Depiction]:
    """Everybody who was named, oldest first."""
    async with studio.database.read() as connection:
        rows = await connection.execute(
            sa.select(event_tables.depictions)
            .where(event_tables.depictions.c.event_id == event.id)
            .order_by(event_tables.depictions.c.id)
        )
        return [build(Depiction, row) for row in rows]


async def question_to(studio: Studio, event: Event, user_id: int = BEN) -> Depiction:
    """The newest."""
    return [each for each in await questions(studio, event) if each.user_id == user_id][-1]


async def asked_in(studio: Studio) -> Sequence[tuple[PlaceKind, int]]:
    """Where the outbox would put its private questions."""
    posts = await studio.posts_of(PostKind.DEPICTION)
    return [(place.kind, place.id) for post in posts for place in post.places]
