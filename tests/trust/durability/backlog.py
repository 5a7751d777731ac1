"""T03: the bot dies with a hundred thousand open jobs and starts again; each gets its turn, none is paid for again."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import DueRows
from tests.fakes.lives import life_on
from tests.fakes.studio import Studio
from tests.trust.durability.job_books import sent
from tests.trust.durability.order_kills import furnish_apiframe, order_pictures, send_trainings_without_a_look
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

UNKNOWN = 5
"""Orders of each kind whose answer the dead bot never got."""
CHUNK = 1000
LANES = {
    LaneName.TRAININGS: (tables.trainings, TrainingStatus.TRAINING),
    LaneName.GENERATIONS: (tables.generations, GenerationStatus.SUBMITTED),
}


async def start_with(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    async with fresh_studio() as ground:
        folder = ground.folder / "lives"
        async with life_on(ground, folder) as life:
            await _order(life)
            for table, status in LANES.values():
                await _fill(life, table, status, amount // len(LANES), dice)
        ground.clock.advance(timedelta(seconds=1))
        async with life_on(ground, folder) as life:
            await _look(life, score)
            await _go_on(life, score)
    return score


async def _order(life: Studio) -> None:
    """The provider takes each order, and its answer is lost."""
    await furnish_apiframe(life)
    life.server.faults.next("POST /v2/loras", *[Fault.reset_after_accept()] * UNKNOWN)
    life.server.faults.next("POST /v2/images/generate", *[Fault.reset_after_accept()] * UNKNOWN)
    for _ in range(UNKNOWN):
        await life.begin()
        await order_pictures(life)
    await life.work(*LANES)


async def _fill(life: Studio, table: sa.Table, status: str, amount: int, dice: random.Random) -> None:
    """Copies of a job that is under way at the provider; the dead bot was at work on a third of them."""
    async with life.database.read() as connection:
        example = dict((await connection.execute(sa.select(table).limit(1))).mappings().one())
    del example["id"]
    now = life.clock.now()
    unique = [name for name in ("marker", "webhook_token", "idempotency_key") if name in example]

    def copy(number: int) -> dict[str, Any]:
        values = example | {name: f"{number}-{dice.getrandbits(64):x}" for name in unique}
        is_leased = not number % 3
        return values | {
            "status": status,
            "request_id": f"copy-{number}",
            "due_at": now + timedelta(seconds=dice.randint(-60, 20)),
            "lease_owner": "dead" if is_leased else None,
            "lease_until": now + timedelta(minutes=1) if is_leased else None,
        }

    for first in range(0, amount, CHUNK):
        copies = [copy(number) for number in range(first, min(amount, first + CHUNK))]

        async def transaction(connection: AsyncConnection, copies: Sequence[dict[str, Any]] = copies) -> None:
            await connection.execute(sa.insert(table), copies)

        await life.database.write(transaction)


async def _look(life: Studio, score: Score) -> None:
    for table, _ in LANES.values():
        is_open = table.c.finished_at.is_(None)
        open_jobs = len(await life.scalars(sa.select(table.c.id).where(is_open)))
        score.tried += open_jobs
        score.fired["open jobs"] += open_jobs
        held = sa.select(table.c.id).where(is_open, table.c.lease_owner.is_not(None))
        score.bad["held by the dead bot"] += len(await life.scalars(held))
        unplanned = sa.select(table.c.id).where(is_open, table.c.due_at.is_(None))
        score.bad["never due"] += len(await life.scalars(unplanned))


async def _go_on(life: Studio, score: Score) -> None:
    """Each job is taken up once and kept; with the orders of unknown outcome it really goes on."""
    life.clock.advance(life.timings.settle)
    for lane, (table, _) in LANES.items():
        turns = Counter[int]()
        while claims := await life.claim(lane, limit=CHUNK):
            turns.update(claim.id for claim in claims)
            for claim in claims:
                if claim.status == "submitting":
                    score.fired["orders of unknown outcome"] += 1
                    await life.step(lane, claim)
        waiting = await life.scalars(sa.select(table.c.id).where(table.c.request_id.startswith("copy-")))
        score.bad["without a turn"] += len(set(waiting) - set(turns))
        score.bad["with more than one turn"] += sum(turns[each] - 1 for each in waiting)
    score.bad["paid again"] += sent(life, "POST /v2/loras") + life.charges("images") - 2 * UNKNOWN
    score.bad["not found again"] += len(
        await life.scalars(sa.select(tables.trainings.c.id).where(tables.trainings.c.status == "submitting"))
    )


def leave_the_leases_of_the_dead(patch: pytest.MonkeyPatch) -> None:
    async def release_nothing(self: DueRows[Any]) -> None:
        del self

    patch.setattr(DueRows, "release_all", release_nothing)


ROW = Row(
    "T03",
    "a start with open jobs",
    "each has its turn, 0 paid again",
    (1000, 100_000),
    ("open jobs", "orders of unknown outcome"),
    start_with,
    (leave_the_leases_of_the_dead, send_trainings_without_a_look),
)
