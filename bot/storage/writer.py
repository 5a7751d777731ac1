"""The one writer of a database: several writes in a commit, patience with other programs, an end in bounded time."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.clock import Wakeups
from bot.errors import StorageTrouble
from bot.process import journal
from bot.storage import postgres
from bot.storage.driver import Connection
from bot.storage.trouble import AWAY, STOPPING, reason, sentence_of, stops_all, told

log = logging.getLogger(__name__)

T = TypeVar("T")
Transaction = Callable[[AsyncConnection], Awaitable[T]]
Commit = Callable[[AsyncConnection, Callable[[], Awaitable[list[Any]]]], Awaitable[list[Any]]]
"""Runs what it is given in a transaction of the connection; its result, once that is durable."""

DUE = "tables with new due rows"
NOTED = "changes of state"
GROUP_MAX = 1024
"""Most writes in one commit. A commit costs one fsync, however many writes it holds."""
LOCK_TRY_MS = 400
"""How long one try waits for another program's lock on the SQLite file."""
PATIENCE_S = 1.8
"""How long a write of a person waits for that lock; with the last try it is answered within 2.5 seconds."""
PAUSE_S = 0.02
AWAY_PAUSE_S = 0.5
WIPE_AGAIN_S = 60.0
CLOSE_S = 3.0

_is_patient = ContextVar("is_patient", default=False)


@contextlib.contextmanager
def patient_writes() -> Iterator[None]:
    """Writes in here, and in tasks that are begun in here, wait for the file's lock as long as it takes."""
    token = _is_patient.set(True)
    try:
        yield
    finally:
        _is_patient.reset(token)


@dataclass(slots=True)
class _Pending:
    transaction: Transaction[Any]
    wipes_log: bool = False
    is_patient: bool = field(default_factory=_is_patient.get)
    since: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Writer:
    """Writes through one connection of `engine`, one group after the other, from `start` to `close`."""

    def __init__(self, engine: AsyncEngine, wakeups: Wakeups, commit: Commit) -> None:
        self._engine = engine
        self._wakeups = wakeups
        self._commit_one = commit
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._wiping_again: asyncio.TimerHandle | None = None
        self._trouble: str | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="database-writer")

    async def watch(self) -> None:
        """Return, or raise, when the writer has ended."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def write(self, transaction: Transaction[T]) -> T:
        """The result of `transaction` once it is durable.

        StorageTrouble, with a sentence, when the file is locked or the server away for longer than a person waits, or
        the disk fails; then nothing of it is stored, unless it is CommitInDoubt.
        """
        pending = _Pending(transaction)
        self._put(pending)
        result: T = await pending.done
        return result

    def wipe_log(self) -> None:
        self._put(_Pending(_nothing, wipes_log=True, is_patient=True))

    async def close(self) -> None:
        """Store what is under way, then end. Takes at most twice CLOSE_S, whatever the disk does."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._queue.join()
        except TimeoutError:
            log.error("The last writes could not be stored within %.0f s", CLOSE_S)
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=CLOSE_S)
        if self._wiping_again is not None:
            self._wiping_again.cancel()

    def _put(self, pending: _Pending) -> None:
        if self._task is None or self._task.done():
            pending.done.set_exception(StorageTrouble(STOPPING))
            # The log is wiped for nobody who would ask.
            pending.done.exception()
        else:
            self._queue.put_nowait(pending)

    async def _run(self) -> None:
        try:
            async with self._engine.connect() as connection:
                while True:
                    group = [await self._queue.get()]
                    try:
                        group += self._waiting(GROUP_MAX - 1)
                        await self._commit_group(connection, group)
                        if any(pending.wipes_log for pending in group):
                            await self._wipe(connection)
                    finally:
                        self._finish(group)
        finally:
            self._finish(self._waiting(self._queue.qsize()))

    def _waiting(self, most: int) -> list[_Pending]:
        return [self._queue.get_nowait() for _ in range(min(most, self._queue.qsize()))]

    def _finish(self, group: list[_Pending]) -> None:
        """Whoever has no answer yet gets one: the writer has ended before theirs was stored."""
        for pending in group:
            self._queue.task_done()
            if not pending.done.done():
                pending.done.set_exception(StorageTrouble(STOPPING))
                pending.done.exception()

    async def _commit_group(self, connection: AsyncConnection, group: list[_Pending]) -> None:
        """Give every write of `group` its answer. What comes in while none gets through joins the
        group."""
        while unanswered := [pending for pending in group if not pending.done.done()]:
            try:
                await self._commit(connection, unanswered)
            except postgres.LockTaken:
                raise
            except postgres.CommitInDoubt as error:
                _refuse(unanswered, error)
            except Exception as error:  # noqa: BLE001 - whatever a write raises belongs to its caller
                if stops_all(error):
                    self._note(error)
                    await asyncio.sleep(AWAY_PAUSE_S if sentence_of(error) == AWAY else PAUSE_S)
                    group += self._waiting(self._queue.qsize())
                    _tell_impatient(group, told(error))
                elif len(unanswered) > 1:
                    for pending in unanswered:
                        await self._commit_group(connection, [pending])
                else:
                    _refuse(unanswered, self._told(error))

    async def _commit(self, connection: AsyncConnection, group: list[_Pending]) -> None:
        due: set[str] = set()
        noted: list[journal.Change | journal.Settled] = []

        async def transaction() -> list[Any]:
            connection.info[DUE], connection.info[NOTED] = due, noted
            noted.clear()  # of a try that was undone
            return [await pending.transaction(connection) for pending in group]

        results = await self._commit_one(connection, transaction)
        self._trouble = None
        for pending, result in zip(group, results, strict=True):
            if not pending.done.done():
                pending.done.set_result(result)
        self._wakeups.wake(*due)
        journal.tell(noted)

    def _told(self, error: Exception) -> Exception:
        self._note(error)
        return told(error)

    def _note(self, error: Exception) -> None:
        """Log the same trouble once, not for every write that it stops."""
        sentence = sentence_of(error)
        if sentence is not None and sentence != self._trouble:
            log.error("The database cannot be written: %s", reason(error))
        self._trouble = sentence

    async def _wipe(self, connection: AsyncConnection) -> None:
        """Overwrite the write-ahead log; when that fails, or readers are at work, do it later."""
        try:
            is_wiped = await _truncate_log(connection)
        except Exception as error:  # noqa: BLE001 - a failing checkpoint must not end the writer
            log.warning("The write-ahead log could not be overwritten, which is tried again: %s", reason(error))
            is_wiped = False
        if self._wiping_again is not None:
            self._wiping_again.cancel()
        loop = asyncio.get_running_loop()
        self._wiping_again = None if is_wiped else loop.call_later(WIPE_AGAIN_S, self.wipe_log)


def _refuse(group: list[_Pending], error: Exception) -> None:
    """Whoever still waits gets this error; others have given up meanwhile."""
    for pending in group:
        if not pending.done.done():
            pending.done.set_exception(error)


def _tell_impatient(group: list[_Pending], error: Exception) -> None:
    now = asyncio.get_running_loop().time()
    for pending in group:
        if not pending.is_patient and not pending.done.done() and now - pending.since >= PATIENCE_S:
            pending.done.set_exception(error)


async def _nothing(_connection: AsyncConnection) -> None:
    """The transaction of a queue entry that only asks for the log to be wiped."""


async def _truncate_log(connection: AsyncConnection) -> bool:
    """Whether it was done; False when a reader was in the way."""
    driver = await driver_of(connection)
    # Not waiting for readers: writes wait behind this.
    await driver.run("PRAGMA busy_timeout=0")
    try:
        checkpoint = await driver.run("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        await driver.run(f"PRAGMA busy_timeout={LOCK_TRY_MS}")
    return not checkpoint.rows[0][0]


async def driver_of(connection: AsyncConnection) -> Connection:
    """SQLite's own connection, past SQLAlchemy."""
    return cast("Connection", (await connection.get_raw_connection()).driver_connection)


async def commit_on_thread(connection: AsyncConnection, write: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    """Run `write` in a transaction on the thread of a SQLite connection; what it returned, once that is durable."""
    driver = await driver_of(connection)
    try:
        return await driver.run_in_thread(_in_one_transaction(connection, write))
    except Exception:
        # A COMMIT that fails may leave its transaction open (sqlite.org/lang_transaction.html, 2.1).
        if driver.in_transaction:
            await driver.rollback()
        raise


async def _in_one_transaction(connection: AsyncConnection, write: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    async with connection.begin():
        return await write()
