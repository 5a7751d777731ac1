"""`backup` beside a running bot: whole, with its files, without the master key unless asked, and nothing half."""

import asyncio
import base64
import errno
import json
import os
import shutil
import sqlite3
import stat
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.backup import archive, contents, saving
from bot.errors import StartupError
from bot.storage import meta
from bot.storage.columns import metadata
from bot.storage.database import Database, sqlite_url
from bot.storage.sealing import KEY_FILE
from tests.backup.backups import place_of
from tests.fakes.rows import add_dataset, add_photos, photo
from tests.storage.migrating import migrate_to

pytestmark = pytest.mark.sqlite

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = base64.b64encode(b"k" * 32).decode()
PHOTO, GONE = "a" * 32 + ".jpg", "b" * 32 + ".jpg"


def save(folder: Path, name: str = "monday.backup", *, with_master_key: bool = False, key: str | None = None) -> Path:
    file = folder / name
    saving.backup(place_of(folder, key=key), file, with_master_key=with_master_key, now=NOW)
    return file


def member(file: Path, name: str) -> bytes:
    with zipfile.ZipFile(file) as opened:
        return opened.read(name)


def manifest(file: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(member(file, archive.MANIFEST))
    return said


async def test_it_shows_one_moment_while_the_bot_writes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: the file is copied as it lies there. Two values that always change together would differ."""
    monkeypatch.setattr("bot.backup.sqlite.PAGES", 1)
    folder, stop = Path(str(database.file)).parent, asyncio.Event()

    async def write_on() -> int:
        number = 0
        while not stop.is_set():
            value = str(number).encode() * 50

            async def both(connection: Any, value: bytes = value) -> None:
                await meta.put(connection, "one", value)
                await meta.put(connection, "other", value)

            await database.write(both)
            number += 1
        return number

    writing = asyncio.create_task(write_on())
    for number in range(5):
        file = await asyncio.to_thread(save, folder, f"{number}.backup")
        copied = tmp_path / f"{number}.db"
        copied.write_bytes(member(file, archive.DATABASE))
        connection = sqlite3.connect(copied)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        values = connection.execute("SELECT value FROM meta WHERE key IN ('one', 'other')").fetchall()
        connection.close()
        assert len(set(values)) <= 1
    stop.set()
    assert await writing > 5


async def test_the_files_that_its_rows_name_are_in_it_and_those_that_are_gone_are_told(database: Database) -> None:
    """Mutant: whatever lies in the spool is taken."""
    folder = Path(str(database.file)).parent
    dataset_id = await add_dataset(database)
    rows = [photo(1, dataset_id, file=PHOTO), photo(2, dataset_id, file=GONE)]
    await add_photos(database, rows)
    (folder / "spool").mkdir()
    (folder / "spool" / PHOTO).write_bytes(b"a photo")
    (folder / "spool" / ("c" * 32)).write_bytes(b"arrived later")
    file = folder / "x.backup"
    said = saving.backup(place_of(folder), file, with_master_key=False, now=NOW)
    assert set(manifest(file)["members"]) == {"database", f"spool/{PHOTO}"}
    assert member(file, f"spool/{PHOTO}") == b"a photo"
    assert said[1] == "Files that were deleted by their time meanwhile, and are not in it: 1."


def test_every_column_that_names_a_file_is_known() -> None:
    """Mutant: a table with files that a backup leaves behind."""
    named = {column for table in metadata.sorted_tables for column in table.c if column.name in {"file", "banner"}}
    shown_in_a_message = {metadata.tables["posts"].c.banner}
    assert named - shown_in_a_message == set(contents.FILES.values())


@pytest.mark.parametrize("is_variable", [False, True])
def test_the_master_key_is_in_it_only_when_asked_for_and_never_printed(
    database_file: Path, capsys: pytest.CaptureFixture[str], is_variable: bool
) -> None:
    folder = database_file.parent
    if not is_variable:
        (folder / KEY_FILE).write_text(KEY + "\n")
    given = KEY if is_variable else None
    place = place_of(folder, key=given)
    without = saving.backup(place, folder / "without.backup", with_master_key=False, now=NOW)
    assert b"".join([(folder / "without.backup").read_bytes(), base64.b64decode(KEY)]).count(KEY.encode()) == 0
    where = "DARKROOM_MASTER_KEY" if is_variable else str(folder / KEY_FILE)
    assert without[-1].startswith(f"The master key is NOT in it. Keep a copy of {where} in another place")
    told = saving.backup(place, folder / "with.backup", with_master_key=True, now=NOW)
    assert member(folder / "with.backup", archive.MASTER_KEY) == KEY.encode()
    assert told[-1].startswith("The master key is in it: whoever has this file")
    assert KEY not in " ".join([*without, *told, repr(place)]) + capsys.readouterr().out


def test_without_a_master_key_none_can_be_asked_for(database_file: Path) -> None:
    with pytest.raises(StartupError, match=r"There is no master key in .*master\.key, so none can be put"):
        save(database_file.parent, with_master_key=True)
    assert not (database_file.parent / KEY_FILE).exists()


def test_nobody_else_can_read_it_and_it_takes_nobodys_place(database_file: Path) -> None:
    file = save(database_file.parent)
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    whole = file.read_bytes()
    with pytest.raises(StartupError, match="is there already"):
        save(database_file.parent)
    assert file.read_bytes() == whole
    assert not list(database_file.parent.glob("*.part*"))


def test_two_at_once_into_one_file_are_not_possible(database_file: Path) -> None:
    (database_file.parent / "monday.backup.part").touch()
    with pytest.raises(StartupError, match="another backup is being written, or one was interrupted"):
        save(database_file.parent)


def test_a_full_disk_leaves_nothing_behind(database_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the part is left there, and fills the disk of the bot."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(archive.Writer, "finish", full)
    with pytest.raises(StartupError, match=r"^The disk of .* is full\.$"):
        save(database_file.parent)
    assert not list(database_file.parent.glob("monday*"))


def test_what_the_bot_needs_of_the_disk_stays_free(database_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(StartupError, match=r"This needs about .* MB in .*, and 0.1 MB are free\. Make room there"):
        save(database_file.parent)
    assert not list(database_file.parent.glob("monday*"))


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"There is no database in .*darkroom\.db yet"):
        save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tables", ["notes", "meta"])
def test_the_database_of_another_program_is_not_taken(tmp_path: Path, tables: str) -> None:
    with sqlite3.connect(tmp_path / "darkroom.db") as connection:
        connection.execute(f"CREATE TABLE {tables} (id)")
    connection.close()
    with pytest.raises(StartupError, match="There is nothing of Darkroom's in this database"):
        save(tmp_path)


def test_a_newer_database_is_refused_in_one_sentence(database_file: Path) -> None:
    with sqlite3.connect(database_file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StartupError, match=r"^It was written by a newer Darkroom \(schema 9999, this one knows \d+\)"):
        save(database_file.parent)


async def test_a_database_from_before_an_update_can_be_saved_first(tmp_path: Path) -> None:
    """Mutant: tables that only the newest version has are read."""
    migrate_to(tmp_path / "darkroom.db", "0001")
    file = save(tmp_path)
    assert manifest(file)["revision"] == "0001"
    async with Database(sqlite_url(tmp_path / "darkroom.db")) as database:
        assert await database.fetch(_count) == 0


async def _count(connection: Any) -> int:
    return int((await connection.execute(sa.text("SELECT count(*) FROM lora_previews"))).scalar_one())
