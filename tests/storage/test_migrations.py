"""Databases of older and newer versions with a row in every table: migrated with each row, or refused untouched."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StartupError
from bot.events.pins import UNPINNED
from bot.storage import migrations
from bot.storage.database import Database, sqlite_url
from bot.storage.tables import metadata
from tests.storage.migrating import migrate_to

Rows = dict[str, list[dict[str, object]]]

NEWEST = migrations.newest_revision()
TOMORROW = f"{int(NEWEST) + 1:04}"
REBUILD = f'''
"""A step of tomorrow: every table is built anew with one more column."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{TOMORROW}", "{NEWEST}", None, None


def upgrade() -> None:
    for name in sa.inspect(op.get_bind()).get_table_names():
        if name != "alembic_version":
            with op.batch_alter_table(name, recreate="always") as batch:
                batch.add_column(sa.Column("tomorrow", sa.Integer(), server_default="7", nullable=False))
'''
LOSING = REBUILD + '    op.execute("DELETE FROM events")\n'  # noqa: S608 - no values
FAILING = REBUILD + '    raise RuntimeError("the step fails at its end")\n'


def of_type(declared: str) -> object:
    """A value for a column of this type; numbers are 1, so that every row refers to one that is there."""
    kinds: dict[str, object] = {
        "INT": 1,
        "BOOL": 1,
        "BLOB": b"\x01",
        "FLOAT": 0.5,
        "DATE": "2026-04-25 12:00:00.000000",
    }
    return next((value for kind, value in kinds.items() if kind in declared.upper()), "1")


def tables_of(connection: sqlite3.Connection) -> list[str]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return sorted({name for (name,) in names} - {"alembic_version"})


def fill(file: Path) -> None:
    """Something in every column of every table that the file has."""
    with sqlite3.connect(file) as connection:
        for table in tables_of(connection):
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            values = [of_type(declared) for _, _, declared, *_ in columns]
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    connection.close()


def rows_of(file: Path) -> Rows:
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    found = {
        table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
        for table in tables_of(connection)
    }
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return found


def revision_of(file: Path) -> str:
    connection = sqlite3.connect(file)
    ((revision,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    return str(revision)


@contextlib.contextmanager
def tomorrow(folder: Path, step: str) -> Iterator[None]:
    """Meanwhile the program knows one step more."""
    shutil.copytree(Path(migrations.__file__).parent, folder)
    (folder / "versions" / f"{TOMORROW}_tomorrow.py").write_text(step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "__file__", str(folder / "__init__.py"))
        yield


def content(file: Path) -> bytes:
    return file.read_bytes()


async def open_once(file: Path) -> str:
    async with Database(sqlite_url(file)) as database:
        return database.upgraded


def assert_kept(before: Rows, after: Rows) -> None:
    """Every row is still there, with what was in the columns that are still there."""
    for table, rows in before.items():
        assert len(rows) == len(after[table]), table
        for row, kept in zip(rows, after[table], strict=True):
            assert kept == kept | {name: value for name, value in row.items() if name in kept}, table


@pytest.mark.parametrize("revision", sorted(migrations.revisions()))
async def test_a_database_of_every_version_is_migrated_with_each_row(tmp_path: Path, revision: str) -> None:
    file = tmp_path / "darkroom.db"
    migrate_to(file, revision)
    fill(file)
    before = rows_of(file)
    assert all(before.values())
    told = await open_once(file)
    after = rows_of(file)
    newest = migrations.newest_revision()
    came = f"was brought from schema {revision} to the newest, {newest}" if revision != newest else f"schema, {newest}"
    assert came in told
    assert set(after) == set(metadata.tables)
    assert all(after[table] for table in before), "a step has emptied a table"
    assert_kept(before, after)
    assert revision_of(file) == newest


async def test_an_empty_database_says_so_once(tmp_path: Path) -> None:
    file, newest = tmp_path / "darkroom.db", migrations.newest_revision()
    assert await open_once(file) == f"The empty database got the newest schema, {newest}."
    assert await open_once(file) == f"The database has the newest schema, {newest}."


async def test_a_panel_from_before_there_were_pins_counts_as_not_pinned(tmp_path: Path) -> None:
    file = tmp_path / "darkroom.db"
    migrate_to(file, "0002")
    fill(file)
    await open_once(file)
    assert [row["pinned_id"] for row in rows_of(file)["events"]] == [UNPINNED]


async def test_a_step_that_builds_every_table_anew_keeps_each_row(database_file: Path, tmp_path: Path) -> None:
    """Mutant: foreign keys are on meanwhile. With each table that is dropped go the rows that refer to it."""
    fill(database_file)
    before = rows_of(database_file)
    with tomorrow(tmp_path / "steps", REBUILD):
        for _ in range(2):
            await open_once(database_file)
            after = rows_of(database_file)
            assert_kept(before, after)
            assert {row["tomorrow"] for rows in after.values() for row in rows} == {7}
    assert revision_of(database_file) == TOMORROW


async def test_a_step_that_fails_leaves_the_database_as_it_was(database_file: Path, tmp_path: Path) -> None:
    fill(database_file)
    before = rows_of(database_file)
    with tomorrow(tmp_path / "steps", FAILING), pytest.raises(RuntimeError, match="fails at its end"):
        await open_once(database_file)
    assert (rows_of(database_file), revision_of(database_file)) == (before, NEWEST)


async def test_a_step_that_leaves_rows_without_what_they_refer_to_is_undone(
    database_file: Path, tmp_path: Path
) -> None:
    fill(database_file)
    before = rows_of(database_file)
    with (
        tomorrow(tmp_path / "steps", LOSING),
        pytest.raises(StartupError, match=r"refer to rows that are missing; restore a backup\.$"),
    ):
        await open_once(database_file)
    assert (rows_of(database_file), revision_of(database_file)) == (before, NEWEST)


async def test_foreign_keys_hold_again_after_a_migration(database_file: Path, tmp_path: Path) -> None:
    with tomorrow(tmp_path / "steps", REBUILD):
        async with Database(sqlite_url(database_file)) as database:
            assert (await database.write(foreign_keys), await database.fetch(foreign_keys)) == (1, 1)


async def foreign_keys(connection: AsyncConnection) -> int:
    return int((await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one())


async def test_a_newer_database_is_refused_in_one_sentence_and_keeps_every_byte(
    database_file: Path, tmp_path: Path
) -> None:
    fill(database_file)
    with tomorrow(tmp_path / "steps", REBUILD):
        await open_once(database_file)
    assert revision_of(database_file) == TOMORROW
    before = content(database_file)
    for _ in range(2):
        with pytest.raises(StartupError, match=rf"^[^\n]*a newer Darkroom has written it \(schema {TOMORROW}[^\n]*$"):
            await open_once(database_file)
        assert content(database_file) == before
