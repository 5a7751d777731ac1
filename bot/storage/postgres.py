"""PostgreSQL: the lock that only one Darkroom has, and write transactions that the server may undo."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa
import stamina
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StartupError, StorageTrouble
from bot.storage.trouble import IN_DOUBT

T = TypeVar("T")

LOCK: Final = int.from_bytes(b"darkroom")
LOCK_WAIT_MS = 5000
"""How long a statement waits for a lock: a session that was killed may need a moment to give its own back."""
_LOCK_TIMEOUT: Final = "55P03"

NETWORK: Final = {
    "connect_timeout": 3,
    # A server that is gone without a word is noticed by this, and not after the quarter of an hour that TCP takes.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Patience with the network, in seconds and the last in milliseconds (PostgreSQL manual, 32.1.2)."""

_CONFLICTS: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: nothing is stored, the transaction is to run again (PostgreSQL manual, 13.5)."""
_AGAIN: Final = stamina.AsyncRetryingCaller(
    attempts=10, timeout=None, wait_initial=0.005, wait_max=0.5, wait_jitter=0.05
)


class LockTaken(StartupError):
    """Another process has the database."""


class CommitInDoubt(StorageTrouble):
    """The connection broke during a commit: nobody knows whether it is stored."""


def write_engine(url: URL) -> AsyncEngine:
    """One connection, which has the lock: without the lock nothing can be written, after a lost connection either.

    LockTaken where it cannot be had.
    """
    engine = create_async_engine(
        url,
        pool_size=1,
        max_overflow=0,
        isolation_level="SERIALIZABLE",
        connect_args={"application_name": f"darkroom-{secrets.token_hex(8)}", **NETWORK},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        try:
            _take_lock(connection)
        except Exception as error:
            connection.close()
            if getattr(error, "sqlstate", None) != _LOCK_TIMEOUT:
                raise
            raise LockTaken(
                f"Another Darkroom is already running on {url.render_as_string()}. "
                "Stop it first, or give this one a database of its own with DARKROOM_DATABASE_URL."
            ) from error

    return engine


def read_engine(url: URL) -> AsyncEngine:
    """Connections on which all statements of a transaction see the same moment, as SQLite's do."""
    return create_async_engine(
        url, pool_size=8, pool_pre_ping=True, isolation_level="REPEATABLE READ", connect_args=dict(NETWORK)
    )


async def commit(connection: AsyncConnection, write: Callable[[], Awaitable[T]]) -> T:
    """Run `write` in a transaction, again when the server has undone it; what it returned, once that is durable.

    Raises CommitInDoubt, and what the last of several tries raised.
    """
    return await _AGAIN(_is_undone, _commit_once, connection, write)


async def _commit_once(connection: AsyncConnection, write: Callable[[], Awaitable[T]]) -> T:
    is_written = False
    try:
        async with connection.begin():
            written = await write()
            is_written = True
    except sa.exc.DBAPIError as error:
        if is_written and error.connection_invalidated:
            raise CommitInDoubt(IN_DOUBT) from error
        raise
    return written


def _is_undone(error: Exception) -> bool:
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _take_lock(connection: Any) -> None:
    cursor = connection.cursor()
    for statement in (
        # A client that is gone without a word keeps its lock until TCP notices: by default after two hours.
        "SET tcp_keepalives_idle = 10",
        "SET tcp_keepalives_interval = 5",
        "SET tcp_keepalives_count = 3",
        f"SET lock_timeout = {LOCK_WAIT_MS}",
        # Our own broken connection, which the server still believes in.
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()",
        f"SELECT pg_advisory_lock({LOCK})",
    ):
        cursor.execute(statement)
    cursor.close()
    connection.commit()
