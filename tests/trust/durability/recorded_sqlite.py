"""What the driver asks of the module sqlite3, on a SQLite whose disk is recorded."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apsw

from tests.trust.durability.recorded_disk import RecordingDisk

CHECKPOINT_PAGES = 50
"""SQLite's own 1,000 would make checkpoints too rare to be cut in two."""


class RecordedSqlite:
    """In place of the module."""

    def __init__(self, disk: RecordingDisk) -> None:
        self._disk = disk

    def connect(self, file: str, **_options: Any) -> "Connection":
        connection = Connection(apsw.Connection(file, vfs=self._disk.name))
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        return connection


class Connection:
    isolation_level: str | None = ""

    def __init__(self, real: apsw.Connection) -> None:
        self._real = real

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        return Cursor(self._real, statement, [parameters])

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> "Cursor":
        return Cursor(self._real, statement, parameters)

    def commit(self) -> None:
        if self._real.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._real.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, arguments: int, function: Callable[..., Any], **options: bool) -> None:
        self._real.create_scalar_function(name, function, arguments, **options)

    def close(self) -> None:
        self._real.close()


class Cursor:
    def __init__(self, real: apsw.Connection, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self.description: Sequence[Any] | None = None
        self._changes = False
        self._rows: list[Any] = []
        cursor = real.cursor()
        # apsw describes the columns only while a statement runs.
        cursor.exec_trace = self._describe
        before = real.total_changes()
        for values in parameters:
            self._rows += cursor.execute(statement, tuple(values)).fetchall()
        self.rowcount = real.total_changes() - before if self._changes else -1
        self.lastrowid = real.last_insert_rowid()

    def fetchall(self) -> list[Any]:
        return self._rows

    def close(self) -> None:
        """The statement has run to its end already."""

    def _describe(self, cursor: apsw.Cursor, _statement: str, _parameters: Any) -> bool:
        self.description = cursor.description or None
        self._changes = not cursor.is_readonly
        return True
