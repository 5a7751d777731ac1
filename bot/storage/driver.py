"""aiosqlite with fewer calls to its thread: the connection lives in a thread, and each call has to wait for it."""

import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one statement. `description` is None when it gives no rows, as DB-API 2.0 says (PEP 249)."""

    rows: list[Any]
    description: Sequence[Any] | None
    rowcount: int
    lastrowid: int | None


NOTHING = Outcome([], None, -1, None)


class Connection(aiosqlite.Connection):
    """One call to the thread for a statement and its rows, where aiosqlite needs four."""

    def __init__(self, file: str, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(file, **options), iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy does with those it opens itself

    async def run_in_thread(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine with all its statements in one call to the thread; its result.

        RuntimeError when it waits for anything but this connection.
        """
        result: T = await self._execute(_run_at_once, coroutine)
        return result

    async def run(self, statement: str, parameters: Any = ()) -> Outcome:
        outcome: Outcome = await self._execute(lambda: _fetch_all(self._conn.execute(statement, parameters)))
        return outcome

    async def run_many(self, statement: str, parameters: Any) -> Outcome:
        outcome: Outcome = await self._execute(lambda: _fetch_all(self._conn.executemany(statement, parameters)))
        return outcome

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is self._thread:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


class Cursor:
    """The cursor that SQLAlchemy expects (sqlalchemy.connectors.asyncio.AsyncIODBAPICursor)."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outcome = NOTHING

    async def __aenter__(self) -> "Cursor":
        return self

    @property
    def description(self) -> Sequence[Any] | None:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._outcome.lastrowid

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        self._outcome = await self._connection.run(statement, parameters)

    async def executemany(self, statement: str, parameters: Any) -> None:
        self._outcome = await self._connection.run_many(statement, parameters)

    async def fetchall(self) -> list[Any]:
        return self._outcome.rows

    async def close(self) -> None:
        """SQLite's own cursor was closed when its rows had been fetched."""


def _fetch_all(cursor: sqlite3.Cursor) -> Outcome:
    rows = cursor.fetchall() if cursor.description else []
    outcome = Outcome(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return outcome


def _run_at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    coroutine.close()
    raise RuntimeError("a write must not wait for anything but its connection")
