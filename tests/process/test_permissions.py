"""What Darkroom keeps is for its own user, where the file system can tell users apart."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from bot.photos.intake import Spool
from bot.process.permissions import FILE_MODE, FOLDER_MODE, restrict
from bot.storage.database import Database, sqlite_url
from tests.storage.committed import put

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_all(file: Path) -> None:
    file.chmod(0o644)


def refuse(_path: Path, _mode: int, **_options: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("before", [0o644, 0o666, 0o600])
def test_the_rights_of_others_are_taken_away(tmp_path: Path, before: int) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(before)
    restrict(file, FILE_MODE)
    assert mode(file) == FILE_MODE


def test_a_mode_that_cannot_be_set_is_logged_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Mutant: chmod unguarded, which ends the start with a traceback on network volumes."""
    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    restrict(tmp_path, FOLDER_MODE)
    assert "its mode cannot be set" in caplog.text
    Spool(tmp_path)


def test_a_mode_that_is_right_is_not_set_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(Path, "chmod", refuse)
    restrict(tmp_path, FOLDER_MODE)
    Spool(tmp_path)
    assert caplog.text == ""


def test_a_folder_that_everybody_shares_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    restrict(tmp_path, FOLDER_MODE)
    assert mode(tmp_path) == 0o1777


def test_what_is_not_there_is_no_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    restrict(tmp_path / "nothing", FILE_MODE)
    assert caplog.text == ""


async def test_the_files_of_the_database_are_for_its_user_alone(database_file: Path) -> None:
    """Those of an earlier version, too."""
    open_to_all(database_file)
    async with Database(sqlite_url(database_file)) as database:
        await database.write(put(1))
        modes = {path.name: mode(path) for path in database_file.parent.glob("darkroom.db*")}
    assert modes == dict.fromkeys(["darkroom.db", "darkroom.db-wal", "darkroom.db-shm", "darkroom.db.lock"], FILE_MODE)


async def test_a_volume_without_modes_does_not_keep_the_database_from_opening(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all(database_file)
    monkeypatch.setattr(Path, "chmod", refuse)
    async with Database(sqlite_url(database_file)) as database:
        assert await database.write(put(1)) == 1
