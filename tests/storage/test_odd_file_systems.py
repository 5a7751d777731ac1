"""File systems that answer oddly: one sentence with what to do, never a wrong one, and no refusal without need."""

import errno
import fcntl
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StartupError
from bot.photos.intake import Spool
from bot.process.folders import unlockable, unusable
from bot.storage.database import Database, sqlite_url
from bot.storage.driver import Connection, Outcome
from bot.storage.sealing import KEY_FILE, load_master_keys
from tests.fakes.failing_disk import Disk, open_disk
from tests.storage.committed import put


def refusing(code: int) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return refuse


async def refusal(file: Path) -> str:
    with pytest.raises(StartupError) as refused:
        await Database(sqlite_url(file)).__aenter__()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
async def test_one_without_locks_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Mutant: it is taken for a folder that this user may not write to."""
    monkeypatch.setattr(fcntl, "flock", refusing(code))
    said = await refusal(tmp_path / "darkroom.db")
    assert f"The file system of {tmp_path} has no locks" in said
    assert "DARKROOM_DATABASE_URL" in said
    assert "write access" not in said


@pytest.mark.parametrize(
    ("code", "wanted", "unwanted"),
    [
        (errno.EACCES, "may not write", "no room"),
        (errno.EPERM, "write access", "no room"),
        (errno.EROFS, "mounted read-only", "write access"),
        (errno.ENOSPC, "no room left", "write access"),
        (errno.EDQUOT, "no room left", "write access"),
        (errno.ENOTDIR, "is not a folder", "write access"),
        (errno.EEXIST, "is not a folder", "write access"),
        (errno.ELOOP, "is not a folder", "write access"),
        (errno.ENAMETOOLONG, "longer than its file system takes", "write access"),
        (errno.EIO, "Input/output error", "write access"),
        (errno.ESTALE, "its disk is there and well", "write access"),
    ],
)
def test_each_refusal_has_its_own_sentence_and_its_own_way_out(code: int, wanted: str, unwanted: str) -> None:
    said = unusable(Path("/srv/darkroom"), OSError(code, os.strerror(code)))
    assert said == unlockable(Path("/srv/darkroom"), OSError(code, os.strerror(code)))
    assert "/srv/darkroom" in said
    assert (wanted in said, unwanted in said, "DARKROOM_DATA_DIR" in said) == (True, False, True)


async def test_what_stands_in_the_way_of_the_data_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for folder in ("file", "file/data", "nowhere", "n" * 300):
        said = await refusal(tmp_path / folder / "darkroom.db")
        assert ("longer than" if folder.startswith("nn") else "is not a folder") in said


def test_a_spool_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Mutant: a traceback."""
    (tmp_path / "spool").write_text("")
    with pytest.raises(StartupError, match="is not a folder"):
        Spool(tmp_path / "spool")


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])
def test_without_hard_links_the_master_key_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As on FAT and many network disks. Mutant: "could not be written"."""
    monkeypatch.setattr(os, "link", refusing(code))
    made = load_master_keys(None, None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert load_master_keys(None, None, tmp_path) == made


@pytest.mark.parametrize(("code", "is_made"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)])
def test_a_folder_that_cannot_be_synced_is_no_reason_to_stop_unless_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, is_made: bool
) -> None:
    fsync = os.fsync

    def sync_files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync_files_only)
    if is_made:
        assert load_master_keys(None, None, tmp_path)
    else:
        with pytest.raises(StartupError, match="Input/output error"):
            load_master_keys(None, None, tmp_path)


async def test_one_that_cannot_hold_a_wal_database_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps the old mode without an error. Mutant: readers and the writer lock each other out from then on."""

    class WithoutSharedMemory(Connection):
        async def run(self, statement: str, parameters: Any = ()) -> Outcome:
            return await super().run(statement.replace("journal_mode=WAL", "journal_mode=DELETE"), parameters)

    monkeypatch.setattr("bot.storage.database.Connection", WithoutSharedMemory)
    said = await refusal(tmp_path / "darkroom.db")
    assert "cannot hold a database that is read while it is written" in said
    assert "PostgreSQL" in said


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return open_disk(monkeypatch)


@pytest.mark.parametrize(
    "fault", [(sqlite3.SQLITE_IOERR, "disk I/O error"), (sqlite3.SQLITE_PROTOCOL, "locking protocol")]
)
async def test_what_network_disks_say_comes_with_a_way_out(disk: Disk, tmp_path: Path, fault: tuple[int, str]) -> None:
    disk.fails["PRAGMA journal_mode"] = fault
    said = await refusal(tmp_path / "darkroom.db")
    assert fault[1] in said
    assert "If it is on a network disk" in said


def listed(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_folder_with_signs_of_an_address_in_its_name_holds_its_own_database(tmp_path: Path) -> None:
    """Mutant: what follows `?` is taken for options, and `%41` for A."""
    folder = tmp_path / "what? #1 %41"
    async with Database(sqlite_url(folder / "darkroom.db")) as database:
        assert await database.write(put(1)) == 1
    assert listed(tmp_path) == {folder.name}
    assert "darkroom.db" in listed(folder)
