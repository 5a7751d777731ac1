"""The photo tiers against the bare library, on one core and on all, and what they leave of the event loop."""

import asyncio
import io
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from bot.photos import checks, prepare
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Received, Spool
from bot.photos.pool import PhotoPool
from tests.bench.measured_photos import write_large_photo
from tests.bench.rows import Floor, Row, Sample, Target, compare, percentile
from tests.bench.scale import Scale

HEAD_BYTES = 32_768
TICK_S = 0.001
IDLE_S = 1.0
ARRIVING_BYTES = 25_000_000


async def measure(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        photo = await asyncio.to_thread(write_large_photo, Path(name) / "photo.jpg")
        headers = await asyncio.to_thread(measure_headers, photo, scale)
        decodes = await asyncio.to_thread(measure_decodes, photo, Path(name), scale)
    return headers + decodes


async def measure_loop_delay(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        photo = await asyncio.to_thread(write_large_photo, Path(name) / "photo.jpg")
        size = await asyncio.to_thread(os.path.getsize, photo)
        before = [await idle_delays() for _ in range(scale.long_rounds)]
        busy = [await examining_delays(photo, Path(name), scale.photos, size) for _ in range(scale.long_rounds)]
        arriving = [await arriving_delays(Path(name)) for _ in range(scale.long_rounds)]
        after = [await idle_delays() for _ in range(scale.long_rounds)]
    rows = []
    for label, share, most in (("p99", 0.99, 10.0), ("longest", 1.0, 50.0)):
        floor = Floor("an idle loop", _at(before, share), _at(after, share))
        name = f"loop delay while {scale.photos} photos are examined, {label}"
        rows.append(compare(name, "ms", _at(busy, share), floor, target=Target(value_most=most)))
    name = f"loop delay while a file of {ARRIVING_BYTES // 1_000_000} MB arrives, longest"
    return [*rows, compare(name, "ms", _at(arriving, 1.0), target=Target(value_most=250.0))]


def measure_headers(photo: Path, scale: Scale) -> list[Row]:
    """Photos looked at in a second."""
    before = [look(open_bare, photo, scale.header_looks) for _ in range(scale.rounds)]
    sides = [look(look_at_head, photo, scale.header_looks) for _ in range(scale.rounds)]
    scans = [look(look_before_decoding, photo, scale.header_looks // 20) for _ in range(scale.rounds)]
    after = [look(open_bare, photo, scale.header_looks) for _ in range(scale.rounds)]
    floor = Floor("Pillow's open", before, after)
    return [
        compare("header: type, size, declared sides", "photos/s", sides, floor, target=Target(ratio_least=0.3)),
        compare(
            "all that precedes the decoder (JPEG)",
            "photos/s",
            scans,
            floor,
            note="also walks through the whole file for its scans and copies what the decoder needs; "
            f"the photo has 12 megapixels and {photo.stat().st_size / 1e6:.1f} MB",
        ),
    ]


def measure_decodes(photo: Path, folder: Path, scale: Scale) -> list[Row]:
    """Photos in a second. The floor only decodes; the product also resizes, judges, hashes and encodes."""
    cores = os.cpu_count() or 1
    decode, name = (decode_bare, "Pillow's decode of the same photo")
    if shutil.which("djpeg"):
        decode, name = (run_djpeg, "a djpeg process on the same photo")
    count = max(4, scale.photos // 4)

    def examine(number: int) -> None:
        prepare.examine(photo, folder / f"prepared-{number}.jpg")

    def passes(job: Callable[[int], None], threads: int) -> list[Sample]:
        return [work_off(job, count, threads) for _ in range(scale.long_rounds)]

    def decoded(_: int) -> None:
        decode(photo)

    one_before, all_before = passes(decoded, 1), passes(decoded, cores)
    single, on_all, single_again = passes(examine, 1), passes(examine, cores), passes(examine, 1)
    one_after, all_after = passes(decoded, 1), passes(decoded, cores)
    alone = Floor("the same examination on one thread", single, single_again)
    least = Target(ratio_least=0.85 * cores) if cores > 1 else Target()
    return [
        compare(
            "examined in full, 1 thread",
            "photos/s",
            [*single, *single_again],
            Floor(name, one_before, one_after),
            target=Target(ratio_least=0.65),
        ),
        compare(f"examined in full, {cores} threads", "photos/s", on_all, Floor(name, all_before, all_after)),
        compare(f"examined in full, {cores} threads for 1", "photos/s", on_all, alone, target=least),
    ]


def look(job: Callable[[Path], object], photo: Path, count: int) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        job(photo)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(count / wall, cpu / count * 1000)


def work_off(job: Callable[[int], None], count: int, threads: int) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(job, range(count)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(count / wall, cpu / count * 1000)


def open_bare(photo: Path) -> None:
    with Image.open(photo) as image:
        image.size  # noqa: B018 - what the floor is asked for


def look_at_head(photo: Path) -> None:
    with photo.open("rb") as file:
        assert prepare.judge_head(file.read(HEAD_BYTES), photo.stat().st_size) is None


def look_before_decoding(photo: Path) -> None:
    """All that is asked of a JPEG before its first pixel is decoded."""
    look_at_head(photo)
    with photo.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = prepare.outline(content, "jpeg")
    assert checks.judge_sides(*found.sides, "jpeg") is None


def decode_bare(photo: Path) -> None:
    with Image.open(io.BytesIO(photo.read_bytes())) as image:
        image.load()


def run_djpeg(photo: Path) -> None:
    subprocess.run(["djpeg", "-outfile", os.devnull, str(photo)], check=True)  # noqa: S607 - found on the PATH before


async def idle_delays() -> list[float]:
    with Ticks() as ticks:
        await asyncio.sleep(IDLE_S)
    return ticks.delays_s


async def examining_delays(photo: Path, folder: Path, count: int, size: int) -> list[float]:
    spool = Spool(folder / "spool")
    received = [spool.new_name() for _ in range(count)]
    for name in received:
        await asyncio.to_thread(shutil.copyfile, photo, spool.path(name))
    pool = PhotoPool(spool, workers=os.cpu_count() or 1)
    try:
        with Ticks() as ticks:
            examined = await asyncio.gather(
                *(pool.examine(Received(name, "0" * 64, size, "image/jpeg"), "photo.jpg") for name in received)
            )
    finally:
        pool.close()
    spool.free(photo.file for photo in examined if photo.file)
    return ticks.delays_s


async def arriving_delays(folder: Path) -> list[float]:
    """The file host runs in the same loop: its share is counted, too."""

    async def photo(_: web.Request) -> web.Response:
        return web.Response(body=bytes(ARRIVING_BYTES))

    app = web.Application()
    app.router.add_get("/photo", photo)
    async with TestServer(app) as server, Fetcher(TrustedHosts.of([], ["127.0.0.1"])) as fetcher:
        spool = Spool(folder / "arrivals")
        with Ticks() as ticks:
            received = await fetcher.fetch(str(server.make_url("/photo")), limit=ARRIVING_BYTES, into=spool)
    spool.free([received.file])
    return ticks.delays_s


class Ticks:
    """Asks the loop for a turn every millisecond while entered; `delays_s` is how late each one came."""

    def __init__(self) -> None:
        self.delays_s: list[float] = []
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> "Ticks":
        self._schedule()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + TICK_S
        self._handle = loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self.delays_s.append(max(0.0, asyncio.get_running_loop().time() - self._due))
        self._schedule()


def _at(rounds: list[list[float]], share: float) -> list[Sample]:
    return [Sample(percentile(delays, share) * 1000) for delays in rounds]
