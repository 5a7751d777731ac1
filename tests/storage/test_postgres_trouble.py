"""A PostgreSQL server that is away, full, locked or read-only: a sentence for the person, and later writes go on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StorageTrouble
from bot.storage import meta, trouble, writer
from bot.storage.database import Database
from tests.fakes.postgres import PostgresServer
from tests.storage.committed import put

pytestmark = pytest.mark.process


class Server:
    """The server of one database, seen by whoever looks after it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._name = make_url(url).database or ""
        self._server = server

    def go_away(self) -> None:
        """Connections are cut, and new ones are refused."""
        self._server.run(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS false")
        self.cut()

    def come_back(self) -> None:
        self._server.run(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS true")

    def cut(self) -> None:
        theirs = f"FROM pg_stat_activity WHERE datname = '{self._name}'"
        self._server.run(f"SELECT pg_terminate_backend(pid, 10000) {theirs}")

    def set_read_only(self, *, is_on: bool) -> None:
        self._server.run(f"ALTER DATABASE {self._name} SET default_transaction_read_only = {'on' if is_on else 'off'}")
        self.cut()


@pytest.fixture
def server(postgres: PostgresServer, postgres_url: str) -> Server:
    return Server(postgres, postgres_url)


@pytest.fixture
async def opened(postgres_url: str, server: Server) -> AsyncIterator[Database]:
    async with Database(postgres_url) as database:
        yield database


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PATIENCE_S", 0.0)
    monkeypatch.setattr(writer, "AWAY_PAUSE_S", 0.01)


async def answers_of(database: Database, *numbers: int) -> list[str]:
    answers = await asyncio.gather(*(database.write(put(number)) for number in numbers), return_exceptions=True)
    return [f"{type(answer).__name__}: {answer}" for answer in answers]


def refusals(sentence: str, count: int) -> list[str]:
    return [f"StorageTrouble: {sentence}"] * count


async def test_a_server_that_is_away_is_answered_in_a_sentence_and_nothing_is_stored(
    opened: Database, server: Server, impatient: None
) -> None:
    server.go_away()
    assert await answers_of(opened, 1, 2, 3) == refusals(trouble.AWAY, 3)
    with pytest.raises(StorageTrouble, match="cannot be reached"):
        await opened.fetch(meta.get, "key-1")
    server.come_back()
    assert await opened.write(put(4)) == 4
    assert [await opened.fetch(meta.get, f"key-{number}") for number in range(1, 5)] == [None, None, None, b"value"]


async def test_the_engine_waits_for_a_server_that_is_away(opened: Database, server: Server, impatient: None) -> None:
    server.go_away()
    with writer.patient_writes():
        patient = asyncio.create_task(opened.write(put(1)))
    assert await answers_of(opened, 2) == refusals(trouble.AWAY, 1)
    assert not patient.done()
    server.come_back()
    assert await patient == 1
    assert await opened.fetch(meta.get, "key-1") == b"value"


async def test_a_server_that_comes_back_at_once_is_noticed_by_nobody(opened: Database, server: Server) -> None:
    assert await opened.fetch(meta.get, "key-1") is None
    server.cut()
    assert await opened.write(put(1)) == 1
    server.cut()
    assert await opened.fetch(meta.get, "key-1") == b"value"


async def test_closing_ends_although_the_server_is_away(
    postgres_url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.05)
    database = await Database(postgres_url).__aenter__()
    server.go_away()
    with writer.patient_writes():
        write = asyncio.create_task(database.write(put(1)))
    await asyncio.sleep(0)
    await database.__aexit__()
    with pytest.raises(StorageTrouble):
        await write
    server.come_back()


CODES = {
    "53100": trouble.FULL,
    "53200": trouble.BUSY,
    "55P03": trouble.BUSY,
    "57014": trouble.BUSY,
    "25006": trouble.BROKEN,
    "58030": trouble.BROKEN,
    "XX001": trouble.BROKEN,
    "40001": trouble.BUSY,
}


@pytest.mark.parametrize(("code", "sentence"), CODES.items())
async def test_what_the_server_refuses_is_answered_in_a_sentence_and_takes_no_other_with_it(
    opened: Database, without_pauses: None, code: str, sentence: str
) -> None:
    async def refused(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")

    answers = await asyncio.gather(
        opened.write(put(1)), opened.write(refused), opened.write(put(2)), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (1, 2)
    assert (type(answers[1]), str(answers[1])) == (StorageTrouble, sentence)


async def test_a_server_that_only_reads_says_so_until_it_writes_again(opened: Database, server: Server) -> None:
    server.set_read_only(is_on=True)
    assert await answers_of(opened, 1, 2) == refusals(trouble.BROKEN, 2)
    assert await opened.fetch(meta.get, "key-1") is None
    server.set_read_only(is_on=False)
    assert await opened.write(put(3)) == 3


async def test_an_error_of_the_program_stays_what_it_is(opened: Database) -> None:
    async def misspell(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("SELECT colour FROM meta")

    with pytest.raises(Exception, match="colour") as raised:
        await opened.write(misspell)
    assert not isinstance(raised.value, StorageTrouble)
