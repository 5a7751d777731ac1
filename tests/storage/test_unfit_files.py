"""Files and servers that cannot be used: one sentence that says which and what to do, and they stay as they were."""

import asyncio
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.storage import postgres, trouble, writer
from bot.storage.database import Database, sqlite_url
from tests.storage.committed import put


async def refusal(file: Path) -> str:
    with pytest.raises(StartupError) as refused:
        await Database(sqlite_url(file)).__aenter__()
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rewrite(file: Path, *statements: str) -> bytes:
    with sqlite3.connect(file) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return file.read_bytes()


async def test_a_database_of_another_program_is_named_as_such_and_not_touched(tmp_path: Path) -> None:
    """Mutant: our tables are put beside theirs."""
    file = tmp_path / "darkroom.db"
    before = rewrite(file, "CREATE TABLE recipes (id INTEGER, text TEXT)", "INSERT INTO recipes VALUES (1, 'soup')")
    assert "another program has made it" in await refusal(file)
    assert "DARKROOM_DATA_DIR" in await refusal(file)
    assert tables_of(file) == {"recipes"}
    assert before[100:] == content(file)[100:]


async def test_one_of_another_program_that_migrates_as_we_do_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = tmp_path / "darkroom.db"
    rewrite(file, "CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('0001')")
    assert "another program has made it" in await refusal(file)


@pytest.mark.parametrize("revision", ["9999", "0000", "beef", ""])
async def test_a_schema_that_this_program_does_not_know_is_said_to_be_newer(database_file: Path, revision: str) -> None:
    rewrite(database_file, set_revision(revision))
    assert f"schema {revision}" in await refusal(database_file)


def set_revision(revision: str) -> str:
    return f"UPDATE alembic_version SET version_num = '{revision}'"  # noqa: S608 - a word of the test


def tables_of(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


async def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "darkroom.db"
    await asyncio.to_thread(file.mkdir)
    assert "cannot be opened" in await refusal(file)


async def test_half_a_file_is_refused_and_left_as_it_was(database_file: Path) -> None:
    half = halve(database_file)
    await refusal(database_file)
    assert content(database_file)[100:] == half[100:]


def halve(file: Path) -> bytes:
    half = file.read_bytes()[: file.stat().st_size // 2]
    file.write_bytes(half)
    return half


def content(file: Path) -> bytes:
    return file.read_bytes()


async def test_a_file_that_another_program_holds_at_the_start_is_named_as_locked(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.database.LOCK_TRY_MS", 1)
    other = sqlite3.connect(database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked" in await refusal(database_file)
    other.close()
    async with Database(sqlite_url(database_file)) as database:
        assert await database.write(put(1)) == 1


SMALL_BYTES = 3_000_000


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """A disk of its own of 3 MB; skipped, visibly, where this user may not mount one."""
    if sys.platform != "linux":
        pytest.skip("only Linux has tmpfs")
    folder = tmp_path / "small"
    folder.mkdir()
    if await run("mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "tmpfs", str(folder)):
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    await run("umount", str(folder))


async def run(*command: str) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    except FileNotFoundError:
        return 1
    return await process.wait()


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


@pytest.mark.process
async def test_a_disk_that_was_full_is_written_again_as_soon_as_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: a checkpoint on the full disk ends the writer, and every later write hangs."""
    monkeypatch.setattr(writer, "WIPE_AGAIN_S", 0.01)
    file = small_disk / "darkroom.db"
    async with Database(sqlite_url(file)) as database:
        for number in range(50):
            await database.write(put(number))
        ballast = fill(small_disk)
        await database.wipe_log()
        answers = await asyncio.gather(*(database.write(put(number)) for number in range(2000)), return_exceptions=True)
        refused = {str(answer) for answer in answers if isinstance(answer, Exception)}
        assert refused <= {trouble.FULL, trouble.BROKEN}
        ballast.unlink()
        assert await database.write(put(9999)) == 9999
    async with Database(sqlite_url(file)) as again:
        assert await again.write(put(1)) == 1


@pytest.mark.process
async def test_a_start_on_a_full_disk_is_refused_in_one_sentence(small_disk: Path) -> None:
    ballast = fill(small_disk)
    with pytest.raises(StartupError) as refused:
        await Database(sqlite_url(small_disk / "darkroom.db")).__aenter__()
    assert "\n" not in str(refused.value)
    assert "full" in str(refused.value) or "No space left" in str(refused.value)
    ballast.unlink()
    async with Database(sqlite_url(small_disk / "darkroom.db")) as database:
        assert await database.write(put(1)) == 1


async def test_a_server_that_takes_connections_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the driver's own patience of more than two minutes."""
    monkeypatch.setitem(postgres.NETWORK, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://darkroom@127.0.0.1:{silent.getsockname()[1]}/darkroom"
        with pytest.raises(StartupError, match="cannot be opened"):
            await Database(url).__aenter__()
