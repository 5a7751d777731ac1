"""Access to the database: one writer that puts several writes into a commit, and separate readers."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import filelock
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.clock import Wakeups
from bot.errors import StartupError
from bot.process.folders import ELSEWHERE, unlockable, unusable
from bot.process.permissions import FILE_MODE, FOLDER_MODE, restrict
from bot.storage import postgres
from bot.storage.driver import Connection
from bot.storage.inherited import Inherited, inherit
from bot.storage.migrations import UnfitSchema, upgrade
from bot.storage.reader import Reader
from bot.storage.trouble import is_of_file_system, reason, told
from bot.storage.writer import CLOSE_S, DUE, LOCK_TRY_MS, Transaction, Writer, commit_on_thread, driver_of

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

READERS, ASKED_AT_ONCE = 3, 2
"""Connections of SQLite for those who read several things, and for groups of questions."""
READ_BUSY_MS = 2000
"""How long a reader waits for another program's lock on the SQLite file."""


NO_WAL = (
    "The file system of {file} cannot hold a database that is read while it is written, as network disks cannot. "
    f"Please {ELSEWHERE}, or keep the database in PostgreSQL with DARKROOM_DATABASE_URL."
)
"""The shared memory of a WAL database needs a file that can be mapped, with locks (sqlite.org/wal.html, 1)."""


def sqlite_url(file: Path) -> str:
    return URL.create("sqlite+aiosqlite", database=str(file)).render_as_string()


class Database:
    """Async context manager. Opening takes the lock, migrates to the newest schema and starts the writer."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url)
        self.wakeups = Wakeups()
        self._lock: filelock.BaseFileLock | None = None
        self.writer: Writer | None = None
        """Once it is open."""
        self.inherited = Inherited()
        self.upgraded: str
        """Once it is open: the sentence that says which schema it had and has."""
        self._reader: Reader | None = None
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
            self._lock = None if self.file is None else take_lock(self.file)
            self._write_engine = _sqlite_engine(self._url, begin="BEGIN IMMEDIATE", connections=1, busy_ms=LOCK_TRY_MS)
            self._read_engine = _sqlite_engine(
                self._url, begin="BEGIN", connections=READERS + ASKED_AT_ONCE, busy_ms=READ_BUSY_MS
            )
        else:
            self._write_engine = postgres.write_engine(self._url)
            self._read_engine = postgres.read_engine(self._url)
        try:
            await self._migrate()
        except BaseException as error:
            await self.__aexit__()
            if isinstance(error, UnfitSchema | sa.exc.DatabaseError | OSError):
                raise StartupError(self._cannot_be_opened(error)) from error
            raise
        if self.is_sqlite:
            _restrict_files(self.file)
            self._reader = Reader(self._read_engine, ASKED_AT_ONCE)
        self.writer = Writer(self._write_engine, self.wakeups, commit_on_thread if self.is_sqlite else postgres.commit)
        self.writer.start()
        return self

    async def _migrate(self) -> None:
        async with self._write_engine.connect() as connection:
            if self.is_sqlite:
                # A step that builds a table anew drops the old one, and with it every row that refers to it
                # (sqlite.org/lang_altertable.html, 7). It has no effect inside a transaction.
                await (await driver_of(connection)).run("PRAGMA foreign_keys=OFF")
            async with connection.begin():
                self.upgraded = await connection.run_sync(upgrade)
                self.inherited = await inherit(connection)
            if self.is_sqlite:
                await (await driver_of(connection)).run("PRAGMA foreign_keys=ON")

    async def __aexit__(self, *_exc: object) -> None:
        if self.writer is not None:
            await self.writer.close()
        if self._reader is not None:
            await self._reader.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._write_engine.dispose()
                await self._read_engine.dispose()
        except TimeoutError:
            log.error("The database could not be closed within %.0f s", CLOSE_S)
        if self._lock is not None:
            self._lock.release()

    async def write(self, transaction: Transaction[T]) -> T:
        """Run `transaction` in a write transaction; return once it is durable.

        `transaction` may run twice: when another write of its group fails, the group is undone and each
        write runs again alone; PostgreSQL may undo a group because of what others do. So it must do nothing
        but talk to the connection it is given; on SQLite, where a group runs on that connection's thread,
        it gets a RuntimeError otherwise.
        Raises StorageTrouble, with a sentence, when the disk fails, another program holds the file for too long, or
        the server is away.
        """
        assert self.writer is not None  # it is there as long as the database is open
        return await self.writer.write(transaction)

    async def wipe_log(self) -> None:
        """Overwrite what erased rows left in SQLite's write-ahead log. Readers at work put it off to a later time."""
        if self.writer is not None and self.is_sqlite:
            self.writer.wipe_log()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._read_engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise told(error) from error.__cause__

    async def fetch(
        self, question: Callable[Concatenate[AsyncConnection, P], Awaitable[T]], *args: P.args, **options: P.kwargs
    ) -> T:
        """The answer of one function of bot/storage, which must do nothing but talk to the connection it is given.

        On SQLite, questions that wait at the same time share a connection and its transaction.
        """
        if self._reader is None:
            async with self.read() as connection:
                return await question(connection, *args, **options)

        async def asked(connection: AsyncConnection) -> T:
            return await question(connection, *args, **options)

        try:
            return await self._reader.ask(asked)
        except sa.exc.DBAPIError as error:
            raise told(error) from error.__cause__

    def _cannot_be_opened(self, error: Exception) -> str:
        why = f"The database cannot be opened ({self._where()}): {reason(error)}."
        return f"{why} If it is on a network disk, {ELSEWHERE}." if is_of_file_system(error) else why

    def _where(self) -> str:
        return str(self.file) if self.is_sqlite else self._url.render_as_string(hide_password=True)


def note_due(connection: AsyncConnection, table: sa.Table) -> None:
    """Part of every write that sets `due_at`: once it is committed, the lane of this table looks at its rows."""
    connection.info[DUE].add(table.name)


def take_lock(file: Path) -> filelock.BaseFileLock:
    """A lock of the operating system, which ends with the process, however that ends."""
    lock = filelock.FileLock(f"{file}.lock", blocking=False, mode=FILE_MODE, thread_local=False, fallback_to_soft=False)
    try:
        file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(unusable(file.parent, error)) from error
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StartupError(
            f"Another Darkroom is already running on {file}. Stop it first, or give this one its own DARKROOM_DATA_DIR."
        ) from error
    except OSError as error:
        raise StartupError(unlockable(file.parent, error)) from error
    return lock


def _restrict_files(file: Path | None) -> None:
    if file is not None:
        for suffix in ("", "-wal", "-shm", ".lock"):
            restrict(Path(f"{file}{suffix}"), FILE_MODE)


def _sqlite_engine(url: URL, *, begin: str, connections: int, busy_ms: int) -> AsyncEngine:
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
        cursor.execute("PRAGMA journal_mode=WAL")
        (mode,) = cursor.fetchone()
        if mode != "wal":
            cursor.close()
            raise StartupError(NO_WAL.format(file=url.database))
        for pragma in (
            # NORMAL loses acknowledged rows in a power cut; FULL does not (sqlite.org/pragma.html#pragma_synchronous).
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={busy_ms}",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
