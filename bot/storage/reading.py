"""A look at the database from beside a running Darkroom: it takes no lock that holds anybody up and changes nothing."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StartupError
from bot.storage.driver import Connection
from bot.storage.postgres import NETWORK
from bot.storage.trouble import reason

READ_BUSY_MS = 2000
_VERSIONS_AT = 18
_WAL = b"\x02\x02"
"""The file's read and write version (sqlite.org/fileformat.html, 1.3)."""


class NoDatabase(StartupError):
    """There is no file yet."""


class OpenedMeanwhile(StartupError):
    """A Darkroom has been started while its file was taken for one that nobody has open: look again."""


@contextlib.asynccontextmanager
async def read_only(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection on which everything but reading fails. StartupError, with a sentence, when there can be none.

    SQLite: readers of a WAL database share a `-shm` file with its writer and would make it, and `-wal`, where they are
    missing. They are missing only while nobody has the file open: then it is read as one that does not change.
    """
    made = make_url(url)
    is_sqlite = made.get_backend_name() == "sqlite"
    file = Path(made.database) if is_sqlite and made.database else None
    is_at_rest = file is not None and _is_at_rest(file)
    engine = _sqlite_engine(file, is_at_rest=is_at_rest) if file is not None else _postgres_engine(made)
    where = str(file) if is_sqlite else made.render_as_string(hide_password=True)
    try:
        async with engine.connect() as connection:
            yield connection
    except (sa.exc.DatabaseError, OSError) as error:
        raise StartupError(f"It cannot be read ({where}): {reason(error)}.") from error
    finally:
        await engine.dispose()
    if file is not None and is_at_rest and not _is_at_rest(file):
        raise OpenedMeanwhile("A Darkroom was just being started on it. Look again.")


def _is_at_rest(file: Path) -> bool:
    """Whether no connection has this file open. NoDatabase without a file."""
    try:
        with file.open("rb") as opened:
            opened.seek(_VERSIONS_AT)
            versions = opened.read(2)
        log, shared = (Path(f"{file}{suffix}").exists() for suffix in ("-wal", "-shm"))
    except FileNotFoundError:
        raise NoDatabase(f"There is none yet at {file}.") from None
    except OSError as error:
        raise StartupError(f"It cannot be read ({file}): {error.strerror}.") from None
    if log and not shared:
        raise StartupError(f"{file} has a -wal file without its -shm file, as a copy of a running bot's folder has.")
    return versions == _WAL and not log


def _sqlite_engine(file: Path, *, is_at_rest: bool) -> AsyncEngine:
    query = {"mode": "ro", "uri": "true"} | ({"immutable": "1"} if is_at_rest else {})
    url = URL.create("sqlite+aiosqlite", database=file.absolute().as_uri(), query=query)
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"async_creator_fn": Connection, "timeout": READ_BUSY_MS / 1000}
    )

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        """All questions see the same moment."""
        connection.exec_driver_sql("BEGIN")

    return engine


def _postgres_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        connect_args={"options": "-c default_transaction_read_only=on", **NETWORK},
    )
