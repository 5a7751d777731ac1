"""T19: the provider deletes pictures after 24 hours, and Discord is away for 20 of them."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.generation.downloads import PictureDownloads
from bot.records.generation import Generation, GenerationStatus
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import Claim
from tests.fakes.studio import Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

AWAY_FOR = timedelta(hours=20)
KEPT_WITHIN = timedelta(minutes=10)
LINKS_LIVE = timedelta(hours=24)
ORDERS_EACH = 10
FIRST_LOOK = {
    "there at once": lambda: None,
    "at first 503": lambda: Fault.answer(503),
    "at first not there": lambda: Fault.answer(404),
    "at first cut off": Fault.reset_before,
}
FILE = "GET /images/{name}"


async def outlive_links(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    while score.tried < amount:
        async with fresh_studio() as studio:
            await studio.set_key()
            await _one_absence(score, studio, await studio.lora(), dice)
    return score


async def _one_absence(score: Score, studio: Studio, lora: Lora, dice: random.Random) -> None:
    studio.poster.ready = False
    ends_at = studio.clock.now() + AWAY_FOR
    ordered = []
    for _ in range(ORDERS_EACH):
        await studio.pass_time(timedelta(minutes=dice.uniform(0, 60)))
        ordered.append(await _ready(score, studio, lora, dice))
    score.bad["sent although Discord is away"] += len(studio.poster.attempts)
    await studio.pass_time(ends_at - studio.clock.now())
    studio.clock.advance(LINKS_LIVE - AWAY_FOR)
    for job in studio.server.jobs.values():
        job.expired = True
    score.fired["Discord away for 20 h, then the links end"] += 1
    for generation in ordered:
        files = await _files(studio, generation)
        score.bad["no longer here when it is sent"] += sum(not path.is_file() for path in files)
    studio.poster.ready = True
    studio.outbox.wake()
    await studio.pass_time(KEPT_WITHIN)
    told = [post.subject_id for post in await studio.posts_of(PostKind.PICTURES) if post.message_id]
    score.bad["lost"] += len({each.id for each in ordered} - set(told))
    score.bad["told twice"] += studio.poster.kinds().count(PostKind.PICTURES) - len(set(told))


async def _ready(score: Score, studio: Studio, lora: Lora, dice: random.Random) -> Generation:
    """An order whose pictures are made; within ten minutes they have to be kept."""
    name = dice.choice(sorted(FIRST_LOOK))
    fault = FIRST_LOOK[name]()
    if fault is not None:
        studio.server.faults.next(FILE, fault)
    ordered = await studio.order(lora, count=dice.randint(1, 4))
    await studio.settle()
    while not studio.server.jobs or list(studio.server.jobs.values())[-1].completed_at is None:
        await studio.pass_time(timedelta(seconds=5))
    for _ in range(10):
        await studio.pass_time(KEPT_WITHIN / 10)
    stored = await studio.generation(ordered.id)
    files = await _files(studio, stored)
    score.tried += 1
    score.fired[name] += 1
    score.bad["not fetched within ten minutes"] += stored.status is not GenerationStatus.READY
    score.bad["not all kept within ten minutes"] += len(files) != stored.settings.count
    return stored


async def _files(studio: Studio, generation: Generation) -> list[Path]:
    kept = sa.select(tables.pictures.c.file).where(tables.pictures.c.generation_id == generation.id)
    return [studio.spool.path(file) for file in await studio.scalars(kept) if file is not None]


def fetch_when_it_can_be_posted(patch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded while Discord is away."""
    fetch = PictureDownloads.fetch

    async def fetch_later(self: PictureDownloads, claim: Claim[Generation]) -> None:
        if claim.row.attempt == 0:
            await self._outcomes.keep(claim, due_in=AWAY_FOR, attempt=1)
        else:
            await fetch(self, claim)

    patch.setattr(PictureDownloads, "fetch", fetch_later)


ROW = Row(
    "T19",
    "links end after 24 h, Discord is away for 20 h",
    "fetched and kept within 10 min, 0 lost",
    (20, 300),
    (*FIRST_LOOK, "Discord away for 20 h, then the links end"),
    outlive_links,
    (fetch_when_it_can_be_posted,),
)
