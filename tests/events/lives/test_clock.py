"""A clock that jumps, and waits that last longer than anybody thought: no stage is skipped, nothing is said twice."""

from datetime import datetime, timedelta

import pytest

from bot.records.event import AnnouncementKind, Event, EventMode, EventStatus
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.storage.due import Claim
from tests.events.lives.event_acts import make_picture, photo_files, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_run import HOST, HOUR, EventRun, begin
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio

S = EventStatus
DAY = timedelta(days=1)
TEN_DAYS, ONE_YEAR, TEN_YEARS = 10 * DAY, 365 * DAY, 3650 * DAY
PACK = ("{trigger} on a boat",)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def at(studio: Studio, stage: S) -> EventRun:
    life = await begin(studio, pack=PACK)
    await life.give(ANNA, 12)
    await life.give(BEN, 10)
    if stage is S.VOTING:
        await reach(life, S.SHOWING)
        await make_picture(life, ANNA)
        await make_picture(life, BEN)
    await reach(life, stage)
    return life


async def visited(life: EventRun) -> list[S]:
    """The stages in which the engine works from here to the end, in steps of five minutes."""
    rows, advance = life.studio.lanes[LaneName.EVENTS]
    seen: list[S] = []

    async def watched(claim: Claim[Event]) -> None:
        if claim.row.status not in seen:
            seen.append(claim.row.status)
        await advance(claim)

    life.studio.lanes[LaneName.EVENTS] = (rows, watched)
    await life.until(S.FINISHED)
    await life.studio.settle()
    return seen


@pytest.mark.parametrize("stage", [S.TRAINING, S.SHOWING, S.VOTING])
async def test_ten_years_ahead_every_stage_that_is_left_still_does_its_work(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    keyed.clock.advance(TEN_YEARS)
    path = [S.TRAINING, S.SHOWING, S.VOTING, S.FINISHED]
    assert await visited(life) == path[path.index(stage) :]
    assert keyed.charges("images") >= len(PACK)
    told = await life.notes()
    assert len(told) == len(set(told))
    assert await photo_files(keyed) == []
    assert keyed.charges("create") == 1
    assert (await life.view()).spent == 257 + 2 * keyed.charges("images")


@pytest.mark.parametrize("jump", [TEN_DAYS, TEN_YEARS])
@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING])
async def test_when_photos_are_gone_as_promised_the_event_says_so_once(
    keyed: Studio, stage: S, jump: timedelta
) -> None:
    life = await at(keyed, stage)
    keyed.clock.advance(jump)
    await keyed.settle()
    assert await photo_files(keyed) == []
    assert keyed.files() == []
    await life.until(S.CANCELLED, within=5 * DAY)
    assert keyed.charges("create") == 0
    assert [detail["why"] for detail in await life.details(AnnouncementKind.PAUSED)] == ["too_few_photos"]
    assert AnnouncementKind.RESUMED not in await life.notes()
    await check_books(life)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING])
async def test_a_year_back_nothing_ends_early_and_the_host_can_still_close(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    await life.pass_time(timedelta(minutes=2))
    told = await life.notes()
    keyed.clock.advance(-ONE_YEAR)
    await life.pass_time(HOUR)
    assert await life.status() is stage
    assert await life.notes() == told
    await life.close()
    await life.pass_time(timedelta(minutes=1))
    assert await life.status() is not stage
    await check_books(life)


@pytest.mark.parametrize("mode", [EventMode.SHARED, EventMode.PERSONAL])
async def test_a_key_that_never_comes_back_ends_the_event_before_photos_are_kept_too_long(
    keyed: Studio, mode: EventMode
) -> None:
    life = await begin(keyed, mode, photo_cap=20, pack=())
    await life.give(ANNA, 20)
    await reach(life, S.REVIEWING)
    await keyed.keys.remove(GUILD, ProviderName.APIFRAME)
    await life.close()
    for _ in range(7):
        await life.pass_time(12 * HOUR)
    assert await life.status() is S.CANCELLED
    assert keyed.files() == []
    await keyed.set_key()
    await life.pass_time(DAY)
    assert keyed.charges("create") == 0
    assert await life.notes() == [
        AnnouncementKind.OPENED,
        *(await life.notes())[1:-2],
        AnnouncementKind.PAUSED,
        AnnouncementKind.CANCELLED,
    ]
    await check_books(life)


async def test_a_clock_that_is_set_right_again_neither_ends_a_stage_nor_loses_it(keyed: Studio) -> None:
    life = await at(keyed, S.COLLECTING)
    before = await life.event()
    keyed.clock.advance(-DAY)
    await life.pass_time(HOUR)
    keyed.clock.advance(DAY)
    await life.pass_time(HOUR)
    after = await life.event()
    assert (after.status, after.stage_ends_at) == (before.status, before.stage_ends_at)
    assert isinstance(after.due_at, datetime)
    await life.until(S.TRAINING)


async def test_more_time_than_planned_keeps_the_photos_for_it(keyed: Studio) -> None:
    life = await at(keyed, S.COLLECTING)
    for _ in range(3):
        await keyed.events.extend(life.event_id, 48, HOST)
        await life.pass_time(40 * HOUR)
    assert len(await photo_files(keyed)) == 22
    await life.until(S.SHOWING, within=7 * DAY)
    assert keyed.charges("create") == 1
