"""Starting with work in the database, and the memory of a bot that rests."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.training import TrainingStatus
from bot.storage import tables
from tests.bench.environment import Stage, set_stage, wait_ready
from tests.bench.processes import started
from tests.bench.rows import Floor, NotMeasured, Row, Sample, Target, compare
from tests.bench.scale import Scale
from tests.bench.webhooks import open_training

OPEN_ROWS = 10_000
REST_S = 2.0


async def measure(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        async with set_stage(Path(name), people=1) as stage:
            memory = await measure_memory(stage, scale)
            await seed(stage)
            before = [await read_rows(stage) for _ in range(scale.starts)]
            product = [await start_and_answer(stage) for _ in range(scale.starts)]
            after = [await read_rows(stage) for _ in range(scale.starts)]
    floor = Floor("a process that imports the libraries and reads the open rows", before, after)
    what = f"start with {OPEN_ROWS:,} open rows to first answer"
    return [compare(what, "ms", product, floor, target=Target(ratio_most=2.0)), memory]


async def measure_memory(stage: Stage, scale: Scale) -> Row:
    """Also registers the commands, so that later starts find them unchanged as in life."""
    before = [await libraries_rss(stage) for _ in range(scale.starts)]
    async with stage.bot("darkroom") as bot:
        await wait_ready(bot)
        await asyncio.sleep(REST_S)
        resting = Sample(bot.rss_mb())
    after = [await libraries_rss(stage) for _ in range(scale.starts)]
    floor = Floor("a process that only imports the libraries", before, after)
    return compare("RSS of the bot at rest", "MB", [resting], floor, target=Target(ratio_most=1.4))


async def libraries_rss(stage: Stage) -> Sample:
    async with started("baseline", {}, stage.folder / "baseline.log") as child:
        return Sample((await child.says())["rss_mb"])


async def read_rows(stage: Stage) -> Sample:
    task = {"database": str(stage.data / "darkroom.db")}
    async with started("baseline", task, stage.folder / "baseline.log") as child:
        said = await child.says()
        took_s = time.monotonic() - child.started_at
        if said["rows"] != OPEN_ROWS:
            raise NotMeasured(f"the database holds {said['rows']} open rows instead of {OPEN_ROWS}")
        return Sample(took_s * 1000, said["cpu_ms"])


async def start_and_answer(stage: Stage) -> Sample:
    """From the making of the process to the arrival of its answer to /about, asked as soon as it is connected."""
    standin = stage.standin
    identifies = len(standin.gateway.identified_at) + 1
    async with stage.bot("darkroom") as bot:
        await standin.gateway.wait_connected(identifies=identifies)
        asked = await standin.slash(stage.crowd[0], stage.channel, "about")
        answered = await asked.responded()
        took_s = asked.dispatched_at + answered.latency_seconds - bot.started_at
        return Sample(took_s * 1000, bot.cpu_seconds() * 1000)


async def seed(stage: Stage) -> None:
    """Half of the trainings are queued, half submitted; none is due today."""
    now = datetime.now(UTC)
    async with stage.prepared() as darkroom:
        key_id = await stage.set_key(darkroom)
        rows = [open_training(stage, key_id, number, now) for number in range(OPEN_ROWS)]
        for number, row in enumerate(rows):
            sent = number % 2 == 0
            row.update(
                status=TrainingStatus.SUBMITTED if sent else TrainingStatus.QUEUED,
                request_id=f"bench-{number}" if sent else None,
                submitting_at=now if sent else None,
                submitted_at=now if sent else None,
            )

        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(sa.insert(tables.trainings), rows)

        await darkroom.database.write(transaction)
