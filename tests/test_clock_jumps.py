"""A computer whose clock is set: nothing is deleted after a single look, and nothing waits longer than its pause."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import BELIEVED_AFTER_S, SystemClock, Timings
from bot.engine import Engine
from bot.pauses import longest_pauses, waiting_for_deletion
from bot.records.dataset import DatasetStatus
from bot.records.doubt import Doubt
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.training import TrainingStatus
from bot.services import build_lanes, build_services
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.due import DueRows
from tests.fakes.clock import NOON
from tests.fakes.events import add_event
from tests.fakes.rows import GUILD, add_generation, add_key, add_post, add_training
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
BELIEVED_AFTER = timedelta(seconds=BELIEVED_AFTER_S)


class Computer:
    """Its clock can be set; time passes nevertheless."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self.set_by = timedelta()
        self.clock = SystemClock(self._read, self._elapsed)

    def _read(self) -> datetime:
        return NOON + self.passed + self.set_by

    def _elapsed(self) -> float:
        return self.passed.total_seconds()

    @property
    def error(self) -> timedelta:
        """How far our clock is from the time that has passed."""
        return self.clock.now() - NOON - self.passed


@pytest.fixture
def computer() -> Computer:
    return Computer()


@pytest.mark.parametrize("by", [DAY, -HOUR, 400 * DAY, -DAY, 3 * SECOND])
def test_a_change_is_not_believed_at_the_first_look_but_when_it_has_lasted(computer: Computer, by: timedelta) -> None:
    """Mutant: the time of day as it is."""
    computer.set_by = by
    for _ in range(5):
        assert computer.error == timedelta()
        computer.passed += BELIEVED_AFTER / 6
    assert computer.error == timedelta()
    computer.passed += BELIEVED_AFTER / 6
    assert computer.error == by


@pytest.mark.parametrize("by", [DAY, -HOUR])
def test_a_change_that_is_taken_back_was_never_believed(computer: Computer, by: timedelta) -> None:
    for _ in range(5):
        computer.set_by = by
        assert computer.error == timedelta()
        computer.passed += BELIEVED_AFTER * 0.9
        computer.set_by = timedelta()
        assert computer.error == timedelta()
        computer.passed += BELIEVED_AFTER * 0.9


def test_small_corrections_are_followed_at_once_however_many(computer: Computer) -> None:
    for _ in range(100):
        computer.set_by += SECOND
        computer.passed += MINUTE
        assert computer.error == computer.set_by


def test_time_passes_while_nothing_is_set(computer: Computer) -> None:
    computer.passed += 30 * DAY
    assert computer.clock.now() == NOON + 30 * DAY


def test_a_clock_is_settled_when_it_was_the_same_for_a_while(computer: Computer) -> None:
    """Mutant: settled from the start."""
    seen = []
    for passed, set_by in ((0, 0), (BELIEVED_AFTER_S - 1, 0), (1, 0), (1, BELIEVED_AFTER_S), (1, 0)):
        computer.passed += passed * SECOND
        computer.set_by = set_by * SECOND
        seen.append(computer.clock.is_settled)
    assert seen == [False, False, True, False, True]


@pytest.mark.parametrize("after", [SECOND, BELIEVED_AFTER / 2, BELIEVED_AFTER - SECOND])
@pytest.mark.parametrize("wrong", [DAY, 400 * DAY, -DAY])
def test_a_clock_that_is_wrong_at_the_start_is_not_settled_before_it_is_set_right(
    wrong: timedelta, after: timedelta
) -> None:
    computer = Computer()
    computer.set_by = wrong
    computer.clock = SystemClock(computer._read, computer._elapsed)
    while computer.passed < 3 * BELIEVED_AFTER:
        assert computer.error == timedelta() or not computer.clock.is_settled
        computer.passed += SECOND
        if computer.passed >= after:
            computer.set_by = timedelta()
    assert computer.error == timedelta()
    assert computer.clock.is_settled


async def test_photos_outlive_a_look_at_a_wrong_clock_and_go_when_it_was_right(
    studio: Studio, computer: Computer
) -> None:
    dataset_id = await studio.dataset()
    rows, advance = studio.lanes[LaneName.DATASETS]

    async def look() -> DatasetStatus:
        now = computer.clock.now()
        studio.clock.advance(now - studio.clock.now())
        for claim in await rows.claim(owner="look", now=now, until=now + MINUTE, limit=10):
            await advance(claim)
        status: DatasetStatus = (await row(studio, tables.datasets, dataset_id)).status
        return status

    computer.set_by = DAY + HOUR
    assert await look() is DatasetStatus.OPEN
    assert len(studio.files()) == 15
    computer.passed += BELIEVED_AFTER
    assert await look() is DatasetStatus.EXPIRED
    assert studio.files() == []


async def row(studio: Studio, table: sa.Table, row_id: int) -> sa.Row[tuple[object, ...]]:
    async with studio.opened.database.read() as connection:
        return (await connection.execute(sa.select(table).where(table.c.id == row_id))).one()


@contextlib.asynccontextmanager
async def engine_of(studio: Studio, lanes: set[LaneName]) -> AsyncIterator[Engine]:
    opened = studio.opened
    chosen = [lane for lane in build_lanes(opened, build_services(opened)) if lane.name in lanes]
    engine = Engine(chosen, clock=studio.clock, timings=opened.timings)
    running = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        running.cancel()
        await asyncio.wait({running})


def polls_after_a_second(studio: Studio) -> int:
    """Let a second pass; how often the provider was asked for a job."""
    studio.clock.advance(SECOND)
    return sum(seen.method == "GET" and "/jobs/" in seen.path for seen in studio.server.requests)


async def test_polls_go_on_at_their_pace_when_the_clock_was_set_back(studio: Studio) -> None:
    """Mutant: rows keep the time that they were given by the wrong clock, and nothing is polled for an hour."""
    await studio.set_key()
    lora = await studio.lora()
    await studio.order(lora)
    async with engine_of(studio, {LaneName.GENERATIONS}):
        await eventually(lambda: len(studio.server.jobs) == 1)
        await eventually(lambda: len(studio.clock.sleeping_until) == 2)
        studio.clock.set_back(HOUR)
        studio.opened.database.wakeups.wake(tables.generations.name)
        for polls in range(1, 4):
            await eventually(lambda wanted=polls: polls_after_a_second(studio) >= wanted)  # type: ignore[misc]
    assert studio.clock.now() < NOON


async def add_live_event(database: Database, number: int) -> int:
    return (await add_event(database, channel_id=number, due_at=NOON)).id


async def add_late_pictures(database: Database, number: int) -> int:
    """Pictures of which one is still asked for."""
    generation_id = await add_generation(database, number)
    late = sa.update(tables.generations).where(tables.generations.c.id == generation_id)
    doubted = late.values(status=GenerationStatus.READY, doubt=Doubt(NOON, 1))
    await database.write(lambda connection: connection.execute(doubted))
    return generation_id


async def add_doubted_key(database: Database, number: int) -> int:
    key_id = await add_key(database, guild_id=number)
    doubted = sa.update(tables.api_keys).where(tables.api_keys.c.id == key_id).values(doubt=Doubt(NOON, 1))
    await database.write(lambda connection: connection.execute(doubted))
    return key_id


ADDING: list[tuple[LaneName, Callable[[Database, int], Awaitable[int]]]] = [
    (LaneName.TRAININGS, add_training),
    (LaneName.GENERATIONS, add_generation),
    (LaneName.GENERATIONS, add_late_pictures),
    (LaneName.POSTS, add_post),
    (LaneName.EVENTS, add_live_event),
    (LaneName.KEYS, add_doubted_key),
]


@pytest.mark.parametrize(("lane", "add"), ADDING)
async def test_rows_that_lie_too_far_ahead_are_pulled_in(
    studio: Studio, lane: LaneName, add: Callable[[Database, int], Awaitable[int]]
) -> None:
    far, near = NOON + HOUR, NOON + 2 * SECOND
    table = studio.lanes[lane][0]._table
    for number, due_at in ((1, far), (2, near)):
        await add(studio.database, number)
        await studio.change(table, number, due_at=due_at)
    await studio.lanes[lane][0].pull_in(now=NOON)
    assert (await row(studio, table, 1)).due_at == NOON
    assert (await row(studio, table, 2)).due_at == near


async def test_what_waits_for_its_deletion_goes_on_waiting(studio: Studio) -> None:
    dataset_id = await studio.dataset()
    training_id = await add_training(studio.database)
    await studio.change(tables.trainings, training_id, status=TrainingStatus.READY, due_at=NOON + 30 * DAY)
    for lane in LaneName:
        await studio.lanes[lane][0].pull_in(now=NOON - HOUR)
    assert (await row(studio, tables.trainings, training_id)).due_at == NOON + 30 * DAY
    assert (await row(studio, tables.datasets, dataset_id)).due_at == NOON + DAY


async def test_keys_are_compared_at_the_latest_after_their_pause(studio: Studio) -> None:
    key_id = await studio.set_key()

    async def transaction(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(tables.api_keys).values(due_at=NOON + DAY))

    await studio.database.write(transaction)
    rows: DueRows[object] = studio.lanes[LaneName.KEYS][0]
    await rows.pull_in(now=NOON)
    assert (await row(studio, tables.api_keys, key_id)).due_at == NOON


def test_every_lane_either_pauses_or_waits_for_a_deletion() -> None:
    assert set(longest_pauses(Timings())) | set(waiting_for_deletion()) == set(LaneName)


async def add_ended_training(studio: Studio) -> int:
    training_id = await add_training(studio.database)
    await studio.change(tables.trainings, training_id, status=TrainingStatus.READY, finished_at=NOON - 40 * DAY)
    return training_id


async def add_ended_pictures(studio: Studio) -> int:
    generation_id = await add_generation(studio.database)
    ended = {"status": GenerationStatus.READY, "finished_at": NOON - 40 * DAY}
    await studio.change(tables.generations, generation_id, **ended)
    return generation_id


async def add_retired_key(studio: Studio) -> int:
    key_id = await studio.set_key()
    await studio.keys.remove(GUILD, ProviderName.APIFRAME)
    return key_id


async def leave_guild(studio: Studio) -> int:
    await studio.lora()
    await studio.guilds.leave(GUILD)
    left: list[int] = await studio.scalars(sa.select(tables.guilds.c.id))
    return left[0]


DELETING: list[tuple[LaneName, sa.Table, Callable[[Studio], Awaitable[int]]]] = [
    (LaneName.DATASETS, tables.datasets, lambda studio: studio.dataset()),
    (LaneName.TRAININGS, tables.trainings, add_ended_training),
    (LaneName.GENERATIONS, tables.generations, add_ended_pictures),
    (LaneName.KEYS, tables.api_keys, add_retired_key),
    (LaneName.GUILDS, tables.guilds, leave_guild),
]


@pytest.mark.parametrize(("lane", "table", "add"), DELETING)
async def test_nothing_is_deleted_by_a_clock_that_is_not_settled(
    studio: Studio, lane: LaneName, table: sa.Table, add: Callable[[Studio], Awaitable[int]]
) -> None:
    """Mutant: what is due is deleted at the first look after a start, whatever the clock says."""
    row_id = await add(studio)
    await studio.change(table, row_id, due_at=NOON)
    studio.clock.advance(40 * DAY)
    studio.clock.is_settled = False
    before = await studio.everything()
    async with engine_of(studio, {lane}):
        await eventually(lambda: len(studio.clock.sleeping_until) == 2)
        assert await studio.everything() == before
        studio.clock.is_settled = True
        studio.opened.database.wakeups.wake(table.name)
        await eventually(lambda: is_gone(studio, table, row_id))


async def is_gone(studio: Studio, table: sa.Table, row_id: int) -> bool:
    return await studio.scalars(sa.select(table.c.id).where(table.c.id == row_id)) == []


async def test_orders_are_not_held_up_by_a_clock_that_is_not_settled(studio: Studio) -> None:
    await studio.set_key()
    lora = await studio.lora()
    studio.clock.is_settled = False
    await studio.order(lora)
    async with engine_of(studio, {LaneName.GENERATIONS}):
        await eventually(lambda: len(studio.server.jobs) == 1)
    assert studio.charges("images") == 1
