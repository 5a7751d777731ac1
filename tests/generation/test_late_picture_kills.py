"""A process that dies at every write while a picture is late: none is lost, posted twice or paid twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.records.generation import Generation, GenerationStatus
from bot.records.job import LaneName
from bot.records.post import Post, PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.strays import STRAY_AGE, Strays
from tests.events.lives.event_faults import MortalLane, MortalWrites
from tests.fakes.old_files import make_older
from tests.fakes.studio import Studio
from tests.generation.picture_orders import output_routes, pictures

LANES = (LaneName.GENERATIONS, LaneName.POSTS)


def has_moved(before: Generation | Post, now: Generation | Post) -> bool:
    """Whether anything of the row but its lease was written."""
    return replace(now, lease_owner=before.lease_owner) != before


@pytest.fixture(params=[False, True], ids=["before", "after"])
def writes(studio: Studio, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> MortalWrites:
    mortal = MortalWrites(studio.database, after=request.param)
    monkeypatch.setattr(studio.database, "write", mortal)
    return mortal


async def live_on(studio: Studio, writes: MortalWrites) -> None:
    """Five minutes in which every step dies at each of its writes."""
    for lane in LANES:
        MortalLane(studio, lane, writes, has_moved)
    for _ in range(60):
        await studio.pass_time(timedelta(seconds=5))
    assert writes.deaths >= 6


async def made(studio: Studio) -> int:
    """Three pictures that are ready at the provider and not fetched yet."""
    await studio.set_key()
    ordered = await studio.order(await studio.lora(), count=3)
    await studio.settle()
    for _ in range(20):
        studio.clock.advance(timedelta(seconds=2))
        await studio.work(LaneName.GENERATIONS)
        if (await studio.generation(ordered.id)).status is GenerationStatus.FETCHING:
            return ordered.id
    raise AssertionError("they are never ready")


async def assert_whole(studio: Studio, generation_id: int, numbers: list[int]) -> None:
    """These pictures are stored once each, with their files and no others, and posted once."""
    ended = await studio.generation(generation_id)
    assert (ended.status, ended.doubt) == (GenerationStatus.READY, None)
    rows = tables.pictures.c
    stored = await studio.scalars(sa.select(rows.position).where(rows.generation_id == generation_id))
    assert sorted(stored) == numbers
    for name in studio.files():
        make_older(studio.spool.path(name), STRAY_AGE)
    await Strays(studio.spool, studio.database, studio.clock).sweep()
    assert studio.files() == sorted(filter(None, await pictures(studio, ended)))
    assert len(studio.files()) == len(numbers)
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]
    assert studio.charges("images") == 1


async def test_a_picture_that_comes_late_outlives_a_death_at_every_write(studio: Studio, writes: MortalWrites) -> None:
    """Mutant: pictures that are stored in a write of their own, beside that of the row."""
    generation_id = await made(studio)
    first, *_ = await output_routes(studio, await studio.generation(generation_id))
    studio.server.faults.next(first, *[Fault.answer(404)] * 4)
    await live_on(studio, writes)
    await assert_whole(studio, generation_id, [1, 2, 3])


async def test_a_picture_that_never_comes_is_named_once_whichever_write_the_process_dies_at(
    studio: Studio, writes: MortalWrites
) -> None:
    studio.server.faults.jobs.append(JobFault.ONE_GONE)
    generation_id = await made(studio)
    await live_on(studio, writes)
    await assert_whole(studio, generation_id, [1, 2])
    assert "Picture 3 of 3 is missing" in ((await studio.generation(generation_id)).error or "")
    assert (await studio.words(await studio.generation(generation_id))).count("the rest") == 1
