"""SQLite: copying the file of a running bot, and putting another one in its place in a single step."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from bot.errors import StartupError
from bot.storage import restored

PAGES = 2048
"""Copied in one call: 8 MB with pages of 4 KiB."""


def copy(file: Path, target: Path) -> None:
    """A whole copy as of this moment, while the bot writes.

    An open read transaction holds the moment; without it SQLite begins anew with each write of another process
    (sqlite.org/c3ref/backup_finish.html). `target` is one file, without a log beside it.
    """
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with _connected(f"{file.absolute().as_uri()}?mode=ro") as source, _connected(target.absolute().as_uri()) as copied:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copied, pages=PAGES)
        copied.execute("PRAGMA journal_mode=DELETE")


def check(file: Path) -> None:
    """StartupError when the file is damaged, or rows refer to rows that are missing."""
    with _connected(file.absolute().as_uri()) as connection:
        (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if said != "ok" or broken is not None:
        raise StartupError("The database in this backup is damaged. Use another backup.")


@contextlib.contextmanager
def written(file: Path) -> Iterator[sa.Connection]:
    """A transaction on a file that nobody else has."""
    engine = sa.create_engine(f"sqlite:///{file.absolute()}", poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def is_there(file: Path) -> bool:
    """Whether there is something to lose: a file that was opened once has a page."""
    return file.exists() and file.stat().st_size > 0


def settle(file: Path) -> None:
    """Put what lies in the log into the file itself, so that the file alone is the whole database.

    StartupError while another program has it open. A file that is too damaged stays as it is.
    """
    try:
        with _connected(file.absolute().as_uri()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return
        mode = "wal"
    if mode == "wal":
        raise StartupError(f"Another program has {file} open. Close it, then start again.")


def generation_of(file: Path) -> int:
    """How often this database was put back; 0 when it is too damaged to say."""
    try:
        with written(file) as connection:
            return restored.generation_of(connection)
    except sa.exc.DatabaseError:
        return 0


def keep_aside(file: Path, folder: Path) -> None:
    """The present file under another name, too; it stays where it is until it is replaced."""
    link_or_copy(file, folder / file.name)
    for log in _logs(file):
        # Only beside a damaged file: it would be taken for the log of the new one.
        log.replace(folder / log.name)


def drop_logs(file: Path) -> None:
    """Logs without their database."""
    for log in _logs(file):
        log.unlink()


def _logs(file: Path) -> list[Path]:
    return [log for suffix in ("-wal", "-shm", "-journal") if (log := Path(f"{file}{suffix}")).exists()]


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for the file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextlib.contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
