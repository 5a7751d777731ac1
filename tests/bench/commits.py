"""Durable commits in a second from many tasks, against a loop that commits one row at a time."""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus, SubjectKind
from bot.storage import tables
from bot.storage.database import Database, sqlite_url
from bot.storage.jobs import datasets
from tests.bench.rows import Floor, Row, Sample, Target, compare
from tests.bench.scale import Scale

TASKS = 64


async def measure(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        folder = Path(name)
        before = [await asyncio.to_thread(commit_one_by_one, folder, scale.commits) for _ in range(scale.rounds)]
        product = [await commit_from_tasks(folder, scale.commits) for _ in range(scale.rounds)]
        after = [await asyncio.to_thread(commit_one_by_one, folder, scale.commits) for _ in range(scale.rounds)]
    floor = Floor("sqlite3, WAL, synchronous=FULL, one row for each commit", before, after)
    what = f"durable commits from {TASKS} tasks"
    return [compare(what, "commits/s", product, floor, target=Target(ratio_least=3.0))]


async def commit_from_tasks(folder: Path, count: int) -> Sample:
    values = new_dataset()

    async def transaction(connection: AsyncConnection) -> int:
        return (await datasets.insert(connection, **values)).id

    async def write_some() -> None:
        for _ in range(count // TASKS):
            await database.write(transaction)

    async with Database(sqlite_url(folder / "darkroom.db")) as database:
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(write_some() for _ in range(TASKS)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(count / wall, cpu / count * 1000)


def commit_one_by_one(folder: Path, count: int) -> Sample:
    """The same row into the same table, with nothing between us and SQLite."""
    statement = sa.insert(tables.datasets).values(status=DatasetStatus.OPEN, **new_dataset())
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    row = {
        name: value.isoformat(" ") if isinstance(value, datetime) else value for name, value in compiled.params.items()
    }
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'datasets'").fetchone():
            create_table(connection)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            connection.execute(str(compiled), row)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(count / wall, cpu / count * 1000)


def create_table(connection: sqlite3.Connection) -> None:
    connection.execute(str(sa.schema.CreateTable(tables.datasets).compile(dialect=sqlite.dialect())))
    for index in tables.datasets.indexes:
        connection.execute(str(sa.schema.CreateIndex(index).compile(dialect=sqlite.dialect())))


def new_dataset() -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "guild_id": 1,
        "channel_id": 2,
        "user_id": 3,
        "name": "Rex",
        "subject_kind": SubjectKind.OBJECT,
        "gender": None,
        "ethnicity": None,
        "age": None,
        "steps": 1000,
        "rank": 32,
        "created_at": now,
        "due_at": now,
    }
