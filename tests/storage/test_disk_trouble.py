"""The writer outlives whatever the disk does: each caller learns that nothing was stored, and later writes go on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StorageTrouble
from bot.storage import meta, trouble, writer
from bot.storage.database import Database, sqlite_url
from tests.fakes.failing_disk import FULL, IO_ERROR, READ_ONLY, Disk, Fault, open_disk, take_lock
from tests.fakes.waiting import eventually
from tests.storage.committed import names_on_disk, put

FAULTS = pytest.mark.parametrize(("fault", "words"), [(IO_ERROR, "disk"), (FULL, "disk is full"), (READ_ONLY, "write")])
CHECKPOINT = "PRAGMA wal_checkpoint"


def log_bytes(file: Path) -> int:
    return Path(f"{file}-wal").stat().st_size


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return open_disk(monkeypatch)


@pytest.fixture
async def shaky(disk: Disk, database_file: Path) -> AsyncIterator[Database]:
    async with Database(sqlite_url(database_file)) as database:
        yield database


@FAULTS
async def test_a_failing_checkpoint_is_tried_later_and_writes_go_on_meanwhile(
    disk: Disk,
    shaky: Database,
    database_file: Path,
    fault: Fault,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Mutant: the checkpoint outside any guard. The writer dies, and the next write hangs."""
    monkeypatch.setattr(writer, "WIPE_AGAIN_S", 0.0)
    disk.fails[CHECKPOINT] = fault
    await shaky.write(put(1))
    await shaky.wipe_log()
    assert [await shaky.write(put(number)) for number in (2, 3)] == [2, 3]
    assert names_on_disk(database_file) >= {"key-1", "key-2", "key-3"}
    assert words in caplog.text
    assert log_bytes(database_file) > 0
    disk.fails.clear()
    await eventually(lambda: log_bytes(database_file) == 0)


async def test_a_log_that_a_reader_needs_is_overwritten_later(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WIPE_AGAIN_S", 0.0)
    async with database.read() as connection:
        await meta.get(connection, "key-1")
        await database.write(put(1))
        await database.wipe_log()
        assert await database.write(put(2)) == 2
        assert log_bytes(database_file) > 0
    await eventually(lambda: log_bytes(database_file) == 0)


@FAULTS
@pytest.mark.parametrize("where", ["BEGIN", "INSERT", "COMMIT"])
async def test_a_write_that_the_disk_refuses_is_answered_in_a_sentence_and_the_next_goes_on(
    disk: Disk, shaky: Database, database_file: Path, where: str, fault: Fault, words: str
) -> None:
    disk.fails[where] = fault
    answers = await asyncio.gather(*(shaky.write(put(number)) for number in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StorageTrouble}
    assert words in str(answers[0])
    assert "key-0" not in names_on_disk(database_file)
    disk.fails.clear()
    assert await asyncio.gather(*(shaky.write(put(number)) for number in range(5, 10))) == [5, 6, 7, 8, 9]
    assert {name for name in names_on_disk(database_file) if name.startswith("key-")} == {
        f"key-{number}" for number in range(5, 10)
    }


async def test_the_log_names_a_trouble_once_and_again_when_it_comes_back(
    disk: Disk, shaky: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        disk.fails["COMMIT"] = FULL
        for number in range(3):
            with pytest.raises(StorageTrouble):
                await shaky.write(put(number))
        disk.fails.clear()
        await shaky.write(put(9))
    assert caplog.text.count("database or disk is full") == 2


@FAULTS
async def test_a_read_that_the_disk_refuses_is_answered_in_a_sentence(
    disk: Disk, shaky: Database, fault: Fault, words: str
) -> None:
    disk.fails["SELECT"] = fault
    with pytest.raises(StorageTrouble, match=words):
        await shaky.fetch(meta.get, meta.INSTALLATION)
    disk.fails.clear()
    assert await shaky.fetch(meta.get, "nothing") is None


async def test_an_error_of_the_program_stays_what_it_is(database: Database) -> None:
    async def misspell(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("SELECT colour FROM meta")

    with pytest.raises(sa.exc.OperationalError):
        await database.write(misspell)


async def test_writes_after_the_writer_has_ended_are_refused_instead_of_waiting_for_ever(database: Database) -> None:
    assert database.writer is not None
    waiting = asyncio.create_task(database.writer.watch())
    await asyncio.sleep(0)
    assert database.writer._task is not None
    database.writer._task.cancel()
    await asyncio.wait({waiting})
    for _ in range(2):
        with pytest.raises(StorageTrouble):
            await database.write(put(1))
    await database.wipe_log()


async def test_writes_in_the_queue_of_a_writer_that_ends_get_an_answer(disk: Disk, shaky: Database) -> None:
    disk.hang()
    writes = [asyncio.create_task(shaky.write(put(0)))]
    await disk.is_hanging()
    writes += [asyncio.create_task(shaky.write(put(number))) for number in (1, 2)]
    await asyncio.sleep(0)
    assert shaky.writer is not None
    assert shaky.writer._task is not None
    shaky.writer._task.cancel()
    disk.go_on()
    await asyncio.wait({shaky.writer._task})
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StorageTrouble}


async def test_closing_ends_although_the_disk_does_not_answer(
    disk: Disk, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: waiting for the queue without a limit."""
    monkeypatch.setattr(writer, "CLOSE_S", 0.01)
    monkeypatch.setattr("bot.storage.database.CLOSE_S", 0.01)
    database = await Database(sqlite_url(database_file)).__aenter__()
    disk.hang()
    write = asyncio.create_task(database.write(put(1)))
    await disk.is_hanging()
    await database.__aexit__()
    with pytest.raises(StorageTrouble):
        await write
    disk.go_on()
    assert database.writer is not None
    assert database.writer._task is not None
    await asyncio.wait({database.writer._task})
    await disk.close_connections()
    async with Database(sqlite_url(database_file)) as again:
        assert await again.write(put(2)) == 2


async def test_a_person_hears_that_it_is_busy_and_the_engine_gets_through_later(
    database: Database, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: waiting as long as the lock lasts; a write that is stored although its caller was told to try again."""
    monkeypatch.setattr(writer, "PATIENCE_S", 0.0)
    other = take_lock(database_file)
    with writer.patient_writes():
        patient = asyncio.create_task(database.write(put(1)))
    people = await asyncio.gather(*(database.write(put(number)) for number in range(2, 5)), return_exceptions=True)
    assert [str(answer) for answer in people] == [trouble.BUSY] * 3
    assert await database.fetch(meta.get, "key-1") is None
    assert not patient.done()
    other.execute("ROLLBACK")
    other.close()
    assert await patient == 1
    assert await database.write(put(5)) == 5
    assert {name for name in names_on_disk(database_file) if name.startswith("key-")} == {"key-1", "key-5"}


async def test_a_short_lock_is_noticed_by_nobody(database: Database, database_file: Path) -> None:
    other = take_lock(database_file)
    write = asyncio.create_task(database.write(put(1)))
    await asyncio.sleep(0.01)
    other.execute("ROLLBACK")
    other.close()
    assert await write == 1


async def test_closing_ends_although_another_program_holds_the_file(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.05)
    database = await Database(sqlite_url(database_file)).__aenter__()
    other = take_lock(database_file)
    with writer.patient_writes():
        write = asyncio.create_task(database.write(put(1)))
    await asyncio.sleep(0)
    await database.__aexit__()
    with pytest.raises(StorageTrouble):
        await write
    other.close()


def test_the_answer_comes_within_two_and_a_half_seconds() -> None:
    assert writer.PATIENCE_S + writer.LOCK_TRY_MS / 1000 + writer.PAUSE_S <= 2.5
