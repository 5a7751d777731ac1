"""What goes wrong while an event runs: a provider that is away, a process that dies between two writes, a dead hand."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.lifecycle import TIMED
from bot.events.photos.depictions import name_members
from bot.generation.order import PictureOrder
from bot.records.event import AnnouncementKind, Event, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName, SubjectTable
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Handler, RouteFaults, drain
from bot.storage import datasets
from bot.storage.database import Database, Transaction
from bot.storage.due import Claim
from bot.storage.events import jobs as event_jobs
from bot.storage.events import spends
from bot.storage.events.tables import announcements, entries, votes
from bot.storage.tables import generations, loras, photos, posts
from tests.events.lives.event_run import EventRun
from tests.fakes.rows import CHANNEL, GUILD
from tests.fakes.studio import Studio

WRITES_MAX = 40
"""Of one step, so that one which never ends is found out."""


class Outage(RouteFaults):
    """The provider answers everything with 503."""

    async def serve(self, route: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        await drain(request)
        return web.json_response({"error": "Down for maintenance"}, status=503)


@contextmanager
def outage(studio: Studio) -> Iterator[None]:
    """Apiframe is away for as long as this lasts."""
    well, studio.server.faults.routes = studio.server.faults.routes, Outage()
    try:
        yield
    finally:
        studio.server.faults.routes = well


class Killed(BaseException):
    """The process ends here."""


class MortalWrites:
    """In place of `Database.write`: the process dies at the write of a given number, before or after it is durable."""

    def __init__(self, database: Database, *, after: bool) -> None:
        self._write = database.write
        self._left: int | None = None
        self.after = after
        self.deaths = 0

    def die_at(self, number: int | None) -> None:
        """Counted from 1; None: live on."""
        self._left = number

    async def __call__(self, transaction: Transaction[Any]) -> Any:
        if self._left is None:
            return await self._write(transaction)
        self._left -= 1
        if self._left:
            return await self._write(transaction)
        self.deaths += 1
        if self.after:
            await self._write(transaction)
        raise Killed


class MortalEngine:
    """Every step of the event lane dies at its first write, then at its second, and so on until it gets through."""

    def __init__(self, studio: Studio, writes: MortalWrites) -> None:
        self.rows, self.advance_once = studio.lanes[LaneName.EVENTS]
        self.studio = studio
        self.writes = writes
        studio.lanes[LaneName.EVENTS] = (self.rows, self.advance)

    async def advance(self, claim: Claim[Event]) -> None:
        for number in range(1, WRITES_MAX):
            self.writes.die_at(number)
            try:
                await self.advance_once(claim)
                return
            except Killed:
                self.writes.die_at(None)
                again = await self._start_anew(claim)
                if again is None or _moved(claim.row, again.row):
                    await self.rows.release_all()
                    return
                claim = again
            finally:
                self.writes.die_at(None)
        raise AssertionError("the step never gets through")

    async def _start_anew(self, claim: Claim[Event]) -> Claim[Event] | None:
        await self.rows.release_all()
        claims = await self.studio.claim(LaneName.EVENTS, f"engine-{self.writes.deaths}")
        return next((each for each in claims if each.id == claim.id), None)


def _moved(before: Event, now: Event) -> bool:
    return (before.status, before.paused_at) != (now.status, now.paused_at)


async def reach(life: EventRun, stage: EventStatus) -> None:
    """The host closes stage after stage until the event is there."""
    for _ in range(60):
        event = await life.event()
        if event.status is stage:
            return
        is_open = event.stage_ends_at is not None and event.stage_ends_at > life.studio.clock.now()
        if event.status in TIMED and is_open and event.paused_at is None:
            await life.close()
        await life.pass_time(timedelta(minutes=3))
    raise AssertionError(f"it never came to {stage}: {await life.event()}")


async def make_picture(life: EventRun, user_id: int) -> None:
    """An own picture of the entrant, ready to be entered."""
    loras = (await life.view()).loras
    mine = [each for each in loras if each.owner_id == user_id] or list(loras)
    order = PictureOrder("at the beach", lora_id=mine[0].id)
    await life.studio.budgets.order(await life.event(), order, Actor(GUILD, user_id), Channel(CHANNEL))
    for _ in range(3):
        await life.pass_time(timedelta(seconds=20))


async def only_lora(life: EventRun) -> Lora:
    (lora,) = (await life.view()).loras
    return lora


async def lora_is_usable(life: EventRun, lora: Lora, user_id: int) -> bool:
    """Whether the member can make pictures with it, as `/imagine` lists it."""
    usable = await life.studio.loras.usable_by(Actor(GUILD, user_id))
    return any(each.id == lora.id and each.retiring_since is None for each in usable)


async def photo_files(studio: Studio, *, of: int | None = None) -> list[str]:
    """Spool names of photos (of one contributor) that the database still knows."""
    found = sa.select(photos.c.file).where(photos.c.file.is_not(None))
    return await studio.scalars(found if of is None else found.where(photos.c.contributor_id == of))


async def check_books(life: EventRun) -> None:
    """What must hold at any moment, whatever went wrong before."""
    await _check_spends(life)
    await _check_trainings(life)
    await _check_posts(life)
    await _check_votes(life)


async def _check_spends(life: EventRun) -> None:
    event, studio = await life.event(), life.studio
    async with studio.database.read() as connection:
        paid = await spends.of_event(connection, life.event_id)
        begun = await event_jobs.trainings_of(connection, life.event_id)
    ordered = await studio.scalars(sa.select(generations.c.id).where(generations.c.event_id == life.event_id))
    jobs = {(SubjectTable.TRAINING, each.id) for each in begun} | {(SubjectTable.GENERATION, each) for each in ordered}
    assert {(each.subject_table, each.subject_id) for each in paid} == jobs, "what is set aside is not what was ordered"
    assert len(paid) == len(jobs), "something was paid for twice"
    assert event.budget is None or sum(each.credits for each in paid) <= event.budget


async def _check_trainings(life: EventRun) -> None:
    async with life.studio.database.read() as connection:
        begun = await event_jobs.trainings_of(connection, life.event_id)
    alive = Counter(each.dataset_id for each in begun if each.status is not TrainingStatus.FAILED)
    assert all(count == 1 for count in alive.values()), "a dataset is trained twice"


async def _check_posts(life: EventRun) -> None:
    """One post for each announcement, and of each post one message."""
    studio = life.studio
    announced = sa.select(announcements.c.id).where(
        announcements.c.event_id == life.event_id,
        sa.not_(announcements.c.once.startswith(f"{AnnouncementKind.TAKEN_BACK}:training:")),
    )
    of_notes = sa.select(posts.c.subject_id).where(posts.c.kind == PostKind.EVENT_ANNOUNCEMENT)
    assert sorted(await studio.scalars(announced)) == sorted(await studio.scalars(of_notes))
    nonces = Counter(message.nonce for message in studio.poster.messages)
    assert all(count == 1 for count in nonces.values()), f"posted twice: {nonces}"


async def _check_votes(life: EventRun) -> None:
    cast = sa.select(sa.func.count()).select_from(votes).where(votes.c.event_id == life.event_id)
    members = sa.select(sa.func.count(votes.c.voter_id.distinct())).where(votes.c.event_id == life.event_id)
    assert await life.studio.scalars(cast) == await life.studio.scalars(members)
    own = sa.select(votes.c.id).join(entries).where(entries.c.user_id == votes.c.voter_id)
    assert await life.studio.scalars(own.where(votes.c.event_id == life.event_id)) == []


async def retired(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(loras.c.id).where(loras.c.retiring_since.is_not(None)))


async def name_in_photos(life: EventRun, giver_id: int, named_id: int, *, answer: bool | None = True) -> int:
    """All that the giver gave so far becomes one submission in which somebody was named; the depiction's id.

    `answer`: what the named member says, None while they say nothing.
    """
    studio, event = life.studio, await life.event()
    dataset_id = event.dataset_id or (await life.entrant(giver_id)).dataset_id
    assert dataset_id is not None
    now = studio.clock.now()

    async def transaction(connection: AsyncConnection) -> None:
        dataset = await datasets.get(connection, dataset_id)
        assert dataset is not None
        consent_id = await datasets.record_consent(
            connection,
            dataset=dataset,
            provider=dataset.subject_kind.provider,
            policy_version="test",
            photo_hashes=[],
            now=now,
            user_id=giver_id,
        )
        mine = photos.c.dataset_id == dataset_id, photos.c.contributor_id == giver_id
        await connection.execute(sa.update(photos).where(*mine).values(consent_id=consent_id))
        await name_members(connection, event, consent_id, [named_id], giver_id=giver_id, now=now)

    await studio.database.write(transaction)
    (depiction, *_) = await studio.depictions.seen_in(life.event_id, Actor(GUILD, named_id))
    if answer is not None:
        await studio.depictions.answer(depiction.id, answer, named_id, GUILD)
    await studio.settle()
    return depiction.id
