"""`restore`: refuses a running bot and what would be lost; killed, it leaves the old state or the new one."""

import asyncio
import base64
import contextlib
import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.backup import restoring, saving
from bot.errors import StartupError
from bot.storage import meta, restored
from bot.storage.database import Database, sqlite_url
from bot.storage.sealing import KEY_FILE, Sealer
from tests.backup.backups import place_of
from tests.fakes.rows import add_dataset, add_photos, photo

pytestmark = pytest.mark.sqlite

TAKEN, NOW = datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 11, 30, 13, tzinfo=UTC)
PHOTO, OTHER_PHOTO = "a" * 32 + ".jpg", "b" * 32 + ".jpg"
KEY, OTHER_KEY = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))
WHO = "who"


def lay_out(folder: Path, database: Path, photo_file: str, content: bytes, key: str) -> None:
    folder.mkdir()
    (folder / "spool").mkdir()
    (folder / "darkroom.db").write_bytes(database.read_bytes())
    (folder / KEY_FILE).write_text(key + "\n")
    (folder / "spool" / photo_file).write_bytes(content)


async def made(folder: Path, migrated: Path, who: str, photo_file: str, key: str) -> None:
    """A data folder with a database that says whose it is, one photo, and a master key."""
    lay_out(folder, migrated, photo_file, who.encode(), key)
    async with Database(sqlite_url(folder / "darkroom.db")) as database:
        dataset_id = await add_dataset(database)
        await add_photos(database, [photo(1, dataset_id, file=photo_file)])
        check = Sealer([base64.b64decode(key)]).check_value()
        await database.write(lambda connection: meta.put(connection, WHO, who.encode()))
        await database.write(lambda connection: meta.put(connection, meta.MASTER_KEY_CHECK, check))


async def state_of(folder: Path) -> str:
    """Whose database a bot finds there, once everything that it needs is there as well."""
    async with Database(sqlite_url(folder / "darkroom.db")) as database:
        who, check = await database.fetch(meta.get, WHO), await database.fetch(meta.get, meta.MASTER_KEY_CHECK)
    sealer = place_of(folder).master_key.sealer()
    assert who is not None
    assert check is not None
    assert sealer is not None
    assert sealer.matches(check)
    photo_file = PHOTO if who == b"old" else OTHER_PHOTO
    assert (folder / "spool" / photo_file).read_bytes() == who
    return who.decode()


@pytest.fixture
async def old(tmp_path: Path, migrated_file: Path) -> Path:
    await made(tmp_path / "old", migrated_file, "old", PHOTO, KEY)
    return tmp_path / "old"


@pytest.fixture
async def backup(tmp_path: Path, migrated_file: Path) -> Path:
    await made(tmp_path / "new", migrated_file, "new", OTHER_PHOTO, OTHER_KEY)
    file = tmp_path / "new.backup"
    saving.backup(place_of(tmp_path / "new"), file, with_master_key=True, now=TAKEN)
    return file


def restore(folder: Path, file: Path, *, is_forced: bool = True, now: datetime = NOW) -> list[str]:
    return restoring.restore(place_of(folder), file, is_forced=is_forced, now=now)


async def test_a_running_bot_is_not_touched(old: Path, backup: Path) -> None:
    """Mutant: no lock is taken."""
    async with Database(sqlite_url(old / "darkroom.db")) as database:
        with pytest.raises(StartupError, match=r"^Another Darkroom is already running on [^\n]*$"):
            restore(old, backup)
        assert await database.fetch(meta.get, WHO) == b"old"
    assert await state_of(old) == "old"


async def test_what_another_program_has_open_is_not_replaced(
    old: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **options: connect(*given, **options | {"timeout": 0}))
    with contextlib.closing(connect(old / "darkroom.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchone()
        with pytest.raises(StartupError, match=r"^Another program has .* open\. Close it, then start again\.$"):
            restore(old, backup)
    assert await state_of(old) == "old"


async def test_a_database_that_is_there_is_kept_aside_only_when_forced(old: Path, backup: Path) -> None:
    """Mutant: --force deletes what was there."""
    with pytest.raises(StartupError, match=r"There is a database in .*darkroom\.db already\. With --force"):
        restore(old, backup, is_forced=False)
    assert await state_of(old) == "old"
    said = restore(old, backup)
    assert await state_of(old) == "new"
    aside = old / "before-restore-20261130-130000"
    assert said[1].startswith(f"What was there is in {aside}.")
    async with Database(sqlite_url(aside / "darkroom.db")) as database:
        assert await database.fetch(meta.get, WHO) == b"old"
    assert (aside / "spool" / PHOTO).read_bytes() == b"old"
    assert not (old / restoring.STAGING).exists()


async def test_each_restore_has_a_higher_generation_whichever_backup_it_is_of(old: Path, backup: Path) -> None:
    """Mutant: the number of the backup is taken as it is."""
    for number in (1, 2, 3):
        said = restore(old, backup, now=NOW + number * timedelta(minutes=1))
        assert f"restore number {number} of this database" in said[0]
    async with Database(sqlite_url(old / "darkroom.db")) as database:
        mark = await database.fetch(restored.read)
    assert mark is not None
    assert (mark.generation, mark.taken_at, mark.newest["datasets"]) == (3, TAKEN, 1)


async def test_a_damaged_database_is_replaced_and_its_log_does_not_spoil_the_new_one(old: Path, backup: Path) -> None:
    for suffix in ("", "-wal"):
        (old / f"darkroom.db{suffix}").write_bytes(b"not a database" * 1000)
    restore(old, backup)
    assert await state_of(old) == "new"


def leave_photos_without_a_dataset(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM datasets")


def empty_what_must_not_be_empty(connection: sqlite3.Connection) -> None:
    """Its own words cannot do that, so the schema is another one meanwhile."""
    (schema,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'meta'").fetchone()
    for sql, change in ((schema.replace(" NOT NULL", ""), "UPDATE meta SET value = NULL"), (schema, "SELECT 1")):
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'meta'", [sql])
        connection.execute("PRAGMA writable_schema = RESET")
        connection.execute(change)


@pytest.mark.parametrize("harm", [leave_photos_without_a_dataset, empty_what_must_not_be_empty])
async def test_a_backup_of_a_database_that_was_damaged_already_changes_nothing(
    tmp_path: Path, old: Path, backup: Path, harm: Callable[[sqlite3.Connection], None]
) -> None:
    """Mutants: the database of a backup is put back unseen; only one of SQLite's two checks is made."""
    file = backup.with_name("damaged.backup")
    with contextlib.closing(sqlite3.connect(tmp_path / "new" / "darkroom.db")) as damaged, damaged:
        harm(damaged)
    saving.backup(place_of(tmp_path / "new"), file, with_master_key=True, now=TAKEN)
    with pytest.raises(StartupError, match=r"^The database in this backup is damaged\. Use another backup\.$"):
        restore(old, file)
    assert await state_of(old) == "old"


async def test_a_log_without_its_database_does_not_spoil_the_new_one(tmp_path: Path, old: Path, backup: Path) -> None:
    """Mutant: the log stays, and SQLite takes it for that of the new file."""
    async with Database(sqlite_url(old / "darkroom.db")) as database:
        await database.write(lambda connection: meta.put(connection, "x", b"y"))
        log = (old / "darkroom.db-wal").read_bytes()
    target = tmp_path / "target"
    target.mkdir()
    (target / "darkroom.db-wal").write_bytes(log)
    restore(target, backup, is_forced=False)
    assert await state_of(target) == "new"


async def test_it_says_when_the_master_key_is_missing_or_another(tmp_path: Path, old: Path, backup: Path) -> None:
    await state_of(old)
    without = tmp_path / "without.backup"
    saving.backup(place_of(tmp_path / "new"), without, with_master_key=False, now=TAKEN)
    assert restore(old, without)[-1].startswith(f"The master key in {old / KEY_FILE} is not the one of this backup.")
    empty = tmp_path / "empty"
    assert restore(empty, without)[-1].startswith(f"There is no master key in {empty / KEY_FILE}.")
    assert not (empty / KEY_FILE).exists()


async def test_the_master_key_of_a_backup_joins_the_one_that_is_there(old: Path, backup: Path) -> None:
    """Mutants: the earlier key is gone, which opens what was kept aside; others can read the file."""
    restore(old, backup)
    assert (old / KEY_FILE).read_text().strip().split(",") == [OTHER_KEY, KEY]
    assert (old / KEY_FILE).stat().st_mode & 0o777 == 0o600


async def test_a_master_key_of_the_operators_own_is_left_alone(tmp_path: Path, backup: Path) -> None:
    folder = tmp_path / "target"
    said = restoring.restore(place_of(folder, key=KEY), backup, is_forced=False, now=NOW)
    assert said[-1].startswith("The master key in DARKROOM_MASTER_KEY is not the one of this backup.")
    assert not (folder / KEY_FILE).exists()


async def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.backup.place.shutil.disk_usage", lambda _: type("usage", (), {"free": 1000}))
    with pytest.raises(StartupError, match=r"and 0\.0 MB are free"):
        restore(tmp_path / "target", backup)
    assert {path.name for path in (tmp_path / "target").iterdir()} == {"darkroom.db.lock"}


TOUCHES = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "sqlite3.connect"}
"""What the interpreter tells an audit hook before it does it (Python /library/audit_events)."""


def die_at(number: int, folder: Path, file: Path) -> None:
    """Restore in a process that is killed just before it touches the data folder for the `number`th time."""
    left = number

    def count(event: str, given: tuple[object, ...]) -> None:
        nonlocal left
        if event in TOUCHES and str(folder) in str(given):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    restore(folder, file)
    os._exit(0)


def deaths(old: Path, file: Path, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A copy of the old folder for each moment; the last one was not killed any more."""
    forked = multiprocessing.get_context("fork")
    for number in range(1000):
        folder = tmp_path / f"killed-{number}"
        lay_out(folder, old / "darkroom.db", PHOTO, b"old", KEY)
        process = forked.Process(target=die_at, args=(number, folder, file))
        process.start()
        process.join()
        assert process.exitcode is not None
        yield process.exitcode, folder
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")
async def test_killed_at_any_step_the_old_state_or_the_new_one_is_there(
    old: Path, backup: Path, tmp_path: Path
) -> None:
    """Mutants: the database is moved away before the new one comes; the key or the files come after the database."""
    states, codes = list[str](), list[int]()
    for code, folder in deaths(old, backup, tmp_path):
        codes.append(code)
        states.append(await state_of(folder))
        if len(codes) % 10 == 0:
            await asyncio.to_thread(restore, folder, backup, now=NOW + timedelta(hours=1))
            assert await state_of(folder) == "new"
            assert not (folder / restoring.STAGING).exists()
    assert len(codes) > 20
    assert codes[-1] == 0
    assert states == sorted(states, reverse=True), "once it is new it stays so"
    assert set(states) == {"old", "new"}
