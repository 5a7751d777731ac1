"""What was acknowledged is there after a power cut, whenever it comes, and the file is whole."""

import asyncio
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.training import Training
from bot.storage import driver, meta, tables
from bot.storage.database import Database, sqlite_url
from bot.storage.due import DueRows
from tests.fakes.clock import NOON
from tests.fakes.rows import add_training
from tests.storage.power.disk import RecordingDisk, Replay
from tests.storage.power.recorded_sqlite import RecordedSqlite

CUTS = int(os.environ.get("DARKROOM_POWER_CUTS", "60"))
ROUNDS = 40 + CUTS // 20
AT_ONCE_MAX = 12
SEED = 20261130


@dataclass(slots=True)
class Losses:
    """What the cuts took: rows by cut, files that SQLite finds damaged, and cuts that came between write and sync."""

    rows: list[list[str]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    in_log: int = 0
    in_database: int = 0


@pytest.fixture
def disk() -> Iterator[RecordingDisk]:
    disk = RecordingDisk("recording")
    yield disk
    disk.unregister()


class Life:
    """Members and the engine write at once; each acknowledged write becomes a promise."""

    def __init__(self, database: Database, disk: RecordingDisk, chance: random.Random) -> None:
        self.database, self.disk, self.chance = database, disk, chance
        self.rows = DueRows(database, tables.trainings, Training)
        self.number = 0

    async def live(self) -> None:
        for _ in range(ROUNDS):
            await asyncio.gather(*(self._act() for _ in range(self.chance.randint(1, AT_ONCE_MAX))))
            if self.chance.random() < 0.1:
                await self.database.wipe_log()

    async def _act(self) -> None:
        self.number += 1
        await self.chance.choice([self._remember, self._start, self._work])(self.number)

    async def _remember(self, number: int) -> None:
        value = self.chance.randbytes(self.chance.randint(1, 5000))

        async def transaction(connection: AsyncConnection) -> None:
            await meta.put(connection, f"key-{number}", value)

        await self.database.write(transaction)
        self.disk.promise(f"key-{number}")

    async def _start(self, number: int) -> None:
        self.disk.promise(f"training-{await add_training(self.database, number)}", 0)

    async def _work(self, number: int) -> None:
        for claim in await self.rows.claim(owner=f"{number}", now=NOON, until=NOON + timedelta(minutes=1), limit=3):
            await self.rows.postpone(claim, due_at=NOON)
            self.disk.promise(f"training-{claim.id}", claim.row.attempt + 1)


async def record(disk: RecordingDisk, file: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> None:
    monkeypatch.setattr(driver, "sqlite3", RecordedSqlite(disk, **options))
    async with Database(sqlite_url(file)) as database:
        await Life(database, disk, random.Random(SEED)).live()


def content_of(file: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes()}


def cut(disk: RecordingDisk, before: dict[str, bytes], folder: Path) -> Losses:
    """Cut the power at CUTS moments, every second time with torn sectors, and look at what is left."""
    chance, losses, replay, played = random.Random(SEED), Losses(), Replay(before), 0
    folder.mkdir()
    for number, moment in enumerate(sorted(chance.randrange(len(disk.log)) for _ in range(CUTS))):
        for entry in disk.log[played:moment]:
            replay.play(entry)
        played = moment
        losses.in_log += any(name.endswith("-wal") for name in replay.unsynced)
        losses.in_database += any(name.endswith(".db") for name in replay.unsynced)
        left = replay.after_cut(chance if number % 2 else None)
        look(folder, left, replay.promised, losses)
    return losses


def look(folder: Path, left: dict[str, bytes], promised: dict[str, int], losses: Losses) -> None:
    for old in folder.iterdir():
        old.unlink()
    for name, content in left.items():
        (folder / name).write_bytes(content)
    try:
        with closing(sqlite3.connect(folder / "darkroom.db")) as connection:
            [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
            there = {str(row[0]): 1 for row in connection.execute("SELECT key FROM meta")}
            trainings = connection.execute("SELECT id, attempt FROM trainings")
            there |= {f"training-{id_}": attempt for id_, attempt in trainings if isinstance(attempt, int)}
    except sqlite3.DatabaseError as error:
        verdict, there = str(error), {}
    if verdict != "ok":
        losses.damaged.append(verdict)
    if lost := [row for row, value in promised.items() if there.get(row, -1) < value]:
        losses.rows.append(lost)


async def test_a_power_cut_takes_nothing_that_was_acknowledged_and_damages_no_file(
    disk: RecordingDisk, database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(database_file)
    await record(disk, database_file, monkeypatch)
    losses = cut(disk, before, tmp_path / "after")
    assert (losses.rows, losses.damaged) == ([], [])
    assert losses.in_log > CUTS / 10, "hardly a cut came between a write to the log and its sync"
    assert losses.in_database > 0, "no cut came in the middle of a checkpoint"


async def test_a_log_that_is_not_synced_with_each_commit_would_be_noticed(
    disk: RecordingDisk, database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(database_file)
    await record(disk, database_file, monkeypatch, synchronous="NORMAL")
    losses = cut(disk, before, tmp_path / "after")
    assert len(losses.rows) > CUTS / 2
    assert losses.damaged == []


async def test_a_checkpoint_without_any_sync_would_be_noticed(
    disk: RecordingDisk, database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(database_file)
    await record(disk, database_file, monkeypatch, synchronous="OFF")
    assert cut(disk, before, tmp_path / "after").damaged
