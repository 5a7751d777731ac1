"""A process that dies anywhere in a step of an event, and dead hands that come back: all the same it happens once."""

from datetime import timedelta

import pytest

from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.post import PostKind
from tests.events.lives.event_acts import make_picture, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_faults import MortalLane, MortalWrites, has_event_moved
from tests.events.lives.event_run import CLEO, HOST, HOUR, EventRun, begin
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio

S = EventStatus
PACK = ("{trigger} on a boat", "{trigger} in the snow")


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


def mortal(studio: Studio, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> MortalWrites:
    writes = MortalWrites(studio.database, after=after)
    monkeypatch.setattr(studio.database, "write", writes)
    MortalLane(studio, LaneName.EVENTS, writes, has_event_moved)
    return writes


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_shared_event_that_dies_at_every_write_of_every_step_happens_once(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    writes = mortal(keyed, monkeypatch, after=after)
    life = await begin(keyed, pack=PACK, budget=400)
    for user_id, count in ((ANNA, 12), (BEN, 10), (CLEO, 3)):
        await life.give(user_id, count)
    keyed.members.gone.add((GUILD, CLEO))
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await make_picture(life, BEN)
    await reach(life, S.VOTING)
    entry = next(each for each in await keyed.ballots.entries(life.event_id, Actor(GUILD, ANNA)) if each.is_mine)
    await keyed.ballots.vote(life.event_id, entry.entry_id, Actor(GUILD, BEN))
    await reach(life, S.FINISHED)
    await life.pass_time(timedelta(minutes=10))
    assert writes.deaths > 12
    assert await life.notes() == [
        AnnouncementKind.OPENED,
        AnnouncementKind.CHOSEN,
        AnnouncementKind.LORAS_READY,
        AnnouncementKind.PACK_DONE,
        AnnouncementKind.WINNER,
    ]
    assert keyed.charges("create") == 1
    assert keyed.charges("images") == len(PACK) + 2
    assert (await life.view()).spent == 257 + 2 * (len(PACK) + 2)
    assert [winner.user_id for winner in (await life.view()).winners] == [ANNA]
    assert len(await keyed.posts_of(PostKind.EVENT_BALLOT)) == 1
    await check_books(life)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_personal_event_that_dies_at_every_write_trains_everybody_once(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    writes = mortal(keyed, monkeypatch, after=after)
    life = await begin(keyed, EventMode.PERSONAL, photo_cap=20, budget=2 * 257 + 2, pack=PACK[:1])
    for user_id in (ANNA, BEN, CLEO):
        await life.give(user_id, 15)
    await reach(life, S.FINISHED)
    assert writes.deaths > 12
    assert keyed.charges("create") == 2
    assert keyed.charges("images") == 1
    assert [detail["user_ids"] for detail in await life.details(AnnouncementKind.NOT_TRAINED)] == [[CLEO]]
    assert [entrant.lora_id is not None for entrant in [await life.entrant(each) for each in (ANNA, BEN)]] == [True] * 2
    await check_books(life)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_cancelled_event_that_dies_at_every_write_says_so_once(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    mortal(keyed, monkeypatch, after=after)
    life = await begin(keyed)
    await life.give(ANNA, 20)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(seconds=1))
    await keyed.events.cancel(life.event_id, HOST)
    await life.pass_time(HOUR)
    assert (await life.notes()).count(AnnouncementKind.CANCELLED) == 1
    assert keyed.files() == []
    await check_books(life)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING])
async def test_a_deadline_that_passes_while_nothing_runs_is_kept_by_the_next_engine(keyed: Studio, stage: S) -> None:
    life = await begin(keyed, pack=())
    await life.give(ANNA, 20)
    if stage in {S.SHOWING, S.VOTING}:
        await life.give(BEN, 1, first=50)
        await reach(life, S.SHOWING)
        await make_picture(life, ANNA)
        await make_picture(life, BEN)
    await reach(life, stage)
    ends_at = (await life.event()).stage_ends_at
    assert ends_at is not None
    keyed.clock.stand_still_for(ends_at - keyed.clock.now())
    (dead,) = await keyed.claim(LaneName.EVENTS, "dead")
    await keyed.settle()
    assert await life.status() is stage, "the lease of the dead one still stands"
    await life.pass_time(keyed.timings.lease)
    assert await life.status() is not stage
    after = await life.notes(), await life.status(), len(keyed.poster.messages)
    await keyed.step(LaneName.EVENTS, dead)
    await keyed.settle()
    assert (await life.notes(), await life.status(), len(keyed.poster.messages)) == after, "the dead hand moved it"
    await check_books(life)


async def two_steps(life: EventRun) -> None:
    """The event is claimed, its worker sleeps beyond the lease, another one does the work; then the first wakes up."""
    studio = life.studio
    (asleep,) = await studio.claim(LaneName.EVENTS, "asleep")
    await life.pass_time(studio.timings.lease)
    await studio.step(LaneName.EVENTS, asleep)
    await studio.settle()


async def go_on(life: EventRun) -> None:
    await life.studio.events.close(life.event_id, HOST)


async def test_a_worker_that_overslept_changes_nothing_in_any_stage(keyed: Studio) -> None:
    life = await begin(keyed, pack=PACK[:1], pictures_each=2)
    await life.give(ANNA, 12)
    await life.give(BEN, 10)
    await go_on(life)
    await two_steps(life)
    assert await life.status() is S.REVIEWING
    await go_on(life)
    await two_steps(life)
    assert await life.status() is S.TRAINING
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await make_picture(life, BEN)
    await go_on(life)
    await two_steps(life)
    assert await life.status() is S.VOTING
    numbers = [each.entry_id for each in await keyed.ballots.shown(life.event_id)]
    await go_on(life)
    await two_steps(life)
    assert await life.status() is S.FINISHED
    assert [each.entry_id for each in await keyed.ballots.shown(life.event_id)] == numbers
    assert keyed.charges("create") == 1
    assert keyed.charges("images") == 3
    told = await life.notes()
    assert len(told) == len(set(told))
    await check_books(life)
