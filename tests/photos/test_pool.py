"""The photo pool: what it returns, what it leaves on disk, how many decodes run at once, and a loop that stays free."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.photos import prepare
from bot.photos.checks import Code
from bot.photos.intake import Received, Spool
from bot.photos.pool import PhotoPool
from bot.photos.prepare import Measured
from bot.photos.sheet import SheetEntry
from bot.records.dataset import Finding, Verdict
from tests.fakes.waiting import HANG_S
from tests.photos.sample_photos import camera_photo, encode, noise


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def pool(spool: Spool) -> Iterator[PhotoPool]:
    pool = PhotoPool(spool, workers=2)
    yield pool
    pool.close()


def receive(spool: Spool, content: bytes) -> Received:
    name = spool.new_name()
    spool.path(name).write_bytes(content)
    return Received(name, hashlib.sha256(content).hexdigest(), len(content), "image/jpeg")


def files_in(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "spool").iterdir())


class Gate:
    """Stands in for `examine`: counts who is inside and lets nobody out before `open` is set."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.inside = 0
        self.most_inside = 0
        self._lock = threading.Lock()

    def examine(self, source: Path, target: Path) -> Measured:
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.entered.release()
        assert self.open.wait(HANG_S)
        target.write_bytes(source.read_bytes())
        with self._lock:
            self.inside -= 1
        return Measured((), 1, 300, 300, 0)


async def test_an_accepted_photo_leaves_only_its_prepared_copy(tmp_path: Path, spool: Spool, pool: PhotoPool) -> None:
    received = receive(spool, encode(noise(), "PNG"))
    examined = await pool.examine(received, "cat.png")
    assert examined.verdict is Verdict.ACCEPTED
    assert (examined.name, examined.sha256) == ("cat.png", received.sha256)
    assert (examined.width, examined.height) == (800, 600)
    assert examined.file is not None
    assert files_in(tmp_path) == [examined.file]
    assert spool.path(examined.file).stat().st_size == examined.size
    assert examined.file.endswith(".jpg")


async def test_a_refused_photo_leaves_nothing(tmp_path: Path, spool: Spool, pool: PhotoPool) -> None:
    received = receive(spool, b"GIF89a" + bytes(100))
    examined = await pool.examine(received, "cat.jpg")
    assert examined.verdict is Verdict.REFUSED
    assert examined.findings == (Finding(Code.WRONG_TYPE, "gif"),)
    assert (examined.file, examined.dhash, examined.size) == (None, None, received.size)
    assert files_in(tmp_path) == []


async def test_no_more_decodes_run_at_once_than_there_are_workers(
    spool: Spool, pool: PhotoPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr("bot.photos.pool.examine", gate.examine)
    tasks = [asyncio.create_task(pool.examine(receive(spool, b"x"), str(number))) for number in range(6)]
    for _ in range(2):
        assert await asyncio.to_thread(gate.entered.acquire, timeout=HANG_S)
    assert not await asyncio.to_thread(gate.entered.acquire, timeout=0.05)
    gate.open.set()
    assert len(await asyncio.gather(*tasks)) == 6
    assert gate.most_inside == 2


async def test_a_cancelled_caller_leaves_nothing_on_disk(
    tmp_path: Path, spool: Spool, pool: PhotoPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr("bot.photos.pool.examine", gate.examine)
    tasks = [asyncio.create_task(pool.examine(receive(spool, b"x"), str(number))) for number in range(4)]
    for _ in range(2):
        assert await asyncio.to_thread(gate.entered.acquire, timeout=HANG_S)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(gone, asyncio.CancelledError) for gone in await asyncio.gather(*tasks, return_exceptions=True)
    )
    gate.open.set()
    await asyncio.to_thread(pool.close)
    assert files_in(tmp_path) == []


async def test_a_failing_disk_is_reported_and_leaves_nothing(
    tmp_path: Path, spool: Spool, pool: PhotoPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Path, target: Path) -> Measured:
        target.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("bot.photos.pool.examine", fail)
    with pytest.raises(OSError, match="no space"):
        await pool.examine(receive(spool, b"x"), "cat.jpg")
    assert files_in(tmp_path) == []


async def test_photos_are_examined_in_other_threads_than_the_loops(
    spool: Spool, pool: PhotoPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    real = prepare.examine

    def examine(source: Path, target: Path) -> Measured:
        threads.add(threading.get_ident())
        return real(source, target)

    monkeypatch.setattr("bot.photos.pool.examine", examine)
    photo = await asyncio.to_thread(camera_photo, 1)
    received = [await asyncio.to_thread(receive, spool, photo) for _ in range(3)]
    examined = await asyncio.gather(*(pool.examine(one, f"{number}.jpg") for number, one in enumerate(received)))
    assert {one.verdict for one in examined} == {Verdict.ACCEPTED}
    assert {(one.width, one.height) for one in examined} == {(1500, 2000)}
    assert threads
    assert threading.get_ident() not in threads


async def test_the_desk_draws_contact_sheets_beside_the_loop(spool: Spool, pool: PhotoPool) -> None:
    examined = await pool.examine(receive(spool, encode(noise(), "PNG")), "cat.png")
    assert examined.file is not None
    sheet = await pool.sheet([SheetEntry(1, spool.path(examined.file), examined.verdict)])
    assert sheet.startswith(b"\xff\xd8\xff")
