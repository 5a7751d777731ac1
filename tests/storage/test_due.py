"""Due rows: who gets one, for how long, and what is dropped when somebody else has it."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.training import Training, TrainingStatus
from bot.storage import due, meta, tables
from bot.storage.database import Database
from bot.storage.due import Claim, DueRows, LeaseLost
from tests.fakes.clock import NOON
from tests.fakes.rows import add_training

LEASE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


@pytest.fixture
def rows(either: Database) -> DueRows[Training]:
    return DueRows(either, tables.trainings, Training)


async def claim(
    rows: DueRows[Training], owner: str = "a", *, at: timedelta = timedelta(0), limit: int = 10
) -> list[int]:
    return [one.id for one in await claims(rows, owner, at=at, limit=limit)]


async def claims(
    rows: DueRows[Training], owner: str = "a", *, at: timedelta = timedelta(0), limit: int = 10
) -> list[Claim[Training]]:
    return await rows.claim(owner=owner, now=NOON + at, until=NOON + at + LEASE, limit=limit)


async def store(database: Database, one: Claim[Training], due_at: timedelta | None = None, **values: object) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        await meta.put(connection, f"side effect {one.id}", b"stored with it")
        at = None if due_at is None else NOON + due_at
        await due.store(connection, tables.trainings, one, due_at=at, **values)

    await database.write(transaction)


async def wake(database: Database, row_id: int, at: timedelta) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        await due.wake(connection, tables.trainings, row_id, now=NOON + at)

    await database.write(transaction)


async def side_effect(database: Database) -> bytes | None:
    async with database.read() as connection:
        return await meta.get(connection, "side effect 1")


async def test_the_row_that_has_been_due_longest_goes_first(either: Database, rows: DueRows[Training]) -> None:
    for number, seconds in enumerate([-1, -30, 0, 5, -10], start=1):
        await add_training(either, number, due_at=NOON + seconds * SECOND)
    assert await claim(rows, limit=2) == [2, 5]
    assert await claim(rows) == [1, 3]
    assert await claim(rows) == []


async def test_a_row_without_a_time_is_never_claimed(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either, due_at=None)
    assert await claim(rows, at=timedelta(days=400)) == []
    assert await rows.next_due() is None


async def test_a_leased_row_comes_back_when_the_lease_ends_and_not_before(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    assert await claim(rows, "a") == [1]
    assert await claim(rows, "b", at=LEASE - SECOND) == []
    assert await rows.next_due() == NOON + LEASE
    assert await claim(rows, "b", at=LEASE) == [1]


async def test_renewing_keeps_a_row_for_its_owner_only(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows, "a")
    await rows.renew([mine], until=NOON + 3 * LEASE)
    assert await claim(rows, "b", at=2 * LEASE) == []
    assert await rows.holds(mine, now=NOON + 2 * LEASE)
    [theirs] = await claims(rows, "b", at=3 * LEASE)
    await rows.renew([mine], until=NOON + 100 * LEASE)
    assert not await rows.holds(mine, now=NOON + 3 * LEASE)
    assert await rows.holds(theirs, now=NOON + 3 * LEASE)
    assert await rows.next_due() == NOON + 4 * LEASE


async def test_a_lease_that_has_run_out_is_not_held_even_if_nobody_took_it(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    assert await rows.holds(mine, now=NOON + LEASE - SECOND)
    assert not await rows.holds(mine, now=NOON + LEASE)


async def test_starting_alone_takes_every_lease_back_at_once(either: Database, rows: DueRows[Training]) -> None:
    for number in range(1, 4):
        await add_training(either, number)
    assert len(await claim(rows, "before the crash")) == 3
    await rows.release_all()
    assert await claim(rows, "after it") == [1, 2, 3]


async def test_a_postponed_row_is_one_attempt_older_and_due_later(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    await rows.postpone(mine, due_at=NOON + 5 * SECOND)
    assert await rows.next_due() == NOON + 5 * SECOND
    [again] = await claims(rows, at=5 * SECOND)
    assert again.row.attempt == mine.row.attempt + 1


async def test_postponing_a_row_that_somebody_else_took_changes_nothing(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    [mine] = await claims(rows, "a")
    [theirs] = await claims(rows, "b", at=LEASE)
    await rows.postpone(mine, due_at=NOON + timedelta(days=1))
    assert await rows.holds(theirs, now=NOON + LEASE)


async def test_storing_gives_the_row_back(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    await store(either, mine, 10 * SECOND, status=TrainingStatus.SUBMITTING)
    [again] = await claims(rows, "b", at=10 * SECOND)
    assert again.status == TrainingStatus.SUBMITTING
    assert await side_effect(either) == b"stored with it"


async def test_a_worker_that_lost_its_lease_stores_nothing_at_all(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows, "a")
    [theirs] = await claims(rows, "b", at=LEASE)
    with pytest.raises(LeaseLost):
        await store(either, mine, 10 * SECOND, status=TrainingStatus.FAILED)
    assert await side_effect(either) is None
    assert await rows.holds(theirs, now=NOON + LEASE)


async def test_a_step_about_an_earlier_status_stores_nothing_even_under_its_own_lease(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    [mine] = await claims(rows)

    async def move_on(connection: AsyncConnection) -> None:
        await due.mark(connection, tables.trainings, mine, status=TrainingStatus.SUBMITTING)

    await either.write(move_on)
    with pytest.raises(LeaseLost):
        await either.write(move_on)
    with pytest.raises(LeaseLost):
        await store(either, mine, None, status=TrainingStatus.FAILED)
    assert await side_effect(either) is None


async def test_a_lost_lease_among_many_writes_drops_only_its_own(either: Database, rows: DueRows[Training]) -> None:
    for number in range(1, 7):
        await add_training(either, number)
    mine = await claims(rows, "a")
    stale = [Claim(one.row, one.id, "somebody", one.status, one.wakes, one.due_at) for one in mine[::2]]
    results = await asyncio.gather(
        *(store(either, one, 10 * SECOND, error=one.owner) for one in [*stale, *mine[1::2]]), return_exceptions=True
    )
    assert [type(result) for result in results] == [LeaseLost] * 3 + [type(None)] * 3
    async with either.read() as connection:
        errors = (
            await connection.execute(sa.select(tables.trainings.c.error).order_by(tables.trainings.c.id))
        ).scalars()
        assert list(errors) == [None, "a", None, "a", None, "a"]


async def test_a_hint_during_a_step_makes_the_row_due_at_once_afterwards(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    await wake(either, 1, SECOND)
    assert await claim(rows, "b", at=2 * SECOND) == []
    await store(either, mine, timedelta(hours=1))
    assert await claim(rows, "b", at=2 * SECOND) == [1]


async def test_without_a_hint_the_row_waits_as_the_step_said(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    await store(either, mine, timedelta(hours=1))
    assert await claim(rows, at=timedelta(minutes=59)) == []
    assert await rows.next_due() == NOON + timedelta(hours=1)


async def test_a_hint_for_a_finished_row_changes_nothing(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    [mine] = await claims(rows)
    await store(either, mine, None, status=TrainingStatus.READY)
    await wake(either, 1, SECOND)
    assert await rows.next_due() is None


async def test_a_hint_that_came_before_the_claim_is_used_up_by_it(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either, due_at=NOON + timedelta(hours=1))
    await wake(either, 1, timedelta(0))
    [mine] = await claims(rows)
    await store(either, mine, timedelta(hours=2))
    assert await rows.next_due() == NOON + timedelta(hours=2)


async def test_the_next_time_is_that_of_the_row_that_can_be_claimed_first(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either, 1, due_at=NOON - timedelta(hours=1))
    await add_training(either, 2, due_at=NOON + 30 * SECOND)
    assert await rows.next_due() == NOON - timedelta(hours=1)
    assert await claim(rows, limit=1) == [1]
    assert await rows.next_due() == NOON + 30 * SECOND


async def test_workers_that_claim_at_the_same_moment_never_share_a_row(
    either: Database, rows: DueRows[Training]
) -> None:
    for number in range(1, 31):
        await add_training(either, number)
    taken = await asyncio.gather(*(claim(rows, f"worker {number}", limit=7) for number in range(8)))
    everything = [row for part in taken for row in part]
    assert len(everything) == len(set(everything))
    assert set(everything) | set(await claim(rows, "rest", limit=30)) == set(range(1, 31))


async def test_a_row_that_is_made_due_wakes_its_lane_once_it_is_stored(
    either: Database, rows: DueRows[Training]
) -> None:
    await add_training(either)
    assert rows.wake.is_set()
    rows.wake.clear()
    [mine] = await claims(rows)
    await rows.renew([mine], until=NOON + LEASE)
    assert not rows.wake.is_set()
    await store(either, mine, timedelta(hours=1))
    assert rows.wake.is_set()


@pytest.mark.parametrize(("seconds", "wakes"), [(0, True), (29, True), (30, False), (86400, False)])
async def test_a_new_row_wakes_its_lane_only_when_it_is_due_before_the_next_look(
    either: Database, rows: DueRows[Training], seconds: int, wakes: bool
) -> None:
    await add_training(either, created_at=NOON, due_at=NOON + seconds * SECOND)
    assert rows.wake.is_set() is wakes


async def test_a_write_that_is_undone_wakes_nobody(either: Database, rows: DueRows[Training]) -> None:
    await add_training(either)
    rows.wake.clear()

    async def undone(connection: AsyncConnection) -> None:
        await due.wake(connection, tables.trainings, 1, now=NOON)
        raise LeaseLost

    results = await asyncio.gather(either.write(undone), either.write(undone), return_exceptions=True)
    assert [type(result) for result in results] == [LeaseLost, LeaseLost]
    assert not rows.wake.is_set()
