"""A process that dies at every write while a picture is late: none is lost, posted twice or paid twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import Claim
from bot.strays import STRAY_AGE, Strays
from tests.events.lives.event_faults import WRITES_MAX, Killed, MortalWrites
from tests.fakes.old_files import make_older
from tests.fakes.studio import Studio
from tests.generation.picture_orders import output_routes, pictures

LANES = (LaneName.GENERATIONS, LaneName.POSTS)


class MortalLane:
    """Every step of a lane dies at its first write, then at its second, and so on until it gets through."""

    def __init__(self, studio: Studio, lane: LaneName, writes: MortalWrites) -> None:
        self.rows, self.advance_once = studio.lanes[lane]
        self.studio, self.lane, self.writes = studio, lane, writes
        studio.lanes[lane] = (self.rows, self.advance)

    async def advance(self, claim: Claim[Any]) -> None:
        for number in range(1, WRITES_MAX):
            self.writes.die_at(number)
            try:
                await self.advance_once(claim)
                return
            except Killed:
                self.writes.die_at(None)
                await self.rows.release_all()
                claims = await self.studio.claim(self.lane, f"life-{self.writes.deaths}")
                again = [each for each in claims if each.id == claim.id]
                if not again or replace(again[0].row, lease_owner=claim.row.lease_owner) != claim.row:
                    await self.rows.release_all()
                    return
                claim = again[0]
            finally:
                self.writes.die_at(None)
        raise AssertionError("the step never gets through")


@pytest.fixture(params=[False, True], ids=["before", "after"])
def writes(studio: Studio, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> MortalWrites:
    mortal = MortalWrites(studio.database, after=request.param)
    monkeypatch.setattr(studio.database, "write", mortal)
    return mortal


async def live_on(studio: Studio, writes: MortalWrites) -> None:
    """Five minutes in which every step dies at each of its writes."""
    for lane in LANES:
        MortalLane(studio, lane, writes)
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
