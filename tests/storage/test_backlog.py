"""What waits is counted right, by questions that read the start of an index, however many rows there are."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process.readings import LANES, OPEN, what_waits
from bot.records.job import LaneName
from bot.storage import backlog
from bot.storage.database import Database
from bot.storage.tables import posts, trainings
from tests.fakes.clock import NOON
from tests.fakes.rows import add_post, add_training

MINUTE = timedelta(minutes=1)


async def oldest(database: Database) -> timedelta | None:
    since = await database.fetch(backlog.oldest_due, trainings, NOON)
    return None if since is None else NOON - since


@pytest.mark.both
async def test_the_oldest_row_that_nobody_works_on_counts(database: Database) -> None:
    """Mutant: a step that takes long, which looks like a row that nobody does."""
    assert await oldest(database) is None
    await add_training(database, 1, due_at=NOON + MINUTE)
    assert await oldest(database) is None
    await add_training(database, 2, due_at=NOON - 3 * MINUTE)
    await add_training(database, 3, due_at=NOON - 2 * MINUTE)
    await add_training(database, 4, due_at=NOON - 9 * MINUTE, lease_owner="x", lease_until=NOON + MINUTE)
    assert await oldest(database) == 3 * MINUTE


async def give_status(database: Database, table: sa.Table, row_id: int, status: str, due_at: datetime | None) -> None:
    given = sa.update(table).where(table.c.id == row_id).values(status=status, due_at=due_at)

    async def transaction(connection: AsyncConnection) -> None:
        await connection.execute(given)

    await database.write(transaction)


async def counted(database: Database, lane: LaneName) -> dict[str, int]:
    statuses, sleeps = OPEN[lane]
    async with database.read() as connection:
        return await backlog.open_by_status(connection, LANES[lane], statuses, NOON, sleeps=sleeps)


@pytest.mark.both
async def test_rows_that_have_not_ended_are_counted_those_without_a_date_too(database: Database) -> None:
    rows = [("queued", None), ("queued", NOON), ("submitting", NOON + MINUTE), ("ready", NOON)]
    for number, (status, due_at) in enumerate(rows, start=1):
        row_id = await add_training(database, number, due_at=due_at)
        await give_status(database, trainings, row_id, status, due_at)
    assert await counted(database, LaneName.TRAININGS) == {"queued": 2, "submitting": 1, "submitted": 0, "training": 0}


@pytest.mark.both
async def test_posts_that_went_out_are_not_even_looked_at(database: Database) -> None:
    await give_status(database, posts, await add_post(database, 1), "posted", None)
    await add_post(database, 2)
    assert await counted(database, LaneName.POSTS) == {"pending": 1, "sending": 0}


@pytest.mark.sqlite
async def test_no_question_reads_a_whole_table(database: Database) -> None:
    """Mutant: rows grouped by status, which reads every row there ever was."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement != "BEGIN":
            asked.append((statement, parameters))

    engine = database._read_engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    await what_waits(database, NOON)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(asked) > len(LANES)
    async with database.read() as connection:
        for statement, parameters in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row.detail for row in plan]
            assert [step for step in steps if step.startswith("SCAN") and "anon" not in step] == [], statement
            assert any("_due_at" in step for step in steps), statement
