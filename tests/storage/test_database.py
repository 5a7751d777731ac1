"""The writer's promises: grouped commits, each caller its own answer, nothing acknowledged that is not on disk."""

import asyncio
import sqlite3
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StartupError
from bot.storage import database as database_module
from bot.storage import meta
from bot.storage.database import Database, sqlite_url
from bot.storage.migrations import newest_revision
from bot.storage.tables import metadata
from bot.storage.writer import GROUP_MAX, Transaction
from tests.storage.committed import names_on_disk, put


class CommitCounter:
    """Counts the transactions a database commits."""

    def __init__(self, database: Database) -> None:
        self.commits = 0
        sa.event.listen(database._write_engine.sync_engine, "commit", self._count)

    def _count(self, _connection: sa.Connection) -> None:
        self.commits += 1


async def test_500_writes_at_once_are_all_on_disk_and_share_commits(database: Database, database_file: Path) -> None:
    counter = CommitCounter(database)
    answers = await asyncio.gather(*(database.write(put(number)) for number in range(500)))
    assert answers == list(range(500))
    assert names_on_disk(database_file) == {f"key-{number}" for number in range(500)}
    assert counter.commits <= 2 * (500 // GROUP_MAX + 1)


async def test_a_write_is_on_disk_at_the_moment_it_returns(database: Database, database_file: Path) -> None:
    for number in range(20):
        await database.write(put(number))
        assert f"key-{number}" in names_on_disk(database_file)


class Refusal(Exception):
    pass


def refuse(number: int) -> Transaction[int]:
    async def transaction(connection: AsyncConnection) -> int:
        await meta.put(connection, f"refused-{number}", b"value")
        raise Refusal(number)

    return transaction


async def test_a_failing_write_gets_its_own_error_and_takes_no_other_with_it(
    database: Database, database_file: Path
) -> None:
    writes = [refuse(number) if number % 7 == 3 else put(number) for number in range(100)]
    answers = await asyncio.gather(*(database.write(transaction) for transaction in writes), return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 7 == 3:
            assert isinstance(answer, Refusal)
            assert answer.args == (number,)
        else:
            assert answer == number
    assert names_on_disk(database_file) == {f"key-{number}" for number in range(100) if number % 7 != 3}


async def test_a_write_that_breaks_a_rule_of_the_schema_leaves_its_neighbours_alone(
    database: Database, database_file: Path
) -> None:
    async def break_rule(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("INSERT INTO meta (key, value) VALUES ('nothing', NULL)"))

    first, broken, last = await asyncio.gather(
        database.write(put(1)), database.write(break_rule), database.write(put(2)), return_exceptions=True
    )
    assert (first, last) == (1, 2)
    assert isinstance(broken, sa.exc.IntegrityError)
    assert names_on_disk(database_file) == {"key-1", "key-2"}


class Hold:
    """A write that stays open until `go_on` is set."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    async def transaction(self, connection: AsyncConnection) -> None:
        await meta.put(connection, "held", b"value")
        self.reached.set()
        assert self.go_on.wait(10)

    async def is_reached(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, 10)


async def test_a_caller_who_gives_up_does_not_stop_the_writer(database: Database, database_file: Path) -> None:
    hold = Hold()
    running = asyncio.create_task(database.write(hold.transaction))
    await hold.is_reached()
    waiting = asyncio.create_task(database.write(put(1)))
    patient = asyncio.create_task(database.write(put(2)))
    await asyncio.sleep(0)
    running.cancel()
    waiting.cancel()
    hold.go_on.set()
    assert await patient == 2
    assert await database.write(put(3)) == 3
    await asyncio.gather(running, waiting, return_exceptions=True)
    assert running.cancelled()
    assert waiting.cancelled()
    names = names_on_disk(database_file)
    assert {"key-2", "key-3"} <= names
    assert "key-1" not in names


async def test_closing_waits_for_writes_that_are_under_way(database_file: Path) -> None:
    database = Database(sqlite_url(database_file))
    await database.__aenter__()
    writes = [asyncio.create_task(database.write(put(number))) for number in range(50)]
    await asyncio.sleep(0)
    await database.__aexit__()
    assert await asyncio.gather(*writes) == list(range(50))
    assert len(names_on_disk(database_file)) == 50


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("secure_delete", 1)],
)
async def test_the_write_connection_is_as_durable_and_strict_as_promised(
    database: Database, pragma: str, value: object
) -> None:
    async def ask(connection: AsyncConnection) -> object:
        answer: object = (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar()
        return answer

    assert await database.write(ask) == value


async def test_all_writes_go_through_one_connection(database: Database) -> None:
    async def connection_id(connection: AsyncConnection) -> int:
        raw = await connection.get_raw_connection()
        return id(raw.driver_connection)

    assert len(set(await asyncio.gather(*(database.write(connection_id) for _ in range(200))))) == 1


async def test_readers_see_a_committed_row_while_a_write_is_open(database: Database) -> None:
    await database.write(put(1))
    hold = Hold()
    writing = asyncio.create_task(database.write(hold.transaction))
    await hold.is_reached()
    async with database.read() as connection:
        assert await meta.get(connection, "key-1") == b"value"
        assert await meta.get(connection, "held") is None
    hold.go_on.set()
    await writing


async def test_a_second_opener_is_refused_in_one_clear_sentence(database: Database, database_file: Path) -> None:
    with pytest.raises(StartupError, match=r"Another Darkroom is already running.*DARKROOM_DATA_DIR"):
        await Database(sqlite_url(database_file)).__aenter__()


HOLDER = """
import asyncio, sys
from bot.storage.database import Database

async def hold() -> None:
    async with Database(sys.argv[1]):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.mark.process
async def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    url, pipe = sqlite_url(tmp_path / "darkroom.db"), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, url, stdout=pipe)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"open\n"
        with pytest.raises(StartupError, match="Another Darkroom is already running"):
            await Database(url).__aenter__()
    finally:
        process.kill()
        await process.wait()
    async with Database(url):
        pass


async def test_the_lock_is_free_again_after_closing(database_file: Path) -> None:
    for _ in range(2):
        async with Database(sqlite_url(database_file)) as database:
            await database.write(put(1))
            assert names_on_disk(database_file) == {"key-1"}


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "darkroom.db"
    file.write_bytes(b"this is a diary, not a database" * 100)
    before = file.read_bytes()
    with pytest.raises(StartupError, match="cannot be opened"):
        await Database(sqlite_url(file)).__aenter__()
    assert file.read_bytes() == before


async def test_migrating_an_empty_database_gives_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    async with Database(sqlite_url(tmp_path / "new" / "darkroom.db")) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_comparison_would_notice_a_missing_column(tmp_path: Path) -> None:
    async with Database(sqlite_url(tmp_path / "darkroom.db")) as database:

        async def drop(connection: AsyncConnection) -> None:
            await connection.exec_driver_sql("ALTER TABLE posts DROP COLUMN posted_at")

        await database.write(drop)
        async with database.read() as connection:
            assert len(await connection.run_sync(differences)) == 1


async def test_opening_a_current_database_again_runs_no_migration(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    opened = database_module._sqlite_engine

    def watched(*args: object, **options: object) -> object:
        engine = opened(*args, **options)  # type: ignore[arg-type]
        sa.event.listen(engine.sync_engine, "before_cursor_execute", lambda *seen: statements.append(str(seen[2])))
        return engine

    monkeypatch.setattr(database_module, "_sqlite_engine", watched)
    async with Database(sqlite_url(database_file)):
        assert statements
    assert not [
        text for text in statements if text.lstrip().upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE"))
    ]


async def test_the_newest_migration_is_what_a_fresh_database_says_it_is_at(database: Database) -> None:
    async with database.read() as connection:
        assert (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar() == (
            newest_revision()
        )


async def test_a_database_of_a_newer_program_is_refused_and_left_as_it_was(database_file: Path) -> None:
    with sqlite3.connect(database_file) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    for _ in range(2):
        with pytest.raises(StartupError, match=r"a newer Darkroom has written it \(schema 9999, .*restore a backup\.$"):
            await Database(sqlite_url(database_file)).__aenter__()
    with sqlite3.connect(database_file) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    kept.close()
