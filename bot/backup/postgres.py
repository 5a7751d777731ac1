"""PostgreSQL: its own pg_dump and pg_restore, under the lock that a running bot has."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.pool import NullPool

from bot.backup import contents
from bot.backup.contents import Contents
from bot.errors import StartupError
from bot.storage.migrations import UNFINISHED_RESTORE
from bot.storage.postgres import LOCK, NETWORK

OPTIONS = ("--no-owner", "--no-privileges")
"""Another server has other users."""
_UNFINISHED = sa.Table(UNFINISHED_RESTORE, sa.MetaData(), sa.Column("why", sa.Text))


def dump(url: URL, target: Path) -> Contents:
    """Everything as of one moment, while the bot writes: pg_dump sees the same as we who read beside it."""
    program = _found("pg_dump")
    target.touch(mode=0o600)
    with _connected(url, "REPEATABLE READ") as connection:
        snapshot = connection.scalar(sa.text("SELECT pg_export_snapshot()"))
        found = contents.read(connection)
        _run([program, "--format=custom", f"--snapshot={snapshot}", *OPTIONS, f"--file={target}"], url)
    return found


@contextlib.contextmanager
def locked(url: URL) -> Iterator[None]:
    """Meanwhile no bot starts on this database, and no other restore. StartupError while a bot has it."""
    with _connected(url, "AUTOCOMMIT") as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK))):
            raise StartupError(f"A Darkroom is running on {url.render_as_string()}. Stop it first.")
        yield


def check_empty(url: URL) -> None:
    """StartupError when there is something to lose; what an interrupted restore has left is nothing."""
    with _connected(url, "REPEATABLE READ") as connection:
        tables = set(sa.inspect(connection).get_table_names())
    if tables and UNFINISHED_RESTORE not in tables:
        raise StartupError(
            f"The database {url.render_as_string()} is not empty. "
            "Make a new one and name it in DARKROOM_DATABASE_URL; the old one stays as it is."
        )


def empty(url: URL) -> None:
    """Nothing is left in the database."""
    with _connected(url, "SERIALIZABLE") as connection, connection.begin():
        _drop_all(connection)


def begin(url: URL) -> None:
    """Empty the database and mark it, so that no bot starts on half of it."""
    with _connected(url, "SERIALIZABLE") as connection, connection.begin():
        _drop_all(connection)
        _UNFINISHED.create(connection)


def load(url: URL, dumped: Path) -> None:
    """Everything in one transaction. StartupError, with what the program said, when it does not go."""
    _run([_found("pg_restore"), "--single-transaction", "--exit-on-error", *OPTIONS, str(dumped)], url)


@contextlib.contextmanager
def finishing(url: URL) -> Iterator[sa.Connection]:
    """The transaction after which the database may be used."""
    with _connected(url, "SERIALIZABLE") as connection, connection.begin():
        yield connection
        _UNFINISHED.drop(connection)


def _drop_all(connection: sa.Connection) -> None:
    there = sa.MetaData()
    there.reflect(connection)
    there.drop_all(connection)


@contextlib.contextmanager
def _connected(url: URL, isolation_level: IsolationLevel) -> Iterator[sa.Connection]:
    options = dict(NETWORK)
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level=isolation_level, connect_args=options)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        said = str(error.orig).strip().splitlines()
        raise StartupError(
            f"The database {url.render_as_string()} cannot be used: {said[0] if said else ''}"
        ) from error


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise StartupError(
            f"The program {program} is not here. Install PostgreSQL's client programs of your server's version "
            "(Debian: postgresql-client), or start this command where they are."
        )
    return found


def _run(command: Sequence[str], url: URL) -> None:
    """The password goes by a file, because other users can read the arguments (PostgreSQL manual, 32.16)."""
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        plain = url.set(drivername="postgresql", password=None)
        if url.password is not None:
            escaped = str(url.password).replace("\\", "\\\\").replace(":", "\\:")
            password_file = Path(folder) / "pgpass"
            password_file.touch(mode=0o600)
            password_file.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
            plain = plain.update_query_dict({"passfile": str(password_file)})
        ran = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
            [*command, f"--dbname={plain.render_as_string(hide_password=False)}"],
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode:
        # An error, and mostly a line of detail, for example which versions do not fit.
        said = " ".join(line.strip() for line in ran.stderr.splitlines()[:2])
        raise StartupError(f"{Path(command[0]).name} did not succeed: {said or ran.returncode}")
