"""What `doctor` says of settings and disk."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.config import Settings
from bot.doctor import settings, stored
from bot.doctor.findings import State


def given(**values: Any) -> Settings:
    return Settings.model_construct(**values)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DARKROOM_POLL_INTERVALL", "Did you mean DARKROOM_POLL_INTERVAL?"),
        ("darkroom_proxi", "Did you mean DARKROOM_PROXY?"),
        ("DARKROM_LISTEN", "Did you mean DARKROOM_LISTEN?"),
        ("DARKROOM_TOKEN", "Did you mean DISCORD_TOKEN?"),
        ("DISCORD_TOKN", "Did you mean DISCORD_TOKEN?"),
        ("DARKROOM_Q", "The README lists all variables."),
    ],
)
def test_a_variable_that_nothing_reads_is_named_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "canary")
    (found,) = settings.variables()
    assert (found.state, name.upper() in found.words) == (State.WARN, True)
    assert found.what_to_do == meant
    assert "canary" not in str(found)


def test_one_in_the_env_file_is_found_too_and_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DARKROOM_CONTAKT=x\nDARKROOM_LISTEN=:1\nHOMEPAGE=x\n")
    monkeypatch.setenv("DISCORD_OPENAPI_FILE", "x")
    assert [each.what_to_do for each in settings.variables()] == ["Did you mean DARKROOM_CONTACT?"]


def test_a_master_key_that_others_can_read_is_a_warning_with_the_command(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_text("bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW0=\n")
    file.chmod(0o644)
    (found,), sealer = settings.master_key(given(darkroom_data_dir=tmp_path), None)
    assert (found.state, found.what_to_do) == (State.WARN, f"Run: chmod 600 {file}")
    assert sealer is not None
    file.chmod(0o600)
    assert settings.master_key(given(darkroom_data_dir=tmp_path), None)[0][0].state is State.OK


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe"])
def test_a_master_key_file_that_holds_none_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "master.key").write_bytes(content)
    (found,), sealer = settings.master_key(given(darkroom_data_dir=tmp_path), None)
    assert (found.state, sealer) == (State.FAIL, None)


@pytest.mark.parametrize(
    ("version", "state"), [((3, 51, 2), State.WARN), ((3, 51, 3), State.OK), ((3, 52, 0), State.OK)]
)
def test_an_old_sqlite_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], state: State
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", version)
    assert [each.state for each in stored.sqlite_version(given())] == [state]


GB = 10**9


@pytest.mark.parametrize(
    ("total", "free", "state", "words"),
    [
        (100 * GB, 50 * GB, State.OK, "50000 MB are free"),
        (100 * GB, GB // 4, State.FAIL, "250 MB are free; below 500 MB no new photos are taken"),
        (0, 0, State.WARN, "does not say how much room it has"),
    ],
)
async def test_room_is_judged_as_the_intake_of_photos_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, state: State, words: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=total, free=free))
    (found,) = await stored.disk(given(darkroom_data_dir=tmp_path / "data"))
    assert (found.state, words in found.words) == (state, True)


async def test_a_folder_that_is_a_file_or_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("")
    assert "is a file" in (await stored.disk(given(darkroom_data_dir=tmp_path / "data")))[0].words
    seen = os.statvfs(tmp_path)
    frozen = SimpleNamespace(f_flag=seen.f_flag | os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: frozen)
    (found,) = await stored.disk(given(darkroom_data_dir=tmp_path / "folder"))
    assert (found.state, f"Nothing can be written to {tmp_path}." == found.words) == (State.FAIL, True)
