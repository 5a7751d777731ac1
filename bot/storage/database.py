"""Access to the database: one writer that puts several writes into a commit, and separate readers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import filelock
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.clock import Wakeups
from bot.errors import StartupError
from bot.storage.driver import Connection
from bot.storage.migrations import NewerSchema, upgrade

T = TypeVar("T")
P = ParamSpec("P")
Transaction = Callable[[AsyncConnection], Awaitable[T]]
DUE = "tables with new due rows"

GROUP_MAX = 1024
"""Most writes in one commit. A commit costs one fsync, however many writes it holds."""
BUSY_MS = 5000
"""How long a statement waits for another program's lock on the SQLite file."""


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@dataclass(slots=True)
class _Pending:
    transaction: Transaction[Any]
    wipes_log: bool = False
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Database:
    """Async context manager. Opening takes the lock, migrates to the newest schema and starts the writer."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url)
        self.wakeups = Wakeups()
        self._lock: filelock.BaseFileLock | None = None
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._write_engine: AsyncEngine
        self._read_engine: AsyncEngine

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        return Path(self._url.database) if self.is_sqlite and self._url.database else None

    async def __aenter__(self) -> "Database":
        if self.is_sqlite:
            self._lock = _take_lock(self.file)
            self._write_engine = _sqlite_engine(self._url, begin="BEGIN IMMEDIATE", connections=1)
            self._read_engine = _sqlite_engine(self._url, begin="BEGIN", connections=4)
        else:
            self._write_engine = self._read_engine = create_async_engine(self._url, pool_size=8, pool_pre_ping=True)
        try:
            async with self._write_engine.begin() as connection:
                await connection.run_sync(upgrade)
        except (NewerSchema, sa.exc.DatabaseError, OSError) as error:
            await self.__aexit__()
            raise StartupError(f"The database cannot be opened ({self._where()}): {_reason(error)}.") from error
        self._writer = asyncio.create_task(self._write_groups(), name="database-writer")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._writer is not None:
            await self._queue.join()
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
        await self._write_engine.dispose()
        if self._read_engine is not self._write_engine:
            await self._read_engine.dispose()
        if self._lock is not None:
            self._lock.release()

    async def write(self, transaction: Transaction[T]) -> T:
        """Run `transaction` in a write transaction; return once it is durable.

        `transaction` may run twice: when another write of its group fails, the group is undone and each
        write runs again alone. So it must do nothing but talk to the connection it is given; on
        SQLite, where a group runs on that connection's thread, it gets a RuntimeError otherwise.
        """
        if not self.is_sqlite:
            due: set[str] = set()
            async with self._write_engine.begin() as connection:
                connection.info[DUE] = due
                written = await transaction(connection)
            self.wakeups.wake(*due)
            return written
        pending = _Pending(transaction)
        await self._queue.put(pending)
        result: T = await pending.done
        return result

    async def wipe_log(self) -> None:
        """Overwrite what erased rows left in SQLite's write-ahead log. Readers at work put it off to a later time."""
        if self.is_sqlite:
            await self._queue.put(_Pending(_nothing, wipes_log=True))

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._read_engine.connect() as connection:
            yield connection

    async def fetch(
        self, question: Callable[Concatenate[AsyncConnection, P], Awaitable[T]], *args: P.args, **options: P.kwargs
    ) -> T:
        """The answer of one function of bot/storage on a read connection of its own."""
        async with self.read() as connection:
            return await question(connection, *args, **options)

    async def _write_groups(self) -> None:
        async with self._write_engine.connect() as connection:
            while True:
                group = [await self._queue.get()]
                while len(group) < GROUP_MAX and not self._queue.empty():
                    group.append(self._queue.get_nowait())
                try:
                    await self._commit_group(connection, group)
                    if any(pending.wipes_log for pending in group):
                        await _truncate_log(connection)
                finally:
                    for _ in group:
                        self._queue.task_done()

    async def _commit_group(self, connection: AsyncConnection, group: list[_Pending]) -> None:
        group = [pending for pending in group if not pending.done.done()]
        due: set[str] = set()
        connection.info[DUE] = due
        try:
            driver = await _driver_of(connection)
            results = await driver.run_in_thread(_commit(connection, group))
        except Exception as error:  # noqa: BLE001 - whatever a write raises belongs to its caller
            if len(group) > 1:
                for pending in group:
                    await self._commit_group(connection, [pending])
            elif group and not group[0].done.done():
                group[0].done.set_exception(error)
            return
        for pending, result in zip(group, results, strict=True):
            if not pending.done.done():
                pending.done.set_result(result)
        self.wakeups.wake(*due)

    def _where(self) -> str:
        return str(self.file) if self.is_sqlite else self._url.render_as_string(hide_password=True)


def note_due(connection: AsyncConnection, table: sa.Table) -> None:
    """Part of every write that sets `due_at`: once it is committed, the lane of this table looks at its rows."""
    connection.info[DUE].add(table.name)


async def _nothing(_connection: AsyncConnection) -> None:
    """The transaction of a queue entry that only asks for the log to be wiped."""


async def _truncate_log(connection: AsyncConnection) -> None:
    driver = await _driver_of(connection)
    # Not waiting for readers: writes wait behind this.
    for pragma in ("busy_timeout=0", "wal_checkpoint(TRUNCATE)", f"busy_timeout={BUSY_MS}"):
        await driver.run(f"PRAGMA {pragma}")


async def _driver_of(connection: AsyncConnection) -> Connection:
    return cast("Connection", (await connection.get_raw_connection()).driver_connection)


async def _commit(connection: AsyncConnection, group: list[_Pending]) -> list[Any]:
    async with connection.begin():
        return [await pending.transaction(connection) for pending in group]


def _take_lock(file: Path | None) -> filelock.BaseFileLock | None:
    """A lock of the operating system, which ends with the process, however that ends."""
    if file is None:
        return None
    lock = filelock.FileLock(f"{file}.lock", blocking=False, thread_local=False, fallback_to_soft=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise StartupError(
            f"Another Darkroom is already running on {file}. Stop it first, or give this one its own DARKROOM_DATA_DIR."
        ) from error
    except OSError as error:
        raise StartupError(
            f"The data directory {file.parent} cannot be written ({error.strerror}). "
            "Give this user write access or set DARKROOM_DATA_DIR to another folder."
        ) from error
    return lock


def _sqlite_engine(url: URL, *, begin: str, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"async_creator_fn": Connection},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's own transaction handling is off: we say BEGIN ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            # NORMAL loses acknowledged rows in a power cut; FULL does not (sqlite.org/pragma.html#pragma_synchronous).
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MS}",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().rstrip(".")
