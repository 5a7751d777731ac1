"""Ballots for tests: events, entrants and finished pictures as other parts leave them behind."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count as counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.events.ballot.service import BallotService
from bot.photos.intake import Spool
from bot.records.ballot import Honour
from bot.records.event import EntrantStatus, Event, EventMode, EventStatus
from bot.records.generation import GenerationStatus, Picture
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind, PostStatus
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.events import entrants
from bot.storage.events.tables import entrants as entrant_table
from bot.storage.events.tables import entries
from bot.storage.events.tables import events as event_table
from bot.storage.jobs import generations, posts
from tests.fakes.clock import NOON, ManualClock
from tests.fakes.events import add_entrants, add_event
from tests.fakes.resources import resources
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, add_generation, add_post

CLEO, DAN, EVE = 403, 404, 405
MEMBERS = (ANNA, BEN, CLEO, DAN)
JURY, PAINTERS = 21, 22
HOUR = timedelta(hours=1)


@dataclass
class World:
    """A ballot service with what it stands on, and rows as other parts leave them behind."""

    database: Database
    spool: Spool
    clock: ManualClock = field(default_factory=ManualClock)
    timings: Timings = field(default_factory=Timings)
    numbers: Iterator[int] = field(default_factory=lambda: counter(1))

    def __post_init__(self) -> None:
        self.ballots = BallotService(resources(self.database, self.spool, self.clock, timings=self.timings))

    async def event(self, status: EventStatus = EventStatus.SHOWING, **changes: Any) -> Event:
        now = self.clock.now()
        usual = {"name": "Rex everywhere", "mode": EventMode.PERSONAL, "pictures_each": 5, "stage_ends_at": now + HOUR}
        opened_at = None if status is EventStatus.DRAFT else now
        return await add_event(self.database, **(usual | {"status": status, "opened_at": opened_at} | changes))

    async def change(self, table: sa.Table, row_id: int, **values: Any) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))

        await self.database.write(transaction)

    async def move(self, event: Event, status: EventStatus, **changes: Any) -> Event:
        await self.change(event_table, event.id, status=status, **changes)
        return replace(event, status=status, **changes)

    async def join(self, event: Event, *user_ids: int) -> None:
        await add_entrants(self.database, event, *user_ids)

    async def leave(self, event: Event, user_id: int) -> None:
        async with self.database.read() as connection:
            entrant = await entrants.find(connection, event.id, user_id)
        assert entrant is not None
        await self.change(entrant_table, entrant.id, status=EntrantStatus.WITHDRAWN)

    async def picture(self, event: Event, user_id: int, *, size: int = 1, **changes: Any) -> list[int]:
        """The ids of the pictures of a finished order of this size."""
        number = next(self.numbers)
        values = {"lora_id": None, "event_id": event.id, "user_id": user_id, "guild_id": event.guild_id} | changes
        generation_id = await add_generation(self.database, number, **values)
        finished_at = NOON + timedelta(seconds=number)
        await self.change(tables.generations, generation_id, status=GenerationStatus.READY, finished_at=finished_at)

        async def transaction(connection: AsyncConnection) -> list[int]:
            for position in range(1, size + 1):
                file = f"{number * 100 + position:032x}.png"
                await generations.add_picture(
                    connection, Picture(0, generation_id, position, "https://x/", file, "image/png", 9, 0)
                )
            return [picture.id for picture in await generations.pictures_of(connection, generation_id)]

        return await self.database.write(transaction)

    async def delete_picture(self, picture_id: int) -> None:
        async with self.database.read() as connection:
            picture = await generations.get_picture(connection, picture_id)
        assert picture is not None
        await self.change(tables.generations, picture.generation_id, deleted_at=NOON)

    async def voting(self, *user_ids: int, **changes: Any) -> Event:
        """An event in which each of these has an entry and the voting has begun."""
        event = await self.event(**changes)
        await self.join(event, *user_ids)
        for user_id in user_ids:
            await self.picture(event, user_id)
        assert await self.ballots.open_ballot(event) == len(user_ids)
        return await self.move(event, EventStatus.VOTING)

    async def entry_of(self, event: Event, user_id: int) -> int:
        rows = await self.rows(
            sa.select(entries.c.id).where(entries.c.event_id == event.id, entries.c.user_id == user_id)
        )
        return int(rows[0].id)

    async def rows(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        async with self.database.read() as connection:
            return list(await connection.execute(statement))

    async def owners(self, event: Event) -> list[int]:
        """Whose entries the numbers 1, 2, 3 ... are."""
        found = await self.rows(
            sa.select(entries.c.user_id).where(entries.c.event_id == event.id).order_by(entries.c.position)
        )
        return [row.user_id for row in found]

    async def pictures_entered(self, event: Event) -> dict[int, list[int]]:
        found = await self.rows(sa.select(entries).where(entries.c.event_id == event.id))
        return {row.user_id: list(row.picture_ids) for row in found}

    async def vote_for(self, event: Event, voter_id: int, owner_id: int, *roles: int) -> None:
        entry_id = await self.entry_of(event, owner_id)
        await self.ballots.vote(event.id, entry_id, Actor(GUILD, voter_id, frozenset(roles)))


@asynccontextmanager
async def open_world(folder: Path, database_url: str) -> AsyncIterator[World]:
    async with Database(database_url) as database:
        yield World(database, Spool(folder / "spool"))


def places(found: Sequence[Honour]) -> dict[int, tuple[int, int]]:
    """Member: place and votes."""
    return {honour.user_id: (honour.place, honour.votes) for honour in found}


async def posted(world: World, event: Event, kind: PostKind) -> int:
    """A post of the event that has been sent."""
    post_id = await add_post(
        world.database,
        event.id,
        kind=kind,
        places=[Place(PlaceKind.CHANNEL, CHANNEL)],
    )
    await world.change(tables.posts, post_id, status=PostStatus.POSTED, message_id=post_id, due_at=None)
    return post_id


async def due(world: World, post_id: int) -> tuple[PostStatus, object]:
    async with world.database.read() as connection:
        post = await posts.get(connection, post_id)
    assert post is not None
    return post.status, post.due_at
