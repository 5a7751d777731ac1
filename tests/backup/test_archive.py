"""The file of a backup: what was changed, cut off, smuggled in or written by a newer program is refused untouched."""

import json
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.backup import archive, restoring, saving
from bot.errors import StartupError
from tests.backup.backups import place_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PHOTO = "spool/" + "a" * 32 + ".jpg"

Content = dict[str, bytes]


@pytest.fixture
def backup(database_file: Path, tmp_path: Path) -> Path:
    file = tmp_path / "monday.backup"
    saving.backup(place_of(database_file.parent), file, with_master_key=False, now=NOW)
    return file


def contents_of(file: Path) -> Content:
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def write(file: Path, content: Content, mode: int = stat.S_IFREG | 0o600) -> None:
    with zipfile.ZipFile(file, "w") as out:
        for name, each in content.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            out.writestr(info, each)


def changed(file: Path, **said: Any) -> None:
    """The same backup with something else in its manifest."""
    content = contents_of(file)
    content[archive.MANIFEST] = json.dumps(json.loads(content[archive.MANIFEST]) | said).encode()
    write(file, content)


def refusal(file: Path, tmp_path: Path) -> str:
    """The one sentence with which the file is refused; nothing of it has been written."""
    target = tmp_path / "target"
    with pytest.raises(StartupError) as told:
        restoring.restore(place_of(target), file, is_forced=True, now=NOW)
    assert "\n" not in str(told.value)
    left = [path.name for path in target.rglob("*")] if target.exists() else []
    assert set(left) <= {"darkroom.db.lock"}
    return str(told.value)


def test_a_whole_backup_is_put_back(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    said = restoring.restore(place_of(target), backup, is_forced=False, now=NOW)
    assert said[0].endswith("restore number 1 of this database.")
    assert {path.name for path in target.iterdir()} == {"darkroom.db", "darkroom.db.lock", "spool"}


def test_a_changed_byte_is_noticed(backup: Path, tmp_path: Path) -> None:
    """Mutant: checksums are written and never compared."""
    content = contents_of(backup)
    database = bytearray(content[archive.DATABASE])
    database[5000] ^= 1
    write(backup, content | {archive.DATABASE: bytes(database)})
    assert "is damaged: database is not what was written" in refusal(backup, tmp_path)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_backup_that_was_cut_off_is_refused(backup: Path, tmp_path: Path, kept: float) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(kept if kept >= 1 else len(whole) * kept)])
    assert "is no backup of Darkroom's, or it is damaged" in refusal(backup, tmp_path)


SMUGGLED = {
    "absolute": "/etc/cron.d/evil",
    "climbing": "../evil.py",
    "climbing in the spool": "spool/../../evil.py",
    "another name": "darkroom.db-wal",
    "a folder": "spool/",
    "backslashes": "..\\evil.py",
}


@pytest.mark.parametrize("name", SMUGGLED.values(), ids=list(SMUGGLED))
def test_a_member_with_another_name_is_refused_although_the_manifest_has_it(
    backup: Path, tmp_path: Path, name: str
) -> None:
    """Mutant: names are taken from the manifest as they are."""
    content = contents_of(backup)
    members = json.loads(content[archive.MANIFEST])["members"]
    write(backup, content | {name: b""})
    changed(backup, members=members | {name: {"size": 0, "sha256": ""}})
    assert "does not belong into it" in refusal(backup, tmp_path)


def test_a_member_that_the_manifest_does_not_know_is_refused(backup: Path, tmp_path: Path) -> None:
    write(backup, contents_of(backup) | {PHOTO: b"x"})
    assert "does not hold what its manifest says" in refusal(backup, tmp_path)


def test_a_link_is_refused(backup: Path, tmp_path: Path) -> None:
    write(backup, contents_of(backup), stat.S_IFLNK | 0o777)
    assert "does not belong into it" in refusal(backup, tmp_path)


def test_more_bytes_than_the_manifest_says_are_never_written(backup: Path, tmp_path: Path) -> None:
    """Mutant: what is read is bounded by the archive alone."""
    members = json.loads(contents_of(backup)[archive.MANIFEST])["members"]
    members["database"]["size"] = 10
    changed(backup, members=members)
    assert "does not belong into it" in refusal(backup, tmp_path)


Change = dict[str, Any]
NEWER: list[tuple[Change, str]] = [
    ({"format": 2, "darkroom": "9.0.0"}, "was written by a newer Darkroom (9.0.0)"),
    ({"revision": "9999"}, "newer Darkroom (schema 9999, this one knows"),
    ({"database": "postgresql"}, "is a backup of postgresql, and DARKROOM_DATABASE_URL names sqlite"),
    ({"rows": {"api_keys": 7}}, "does not hold what its manifest says"),
    ({"revision": "0001"}, "does not hold what its manifest says"),
    ({"taken_at": "yesterday"}, "is no backup of Darkroom's"),
    ({"members": {}}, "does not hold what its manifest says"),
    ({"members": []}, "is no backup of Darkroom's"),
]


@pytest.mark.parametrize(("said", "because"), NEWER)
def test_what_does_not_fit_is_refused_in_one_sentence(backup: Path, tmp_path: Path, said: Change, because: str) -> None:
    changed(backup, **said)
    assert because in refusal(backup, tmp_path)


@pytest.mark.parametrize("make", [lambda file: None, Path.mkdir], ids=["nothing", "a folder"])
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x.backup")
    assert "cannot be read" in refusal(tmp_path / "x.backup", tmp_path)


def test_a_manifest_that_unpacks_to_too_much_is_refused_before_it_is_read(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MANIFEST_MAX", 100)
    assert "is no backup of Darkroom's" in refusal(backup, tmp_path)
