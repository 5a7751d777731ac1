"""A clock that jumps, and waits that last longer than anybody thought: no stage is skipped, nothing is said twice."""

from datetime import datetime, timedelta

import pytest

from bot.models import EventMode, EventStatus, NoteKind, ProviderName
from tests.events.lives import HOST, HOUR, Life, begin
from tests.events.trouble import check_books, make_picture, photo_files, reach
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio

S = EventStatus
DAY = timedelta(days=1)
TEN_YEARS, ONE_YEAR = 3650 * DAY, 365 * DAY
PACK = ("{trigger} on a boat",)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def at(studio: Studio, stage: S) -> Life:
    life = await begin(studio, pack=PACK)
    await life.give(ANNA, 12)
    await life.give(BEN, 10)
    if stage is S.VOTING:
        await reach(life, S.SHOWING)
        await make_picture(life, ANNA)
        await make_picture(life, BEN)
    await reach(life, stage)
    return life


async def visited(life: Life, *, at_most: int = 400) -> list[S]:
    """The stages it goes through from here to its end, in steps of five minutes."""
    seen = [await life.status()]
    for _ in range(at_most):
        if seen[-1].is_terminal:
            return seen
        await life.pass_time(timedelta(minutes=5))
        status = await life.status()
        if status is not seen[-1]:
            seen.append(status)
    raise AssertionError(f"it never ended: {await life.event()}")


@pytest.mark.parametrize("stage", [S.TRAINING, S.SHOWING, S.VOTING])
async def test_ten_years_ahead_every_stage_that_is_left_still_does_its_work(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    keyed.clock.advance(TEN_YEARS)
    path = [S.TRAINING, S.SHOWING, S.VOTING, S.FINISHED]
    assert await visited(life) == path[path.index(stage) :]
    assert keyed.charges("images") >= len(PACK)
    told = await life.notes()
    assert len(told) == len(set(told))
    assert keyed.files() == []
    await check_books(life)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING])
async def test_ten_years_ahead_photos_are_gone_as_promised_and_the_event_says_so_once(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    keyed.clock.advance(TEN_YEARS)
    await keyed.settle()
    assert await photo_files(keyed) == []
    assert keyed.files() == []
    await life.until(S.CANCELLED, within=5 * DAY)
    assert keyed.charges("create") == 0
    assert (await life.notes()).count(NoteKind.PAUSED) == 1
    assert (await life.notes()).count(NoteKind.RESUMED) == 0
    await check_books(life)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING])
async def test_a_year_back_nothing_ends_early_and_the_host_can_still_close(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    told = await life.notes()
    keyed.clock.advance(-ONE_YEAR)
    await life.pass_time(HOUR)
    assert await life.status() is stage
    assert await life.notes() == told
    await life.close()
    await life.pass_time(timedelta(minutes=1))
    assert await life.status() is not stage
    await check_books(life)


async def test_a_key_that_comes_after_the_photos_had_to_go_ends_in_one_clear_word(studio: Studio) -> None:
    await studio.set_key()
    life = await at(studio, S.REVIEWING)
    await studio.keys.remove(GUILD, ProviderName.APIFRAME)
    await life.close()
    for _ in range(8):
        await life.pass_time(12 * HOUR)
    assert studio.files() == [], "photos are not kept longer than promised"
    assert (await life.event()).paused_why == "no_key"
    await studio.set_key()
    await life.until(S.CANCELLED, within=5 * DAY)
    assert [detail["why"] for detail in await life.details(NoteKind.PAUSED)] == ["no_key", "too_few_photos"]
    assert studio.charges("create") == 0
    await check_books(life)


async def test_in_a_personal_event_photos_that_had_to_go_leave_their_owner_out(studio: Studio) -> None:
    await studio.set_key()
    life = await begin(studio, EventMode.PERSONAL, photo_cap=20, pack=())
    await life.give(ANNA, 15)
    await reach(life, S.REVIEWING)
    await studio.keys.remove(GUILD, ProviderName.APIFRAME)
    await life.close()
    for _ in range(24):
        await life.pass_time(12 * HOUR)
    await studio.set_key()
    await life.until(S.CANCELLED, within=5 * DAY)
    assert studio.charges("create") == 0
    assert [detail["why"] for detail in await life.details(NoteKind.PAUSED)] == ["no_key", "too_few_photos"]
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
