"""The same tests on both databases: a copy of the migrated SQLite file, and a real PostgreSQL server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.storage.database import Database, sqlite_url
from tests.fakes.postgres import PostgresServer


@pytest.fixture
async def database(database_file: Path) -> AsyncIterator[Database]:
    """Here it is the SQLite file, whatever the others run on."""
    async with Database(sqlite_url(database_file)) as database:
        yield database


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A migrated database with nothing in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
async def either(request: pytest.FixtureRequest, database_file: Path) -> AsyncIterator[Database]:
    """A test that asks for this runs on both databases."""
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(database_file) if is_sqlite else request.getfixturevalue("postgres_url")
    async with Database(url) as database:
        yield database
