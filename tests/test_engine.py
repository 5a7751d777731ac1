"""The engine on a manual clock: steps start when due, fail softly, stay within their lane and give rows back."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.engine import RECENT, Engine, Lane, backoff
from bot.errors import StorageTrouble
from bot.records.training import Training
from bot.storage import due, tables
from bot.storage.database import Database
from bot.storage.due import Claim, DueRows, LeaseLost
from tests.fakes.clock import NOON, ManualClock
from tests.fakes.rows import add_training
from tests.fakes.waiting import eventually

SECOND = timedelta(seconds=1)
LANE = "training"


class Stage:
    """One lane over real rows. Each step is noted, then does what `act` says; by default it finishes the row."""

    def __init__(self, database: Database, concurrency: int = 4) -> None:
        self.database = database
        self.clock = ManualClock()
        self.timings = Timings()
        self.rows = DueRows(database, tables.trainings, Training)
        self.started: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self.act: Callable[[Claim[Training]], Awaitable[None]] = self.finish
        self.lane = Lane(LANE, self.rows, self.advance, concurrency)
        self.engine = Engine([self.lane], clock=self.clock, timings=self.timings)

    async def advance(self, claim: Claim[Training]) -> None:
        self.started.append(claim.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.act(claim)
        finally:
            self.at_once -= 1

    async def finish(self, claim: Claim[Training], due_in: timedelta | None = None) -> None:
        due_at = None if due_in is None else self.clock.now() + due_in

        async def transaction(connection: AsyncConnection) -> None:
            await due.store(connection, tables.trainings, claim, due_at=due_at)

        await self.database.write(transaction)

    async def row(self, row_id: int) -> sa.Row[tuple[object, ...]]:
        async with self.database.read() as connection:
            found = await connection.execute(sa.select(tables.trainings).where(tables.trainings.c.id == row_id))
            return found.one()


async def asleep(stage: Stage) -> None:
    """Until the lane (and the lease renewal) have nothing to do but wait."""
    event = stage.rows.wake
    await eventually(lambda: len(stage.clock.sleeping_until) == 2 and not stage.lane.running and not event.is_set())


async def leased_beyond(stage: Stage, moment: datetime) -> bool:
    until: datetime = (await stage.row(1)).lease_until
    return until > moment


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database)


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(stage.engine.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_every_due_row_gets_one_step(stage: Stage) -> None:
    for number in range(1, 11):
        await add_training(stage.database, number)
    async with running(stage):
        await asleep(stage)
    assert Counter(stage.started) == dict.fromkeys(range(1, 11), 1)


async def test_a_row_due_later_gets_its_step_at_its_time(stage: Stage) -> None:
    await add_training(stage.database, due_at=NOON + 10 * SECOND)
    async with running(stage):
        await asleep(stage)
        assert stage.started == []
        assert stage.clock.sleeping_until[0] == NOON + 10 * SECOND
        stage.clock.advance(10 * SECOND)
        await eventually(lambda: stage.started == [1])


async def test_the_doorbell_starts_a_new_row_without_any_time_passing(stage: Stage) -> None:
    async with running(stage):
        await asleep(stage)
        await add_training(stage.database)
        assert stage.started == []
        stage.rows.wake.set()
        await eventually(lambda: stage.started == [1])
    assert stage.clock.now() == NOON


async def test_a_lane_never_runs_more_steps_than_it_may(database: Database) -> None:
    stage, gate = Stage(database, concurrency=3), asyncio.Event()

    async def wait_at_the_gate(claim: Claim[Training]) -> None:
        await gate.wait()
        await stage.finish(claim)

    stage.act = wait_at_the_gate
    for number in range(1, 9):
        await add_training(database, number)
    async with running(stage):
        await eventually(lambda: stage.at_once == 3)
        stage.rows.wake.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(stage.started) == 3
        gate.set()
        await eventually(lambda: len(stage.started) == 8 and not stage.lane.running)
    assert stage.most_at_once == 3


async def test_a_failing_step_is_tried_again_after_growing_waits(stage: Stage) -> None:
    async def fail(claim: Claim[Training]) -> None:
        raise RuntimeError("the step's own bug")

    stage.act = fail
    await add_training(stage.database)
    waits = []
    async with running(stage):
        for attempt in range(1, 7):
            await eventually(lambda tries=attempt: len(stage.started) == tries)  # type: ignore[misc]
            await asleep(stage)
            row = await stage.row(1)
            assert row.attempt == attempt
            waits.append(row.due_at - stage.clock.now())
            while stage.clock.now() < row.due_at:
                stage.clock.advance(min(row.due_at - stage.clock.now(), 5 * SECOND))
                stage.rows.wake.set()
    for attempt, wait in enumerate(waits):
        planned = stage.timings.backoff_first * 2**attempt
        assert 0.8 * planned <= wait <= 1.2 * planned


@pytest.mark.parametrize("attempt", [0, 4, 12])
async def test_a_step_that_the_disk_stopped_is_tried_again_soon_however_often_the_row_was_tried(
    stage: Stage, attempt: int
) -> None:
    """Mutant: a picture that was polled a dozen times waits ten minutes because the disk failed once."""

    async def fail(claim: Claim[Training]) -> None:
        raise StorageTrouble("the disk is full")

    stage.act = fail
    await add_training(stage.database, attempt=attempt)
    async with running(stage):
        await asleep(stage)
    row = await stage.row(1)
    assert (row.attempt, row.due_at) == (attempt + 1, NOON + stage.timings.poll)


async def test_one_failing_row_does_not_hold_up_the_others(stage: Stage) -> None:
    async def fail_the_first(claim: Claim[Training]) -> None:
        if claim.id == 1:
            raise RuntimeError("the step's own bug")
        await stage.finish(claim)

    stage.act = fail_the_first
    for number in range(1, 6):
        await add_training(stage.database, number)
    async with running(stage):
        await asleep(stage)
    assert sorted(stage.started) == [1, 2, 3, 4, 5]
    assert [(await stage.row(number)).due_at is None for number in range(1, 6)] == [False, True, True, True, True]


async def test_a_step_that_lost_its_lease_is_dropped_without_touching_the_row(stage: Stage) -> None:
    async def lose(claim: Claim[Training]) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(
                sa.update(tables.trainings).values(lease_owner="another", lease_until=NOON + timedelta(hours=1))
            )

        await stage.database.write(transaction)
        raise LeaseLost

    stage.act = lose
    await add_training(stage.database)
    async with running(stage):
        await asleep(stage)
    row = await stage.row(1)
    assert (row.lease_owner, row.attempt, row.due_at) == ("another", 0, NOON)


async def test_a_long_step_keeps_its_row_by_renewing_the_lease(stage: Stage) -> None:
    gate = asyncio.Event()

    async def work_long(claim: Claim[Training]) -> None:
        await gate.wait()
        await stage.finish(claim)

    stage.act = work_long
    await add_training(stage.database)
    async with running(stage):
        await eventually(lambda: stage.started == [1])
        for _ in range(12):
            await eventually(lambda: len(stage.clock.sleeping_until) == 2)
            stage.clock.advance(stage.timings.lease / 3)
            now = stage.clock.now()
            await eventually(partial(leased_beyond, stage, now + stage.timings.lease / 2))
        assert stage.started == [1]
        gate.set()
        await eventually(lambda: not stage.lane.running)
    assert (await stage.row(1)).due_at is None


async def test_after_a_standstill_a_row_still_being_worked_on_is_not_started_twice(stage: Stage) -> None:
    """A suspended computer: every lease has run out when it wakes, but the step is still under way."""
    gate = asyncio.Event()

    async def work_long(claim: Claim[Training]) -> None:
        await gate.wait()
        await stage.finish(claim)

    stage.act = work_long
    await add_training(stage.database)
    async with running(stage):
        await eventually(lambda: stage.started == [1] and len(stage.clock.sleeping_until) == 2)
        stage.clock.stand_still_for(timedelta(hours=1))
        stage.rows.wake.set()
        await eventually(partial(leased_beyond, stage, stage.clock.now()))
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.started == [1]
        gate.set()
        await eventually(lambda: not stage.lane.running)


async def test_a_row_due_again_while_its_step_is_just_ending_gets_its_next_step(stage: Stage) -> None:
    """Mutant: a claim dropped because the earlier task has not been put away yet waits for its lease to end."""
    gate = asyncio.Event()

    async def give_back_and_linger(claim: Claim[Training]) -> None:
        if len(stage.started) > 1:
            await stage.finish(claim)
            return
        await stage.finish(claim, due_in=timedelta(0))
        await gate.wait()

    stage.act = give_back_and_linger
    await add_training(stage.database)
    async with running(stage):
        await eventually(lambda: stage.started == [1])

        def claimed_again() -> bool:
            stage.rows.wake.set()
            return len(stage.lane.running) == 2

        await eventually(claimed_again)
        assert stage.started == [1]
        gate.set()
        await eventually(lambda: stage.started == [1, 1])
        await eventually(lambda: not stage.lane.running)


async def test_a_cancelled_engine_leaves_its_rows_to_the_lease(stage: Stage) -> None:
    never = asyncio.Event()

    async def hang(claim: Claim[Training]) -> None:
        await never.wait()

    stage.act = hang
    await add_training(stage.database)
    async with running(stage):
        await eventually(lambda: stage.started == [1])
    assert stage.at_once == 0
    late = NOON + stage.timings.lease
    assert await stage.rows.claim(owner="next", now=late - SECOND, until=late, limit=1) == []
    assert [one.id for one in await stage.rows.claim(owner="next", now=late, until=late + SECOND, limit=1)] == [1]


@pytest.mark.both
async def test_a_start_takes_the_leases_of_a_process_before_it_at_once(stage: Stage) -> None:
    await add_training(stage.database)
    await stage.rows.claim(owner="crashed", now=NOON, until=NOON + timedelta(hours=1), limit=1)
    async with running(stage):
        await asleep(stage)
    assert stage.started == [1]


def test_two_engines_never_share_a_name(stage: Stage) -> None:
    assert len({Engine([], clock=stage.clock, timings=stage.timings).owner for _ in range(50)}) == 50


async def test_health_turns_false_when_a_lane_hangs_and_true_when_it_turns_again(stage: Stage) -> None:
    assert not stage.engine.is_alive()
    stuck, gate = asyncio.Event(), asyncio.Event()
    next_due = stage.rows.next_due

    async def hang_in_the_database(*, is_settled: bool) -> object:
        stuck.set()
        await gate.wait()
        return await next_due(is_settled=is_settled)

    async with running(stage):
        await asleep(stage)
        assert stage.engine.is_alive()
        stage.rows.next_due = hang_in_the_database  # type: ignore[method-assign, assignment]
        stage.rows.wake.set()
        await stuck.wait()
        stage.clock.advance(RECENT)
        assert not stage.engine.is_alive()
        gate.set()
        await eventually(stage.engine.is_alive)


async def test_an_idle_lane_stays_alive_by_looking_now_and_then(stage: Stage) -> None:
    async with running(stage):
        for _ in range(10):
            await asleep(stage)
            assert stage.engine.is_alive()
            stage.clock.advance(min(stage.clock.sleeping_until) - stage.clock.now())


async def test_a_lane_outlives_a_sick_database_and_goes_on_when_it_is_well(stage: Stage) -> None:
    next_due, trouble = stage.rows.next_due, [OSError("disk trouble")] * 3

    async def ail(*, is_settled: bool) -> object:
        if trouble:
            raise trouble.pop()
        return await next_due(is_settled=is_settled)

    stage.rows.next_due = ail  # type: ignore[method-assign, assignment]
    await add_training(stage.database)
    async with running(stage) as engine:
        for _ in range(100):
            if stage.started:
                break
            await asyncio.sleep(0.001)
            stage.clock.advance(SECOND)
        await eventually(lambda: stage.started == [1])
        assert not engine.done()


@given(st.integers(0, 10_000))
def test_waits_grow_by_doubling_within_a_fifth_and_never_pass_the_ceiling(attempt: int) -> None:
    wait = backoff(attempt, first=5 * SECOND, ceiling=timedelta(minutes=10))
    planned = min(5 * SECOND * 2 ** min(attempt, 20), timedelta(minutes=10))
    assert 0.8 * planned <= wait <= 1.2 * planned
