"""T28: disk, lock and clock make trouble at random moments of a running engine with real orders."""

import asyncio
import contextlib
import functools
import itertools
import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import engine
from bot.clock import SystemClock
from bot.engine import Engine, Lane
from bot.errors import StorageTrouble
from bot.records.dataset import DatasetStatus
from bot.services import build_lanes, build_services
from bot.storage import database, tables, writer
from bot.storage.database import Database
from bot.storage.due import LeaseLost
from bot.storage.writer import Transaction
from tests.fakes.clock import SetClock
from tests.fakes.failing_disk import FULL, IO_ERROR, READ_ONLY, Disk, Fault, open_disk, take_lock
from tests.fakes.rows import ANNA
from tests.fakes.studio import TRAINS_IN, Studio
from tests.fakes.waiting import eventually
from tests.trust.durability.job_books import check_paid_and_told, statuses
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAYS_TO_FAIL = list(itertools.product(("BEGIN IMMEDIATE", "INSERT", "UPDATE", "COMMIT"), (1.0, 0.5)))
PROMPT = "a fox"
SLOW_S = 90.0
"""So long a picture takes: trouble comes while it is polled."""
RECOVERS_WITHIN = MINUTE
OFTENER_MOST = 1.1


class Life:
    """A studio whose engine runs on a clock that is turned by hand, and a member who goes on ordering."""

    def __init__(self, studio: Studio, running: Engine, clock: SetClock, disk: Disk, dice: random.Random) -> None:
        self.studio, self.engine, self.clock, self.disk, self.dice = studio, running, clock, disk, dice
        self.score = Score()
        self.file = studio.folder / "darkroom.db"
        self.accepted: set[str] = set()
        self.refused: set[str] = set()
        self.polls: defaultdict[str, list[datetime]] = defaultdict(list)
        self._requests_seen = 0

    async def furnish(self) -> None:
        await self.studio.set_key()
        self.lora = await self.studio.lora()
        world = self.studio.server._world
        world.timings = replace(world.timings, image_work_s=SLOW_S)
        self.untouched = await self.studio.dataset(user_id=ANNA + 1)
        await self.studio.begin()
        await self.studio.begin()

    async def suffer(self, name: str) -> None:
        await self._order()
        for _ in range(self.dice.randint(2, 5)):
            await self._pass(self.dice.randint(5, 10) * SECOND)
        await TROUBLES[name](self)
        self.score.tried += 1
        self.score.fired[name] += 1
        await self._recover()

    async def end(self) -> None:
        for wait in (TRAINS_IN, *(MINUTE,) * 4):
            await self._pass(wait)
        ends = await statuses(self.studio)
        self.score.bad["orders that did not end well"] += sum(status != "ready" for status in ends)
        self.score.bad["stored although refused"] += len(self.refused & self._stored())
        self.score.bad["accepted and lost"] += len(self.accepted - self._stored())
        await check_paid_and_told(self.studio, self.score)
        [status] = await self.studio.scalars(
            sa.select(tables.datasets.c.status).where(tables.datasets.c.id == self.untouched)
        )
        self.score.bad["photos deleted before their time"] += status is not DatasetStatus.OPEN
        self._check_polls()

    async def fail(self, fault: Fault) -> None:
        """Every statement of a kind fails, or every second one by chance."""
        for where, chance in self.dice.sample(WAYS_TO_FAIL, len(WAYS_TO_FAIL)):
            self.disk.fails, self.disk.spares = {where: fault}, functools.partial(self._is_spared, chance)
            await self._order()
            await self._pass(self.dice.randint(5, 15) * SECOND)
        self.disk.fails = {}

    def _is_spared(self, chance: float) -> bool:
        return self.dice.random() >= chance

    async def lock(self) -> None:
        """What the engine writes waits meanwhile, so nothing comes to rest."""
        other = take_lock(self.file)
        await self._order()
        self.clock.advance(30 * SECOND)
        await self._order()
        other.execute("ROLLBACK")
        other.close()
        await self._rest()

    async def set_clock(self, by: timedelta) -> None:
        self.clock.set_by = self.dice.choice((by, -by))
        for _ in range(self.dice.randint(1, 4)):
            await self._order()
            await self._pass(self.dice.randint(1, 30) * SECOND)
        self.clock.set_by = timedelta()

    async def suspend(self) -> None:
        await self._order()
        self.clock.stand_still_for(HOUR)
        await self._pass(timedelta())

    async def _order(self) -> None:
        prompt = f"{PROMPT}, {len(self.accepted) + len(self.refused)}"
        try:
            await self.studio.order(self.lora, prompt)
        except StorageTrouble:
            self.refused.add(prompt)
            self.score.fired["refused in a sentence"] += 1
        else:
            self.accepted.add(prompt)
            self.score.bad["acknowledged and not stored"] += prompt not in self._stored()

    async def _recover(self) -> None:
        """An order works at once, and soon nothing waits longer than its pause."""
        refused = len(self.refused)
        await self._order()
        self.score.bad["refused after it was over"] += len(self.refused) - refused
        for _ in range(RECOVERS_WITHIN // (5 * SECOND)):
            await self._pass(5 * SECOND)
        timings = self.studio.timings
        for table, pause in ((tables.trainings, timings.poll), (tables.generations, timings.generation_poll_max)):
            waiting = sa.select(table.c.id).where(
                table.c.finished_at.is_(None), table.c.due_at > self.clock.now() + pause
            )
            self.score.bad["waits longer than its pause"] += len(await self.studio.scalars(waiting))

    async def _pass(self, time: timedelta) -> None:
        self.clock.advance(time)
        await self._rest()

    async def _rest(self) -> None:
        """Until the engine waits for a later time; every poll that it has made is noted."""
        await eventually(self._is_at_rest)
        requests = self.studio.server.requests
        for seen in requests[self._requests_seen :]:
            if seen.method == "GET" and seen.path.startswith(("/v2/jobs/", "/v2/loras/")):
                self.polls[seen.path].append(self.clock())
        self._requests_seen = len(requests)

    def _is_at_rest(self) -> bool:
        lanes: list[Lane] = list(self.engine._lanes)
        sleeping = self.clock.sleeping_until
        is_busy = any(lane.running or lane.rows.wake.is_set() for lane in lanes)
        return not is_busy and len(sleeping) == len(lanes) + 1 and sleeping[0] > self.clock.now()

    def _stored(self) -> set[str]:
        """The prompts that another process sees."""
        with contextlib.closing(sqlite3.connect(self.file)) as other:
            prompts = [prompt for (prompt,) in other.execute("SELECT prompt FROM generations")]
        return {prompt[prompt.index(PROMPT) :] for prompt in prompts}

    def _check_polls(self) -> None:
        timings = self.studio.timings
        for path, times in self.polls.items():
            pauses: Iterator[timedelta] = itertools.repeat(timings.poll)
            if path.startswith("/v2/jobs/"):
                growing = (timings.generation_poll * 1.5**number for number in itertools.count())
                pauses = itertools.chain(
                    itertools.takewhile(lambda pause: pause < timings.generation_poll_max, growing),
                    itertools.repeat(timings.generation_poll_max),
                )
            planned, left = 1, times[-1] - times[0]
            for pause in pauses:
                left -= pause
                if left < timedelta():
                    break
                planned += 1
            self.score.bad["polls beyond the plan"] += max(0, len(times) - round(planned * OFTENER_MOST + 0.5))


TROUBLES: dict[str, Callable[[Life], Awaitable[None]]] = {
    "a full disk": lambda life: life.fail(FULL),
    "a disk that is read-only": lambda life: life.fail(READ_ONLY),
    "an I/O error": lambda life: life.fail(IO_ERROR),
    "another program's lock": Life.lock,
    "a clock 10 minutes wrong": lambda life: life.set_clock(10 * MINUTE),
    "a clock a day wrong": lambda life: life.set_clock(DAY),
    "an hour of sleep": Life.suspend,
}


async def suffer_often(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    while score.tried < amount:
        async with _living(dice) as life:
            await life.furnish()
            for name in dice.sample(list(TROUBLES), len(TROUBLES)):
                await life.suffer(name)
            await life.end()
        score.tried += life.score.tried
        score.bad += life.score.bad
        score.fired += life.score.fired
    return score


@contextlib.asynccontextmanager
async def _living(dice: random.Random) -> AsyncIterator[Life]:
    clock = SetClock()
    with pytest.MonkeyPatch.context() as patch:
        disk = open_disk(patch)
        # People hear that it is busy at once: how long they wait for that is a test of its own.
        patch.setattr(writer, "PATIENCE_S", 0.0)
        patch.setattr(database, "LOCK_TRY_MS", 5)
        async with fresh_studio(clock) as studio:
            opened = studio.opened
            lanes = Engine(build_lanes(opened, build_services(opened)), clock=clock, timings=opened.timings)
            running = asyncio.create_task(lanes.run())
            try:
                yield Life(studio, lanes, clock, disk, dice)
            finally:
                running.cancel()
                await asyncio.wait({running})


def acknowledge_what_was_not_committed(patch: pytest.MonkeyPatch) -> None:
    """People hear "accepted" although the commit failed."""
    real = Database.write

    async def write(self: Database, transaction: Transaction[Any]) -> Any:
        results = []

        async def remember(connection: AsyncConnection) -> Any:
            results.append(await transaction(connection))
            return results[-1]

        try:
            return await real(self, remember)
        except StorageTrouble:
            if results and not writer._is_patient.get():
                return results[-1]
            raise

    patch.setattr(Database, "write", write)


def believe_every_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SystemClock, "now", lambda self: self._read())


def wait_as_after_failures(patch: pytest.MonkeyPatch) -> None:
    """A row that was looked at often waits ten minutes because the disk failed once."""
    patch.setattr(engine, "StorageTrouble", LeaseLost)


ROW = Row(
    "T28",
    "trouble with disk, lock and clock",
    "0 acknowledged and not stored, works again within 60 s",
    (7, 84),
    (*TROUBLES, "refused in a sentence"),
    suffer_often,
    (acknowledge_what_was_not_committed, believe_every_clock, wait_as_after_failures),
)
