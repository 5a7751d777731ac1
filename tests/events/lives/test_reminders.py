"""The last call of a stage: once, neither twice nor too late, also when the stage is extended or a process dies."""

from datetime import datetime, timedelta

import pytest

from bot.records.event import AnnouncementKind, EventStatus
from bot.records.job import LaneName
from tests.events.lives.event_faults import MortalLane, MortalWrites, has_event_moved
from tests.events.lives.event_run import HOST, HOUR, EventRun, begin
from tests.fakes.rows import ANNA
from tests.fakes.studio import Studio

S = EventStatus


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def collecting(studio: Studio) -> EventRun:
    """For 24 hours."""
    life = await begin(studio, pack=())
    await life.give(ANNA, 20)
    return life


async def ends(life: EventRun) -> datetime:
    ends_at = (await life.event()).stage_ends_at
    assert ends_at is not None
    return ends_at


async def calls(life: EventRun) -> int:
    return (await life.notes()).count(AnnouncementKind.CLOSING_SOON)


async def test_a_stage_that_is_extended_after_its_last_call_gets_no_second_one(keyed: Studio) -> None:
    life = await collecting(keyed)
    await life.pass_time(22.9 * HOUR)
    assert await calls(life) == 0
    await life.pass_time(0.2 * HOUR)
    assert await calls(life) == 1
    await keyed.events.extend(life.event_id, 24, HOST)
    await life.pass_time(24 * HOUR)
    assert await calls(life) == 1


async def test_a_stage_that_is_extended_while_the_engine_decides_is_called_before_its_new_end(keyed: Studio) -> None:
    """Mutant: without a look at what the host changed meanwhile the call comes 25 hours before the end."""
    life = await collecting(keyed)
    keyed.clock.stand_still_for(23 * HOUR)
    (claim,) = await keyed.claim(LaneName.EVENTS)
    await keyed.events.extend(life.event_id, 24, HOST)
    await keyed.step(LaneName.EVENTS, claim)
    await keyed.settle()
    assert await calls(life) == 0
    await life.pass_time(24 * HOUR)
    assert await calls(life) == 1
    (told,) = await life.details(AnnouncementKind.CLOSING_SOON)
    assert told == {"stage": S.COLLECTING, "ends": int((await ends(life)).timestamp())}


async def test_a_stage_that_is_closed_early_or_ends_while_nothing_runs_is_not_called_for(keyed: Studio) -> None:
    life = await collecting(keyed)
    await life.close()
    assert await life.status() is S.REVIEWING
    other = await collecting(keyed)
    await other.pass_time(25 * HOUR)
    assert await other.status() is not S.COLLECTING
    assert (await calls(life), await calls(other)) == (0, 0)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_process_that_dies_at_every_write_calls_once(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    life = await collecting(keyed)
    writes = MortalWrites(keyed.database, after=after)
    monkeypatch.setattr(keyed.database, "write", writes)
    MortalLane(keyed, LaneName.EVENTS, writes, has_event_moved)
    await life.pass_time(23 * HOUR)
    await life.pass_time(timedelta(minutes=5))
    assert writes.deaths >= 1
    assert await calls(life) == 1
