"""A disk that fails on command, as SQLite's driver sees it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.storage import database
from bot.storage.driver import Connection, Outcome

IO_ERROR = (sqlite3.SQLITE_IOERR, "disk I/O error")
FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
READ_ONLY = (sqlite3.SQLITE_READONLY, "attempt to write a readonly database")
Fault = tuple[int, str]


class Disk:
    """`fails` holds the fault of every statement that begins with a word ("COMMIT", "SELECT", "PRAGMA wal_checkpoint").

    `spares` is asked each time whether it lets the statement through; `hang` makes every commit wait until `go_on`.
    """

    def __init__(self) -> None:
        self.fails: dict[str, Fault] = {}
        self.spares: Callable[[], bool] = lambda: False
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.hanging = threading.Event()
        self.connections: list[Connection] = []

    def hang(self) -> None:
        self._may_go_on.clear()

    def go_on(self) -> None:
        self._may_go_on.set()

    async def is_hanging(self) -> None:
        assert await asyncio.to_thread(self.hanging.wait, 60)

    async def close_connections(self) -> None:
        """Those as well that a closing database has given up."""
        for connection in self.connections:
            await connection.close()

    def check(self, statement: str) -> None:
        for begin, (code, text) in self.fails.items():
            if statement.startswith(begin) and not self.spares():
                error = sqlite3.OperationalError(text)
                error.sqlite_errorcode = code
                raise error

    def wait(self) -> None:
        if not self._may_go_on.is_set():
            self.hanging.set()
            self._may_go_on.wait(60)


def open_disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Databases that are opened from now on lie on this disk."""
    disk = Disk()

    class FailingConnection(Connection):
        def __init__(self, file: str, **options: Any) -> None:
            super().__init__(file, **options)
            disk.connections.append(self)

        async def run(self, statement: str, parameters: Any = ()) -> Outcome:
            disk.check(statement)
            return await super().run(statement, parameters)

        async def commit(self) -> None:
            disk.check("COMMIT")
            await self._execute(disk.wait)
            await super().commit()

    monkeypatch.setattr(database, "Connection", FailingConnection)
    return disk


def take_lock(file: Path) -> sqlite3.Connection:
    """Another program holds the file's write lock until it says ROLLBACK."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other
