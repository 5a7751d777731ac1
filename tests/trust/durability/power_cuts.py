"""T01: power cuts in the middle of writes; what was acknowledged is there afterwards, and the file is whole."""

import asyncio
import random
import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.training import Training
from bot.storage import driver, meta, tables
from bot.storage.database import Database, sqlite_url
from bot.storage.due import DueRows
from tests.fakes.clock import NOON
from tests.fakes.rows import add_training
from tests.trust.durability.recorded_disk import RecordingDisk, Replay
from tests.trust.durability.recorded_sqlite import RecordedSqlite
from tests.trust.row import Row, Score

AT_ONCE_MAX = 12
FULL = "PRAGMA synchronous=FULL"


class Life:
    """Members and the engine write at once; each acknowledged write becomes a promise."""

    def __init__(self, database: Database, disk: RecordingDisk, dice: random.Random) -> None:
        self.database, self.disk, self.dice = database, disk, dice
        self.rows = DueRows(database, tables.trainings, Training)
        self.number = 0

    async def live(self, rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.gather(*(self._act() for _ in range(self.dice.randint(1, AT_ONCE_MAX))))
            if self.dice.random() < 0.1:
                await self.database.wipe_log()

    async def _act(self) -> None:
        self.number += 1
        await self.dice.choice([self._remember, self._start, self._work])(self.number)

    async def _remember(self, number: int) -> None:
        value = self.dice.randbytes(self.dice.randint(1, 5000))

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


async def cut_often(cuts: int, seed: int) -> Score:
    score, dice, disk = Score(), random.Random(seed), RecordingDisk("recording")
    try:
        with tempfile.TemporaryDirectory() as folder:
            file, after = Path(folder) / "darkroom.db", Path(folder) / "after"
            async with Database(sqlite_url(file)):
                pass
            before = {file.name: file.read_bytes()}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(driver, "sqlite3", RecordedSqlite(disk))
                async with Database(sqlite_url(file)) as database:
                    await Life(database, disk, dice).live(rounds=40 + cuts // 20)
            after.mkdir()
            _cut(disk, before, after, cuts, dice, score)
    finally:
        disk.unregister()
    return score


def _cut(
    disk: RecordingDisk, before: dict[str, bytes], folder: Path, cuts: int, dice: random.Random, score: Score
) -> None:
    """Cut the power at so many moments, every second time with torn sectors, and look at what is left."""
    replay, played = Replay(before), 0
    for number, moment in enumerate(sorted(dice.randrange(len(disk.log)) for _ in range(cuts))):
        for entry in disk.log[played:moment]:
            replay.play(entry)
        played = moment
        is_torn = bool(number % 2)
        score.tried += 1
        score.fired["torn" if is_torn else "clean"] += 1
        score.fired["between a write to the log and its sync"] += any(each.endswith("-wal") for each in replay.unsynced)
        score.fired["in the middle of a checkpoint"] += any(each.endswith(".db") for each in replay.unsynced)
        _look(folder, replay.after_cut(dice if is_torn else None), replay.promised, score)


def _look(folder: Path, left: dict[str, bytes], promised: dict[str, int], score: Score) -> None:
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
    score.bad["damaged files"] += verdict != "ok"
    score.bad["acknowledged rows lost"] += sum(there.get(row, -1) < value for row, value in promised.items())


def _sync_less(patch: pytest.MonkeyPatch, synchronous: str) -> None:
    real = driver.Connection.run

    async def run(self: driver.Connection, statement: str, parameters: Any = ()) -> driver.Outcome:
        return await real(self, statement.replace(FULL, f"PRAGMA synchronous={synchronous}"), parameters)

    patch.setattr(driver.Connection, "run", run)


def sync_at_checkpoints_alone(patch: pytest.MonkeyPatch) -> None:
    _sync_less(patch, "NORMAL")


def sync_never(patch: pytest.MonkeyPatch) -> None:
    _sync_less(patch, "OFF")


ROW = Row(
    "T01",
    "power cuts, clean and with torn sectors",
    "0 acknowledged rows lost, 0 damaged files",
    (100, 2000),
    ("clean", "torn", "between a write to the log and its sync", "in the middle of a checkpoint"),
    cut_often,
    (sync_at_checkpoints_alone, sync_never),
)
