"""PostgreSQL: one Darkroom on a database, nothing written without its lock, writes as if they came one by one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StartupError, StorageTrouble
from bot.storage import meta, postgres, trouble
from bot.storage.database import Database
from bot.storage.postgres import LOCK, CommitInDoubt, LockTaken
from bot.storage.tables import meta as table
from bot.storage.tables import metadata
from tests.fakes.postgres import PostgresServer, connect
from tests.fakes.waiting import HANG_S, eventually
from tests.storage.committed import put

pytestmark = pytest.mark.process

OCCUPIED = (
    r"Another Darkroom is already running on postgresql\+psycopg://.* database of its own with DARKROOM_DATABASE_URL"
)
WRITER = """
SELECT pid, application_name FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
JOIN pg_stat_activity USING (pid)
WHERE pg_database.datname = current_database() AND locktype = 'advisory' AND granted AND objid = %s
"""


@pytest.fixture
async def opened(postgres_url: str) -> AsyncIterator[Database]:
    async with Database(postgres_url) as database:
        yield database


@pytest.fixture
def outside(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(postgres_url) as connection:
        yield connection


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LOCK_WAIT_MS", 50)


def names(connection: psycopg.Connection[Any]) -> set[str]:
    return {row[0] for row in connection.execute("SELECT key FROM meta")}


def end_writer(connection: psycopg.Connection[Any]) -> None:
    """The server ends the session that has the lock."""
    [(pid, _)] = connection.execute(WRITER, [LOCK & 0xFFFFFFFF]).fetchall()
    connection.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


# The lock


async def test_a_second_opener_is_refused_in_one_sentence_and_changes_nothing(
    opened: Database, postgres_url: str, outside: psycopg.Connection[Any], impatient: None
) -> None:
    with pytest.raises(StartupError, match=OCCUPIED):
        await Database(postgres_url).__aenter__()
    assert await opened.write(put(1)) == 1
    assert names(outside) == {"key-1"}


async def test_the_lock_is_free_again_after_closing(postgres_url: str) -> None:
    for number in range(3):
        async with Database(postgres_url) as database:
            assert await database.write(put(number)) == number


async def test_of_two_that_start_at_once_on_nothing_one_migrates_and_the_other_is_told(
    postgres: PostgresServer, impatient: None
) -> None:
    with postgres.database(template="template0") as url:
        both = [Database(url), Database(url)]
        answers = await asyncio.gather(*(one.__aenter__() for one in both), return_exceptions=True)
        [refused] = [answer for answer in answers if isinstance(answer, BaseException)]
        [running] = [answer for answer in answers if isinstance(answer, Database)]
        assert isinstance(refused, LockTaken)
        async with running.read() as connection:
            assert set(metadata.tables) <= set(
                await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            )
        await running.__aexit__()
        async with Database(url):
            pass


HOLDER = """
import asyncio, sys
from bot.storage.database import Database

async def hold() -> None:
    async with Database(sys.argv[1]):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def test_the_lock_of_a_killed_process_is_free_for_the_next(postgres_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, postgres_url, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
    finally:
        process.kill()
        await process.wait()
    async with Database(postgres_url):
        pass


async def test_a_writer_that_lost_its_connection_takes_the_lock_again_and_goes_on(
    opened: Database, postgres_url: str, outside: psycopg.Connection[Any], impatient: None
) -> None:
    for number in range(3):
        end_writer(outside)
        assert await opened.write(put(number)) == number
    with pytest.raises(LockTaken):
        await Database(postgres_url).__aenter__()


async def test_a_session_of_ours_that_the_server_still_believes_in_is_ended(
    opened: Database, postgres_url: str, outside: psycopg.Connection[Any]
) -> None:
    [(_, name)] = outside.execute(WRITER, [LOCK & 0xFFFFFFFF]).fetchall()
    with connect(postgres_url) as ghost:
        ghost.execute(f"SET application_name = '{name}'")
        end_writer(outside)
        ghost.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert await opened.write(put(1)) == 1
        with pytest.raises(psycopg.OperationalError):
            ghost.execute("SELECT 1")


async def test_who_lost_the_lock_to_another_process_writes_nothing_more_and_ends(
    postgres_url: str, outside: psycopg.Connection[Any], impatient: None
) -> None:
    database = await Database(postgres_url).__aenter__()
    end_writer(outside)
    async with Database(postgres_url) as other:
        writer = database.writer
        assert writer is not None
        answers = await asyncio.gather(*(database.write(put(number)) for number in (1, 2)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StorageTrouble, StorageTrouble]
        async with asyncio.timeout(HANG_S):
            with pytest.raises(StartupError, match=OCCUPIED):
                await writer.watch()
        assert await other.write(put(3)) == 3
    assert names(outside) == {"key-3"}
    await database.__aexit__()


# Transactions that the server undoes


class Interrupted:
    """A write that counts one more; `interrupt` happens in its middle when it runs for the first time."""

    def __init__(self, *interruptions: str) -> None:
        self.interruptions = list(interruptions)
        self.runs = 0

    def by(self, outside: psycopg.Connection[Any]) -> Any:
        async def transaction(connection: AsyncConnection) -> int:
            self.runs += 1
            before = await meta.get(connection, "count") or b"0"
            if self.interruptions:
                await asyncio.to_thread(outside.execute, self.interruptions.pop(0).encode())
            await meta.put(connection, "count", str(int(before) + 1).encode())
            return int(before) + 1

        return transaction


async def test_what_another_session_wrote_in_between_is_seen_by_the_second_try(
    opened: Database, outside: psycopg.Connection[Any]
) -> None:
    outside.execute("INSERT INTO meta VALUES ('count', '0')")
    count = Interrupted(
        *["UPDATE meta SET value = convert_to((convert_from(value, 'UTF8')::int + 1)::text, 'UTF8')"] * 2
    )
    assert await opened.write(count.by(outside)) == 3
    assert count.runs == 3


async def test_a_row_that_another_session_made_in_between_is_found_by_the_second_try(
    opened: Database, outside: psycopg.Connection[Any]
) -> None:
    count = Interrupted("INSERT INTO meta VALUES ('count', '5')")
    first, counted, last = await asyncio.gather(
        opened.write(put(1)), opened.write(count.by(outside)), opened.write(put(2))
    )
    assert (first, counted, last) == (1, 6, 2)
    assert names(outside) == {"count", "key-1", "key-2"}


async def test_a_deadlock_is_tried_again(opened: Database, postgres_url: str, outside: psycopg.Connection[Any]) -> None:
    await asyncio.gather(opened.write(put(1)), opened.write(put(2)))
    # Whoever notices the deadlock first is undone: ours.
    outside.execute("SET deadlock_timeout = '1h'")
    waiting: list[asyncio.Task[Any]] = []

    async def transaction(connection: AsyncConnection) -> int:
        await connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
        await meta.put(connection, "key-1", b"ours")
        if not waiting:
            outside.execute("BEGIN")
            outside.execute("UPDATE meta SET value = 'theirs' WHERE key = 'key-2'")
            theirs = asyncio.to_thread(outside.execute, "UPDATE meta SET value = 'theirs' WHERE key = 'key-1'")
            waiting.append(asyncio.create_task(theirs))
            await eventually(lambda: is_waiting(third))
        await meta.put(connection, "key-2", b"ours")
        return 1

    with connect(postgres_url) as third:
        write = asyncio.create_task(opened.write(transaction))
        await eventually(lambda: bool(waiting) and waiting[0].done())
        outside.execute("COMMIT")
        assert await write == 1
    assert dict(outside.execute("SELECT key, value FROM meta").fetchall()) == {"key-1": b"ours", "key-2": b"ours"}


def is_waiting(connection: psycopg.Connection[Any]) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())


async def test_what_is_undone_each_time_is_given_up_and_takes_no_other_write_with_it(
    opened: Database, outside: psycopg.Connection[Any], without_pauses: None
) -> None:
    runs = 0

    async def transaction(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")

    first, undone, last = await asyncio.gather(
        opened.write(put(1)), opened.write(transaction), opened.write(put(2)), return_exceptions=True
    )
    assert (first, last) == (1, 2)
    assert str(undone) == trouble.BUSY
    assert 2 < runs <= 6
    assert names(outside) == {"key-1", "key-2"}


async def test_a_commit_of_which_nobody_knows_the_end_is_not_done_again(
    opened: Database, outside: psycopg.Connection[Any]
) -> None:
    outside.execute(
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
    )
    outside.execute(
        "CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.key = 'lost') EXECUTE FUNCTION lose()"
    )
    runs = 0

    async def transaction(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await meta.put(connection, "lost", b"value")

    answers = await asyncio.gather(opened.write(transaction), opened.write(put(1)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [CommitInDoubt, CommitInDoubt]
    assert runs == 1
    assert await opened.write(put(2)) == 2


async def test_a_table_that_somebody_has_locked_does_not_stop_the_writer(
    postgres_url: str, outside: psycopg.Connection[Any], impatient: None
) -> None:
    async with Database(postgres_url) as database:
        outside.execute("BEGIN")
        outside.execute("LOCK TABLE meta")
        with pytest.raises(StorageTrouble, match=trouble.BUSY):
            await database.write(put(1))
        outside.execute("COMMIT")
        assert await database.write(put(2)) == 2


# Like SQLite


async def test_writes_at_once_share_commits_and_run_in_the_order_in_which_they_came(opened: Database) -> None:
    commits = 0

    def count(_connection: sa.Connection) -> None:
        nonlocal commits
        commits += 1

    sa.event.listen(opened._write_engine.sync_engine, "commit", count)
    ran: list[int] = []

    def noted(number: int) -> Any:
        async def transaction(connection: AsyncConnection) -> None:
            ran.append(number)
            await put(number)(connection)

        return transaction

    await asyncio.gather(*(opened.write(noted(number)) for number in range(200)))
    assert ran == list(range(200))
    assert commits <= 2


async def test_two_questions_of_one_read_see_the_same_moment(opened: Database) -> None:
    async with opened.read() as connection:
        assert (await connection.execute(sa.select(table))).all() == []
        await opened.write(put(1))
        assert (await connection.execute(sa.select(table))).all() == []
    async with opened.read() as connection:
        assert len((await connection.execute(sa.select(table))).all()) == 1
