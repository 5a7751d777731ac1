"""Examines photos and makes sheets and copies in threads, so that the event loop goes on meanwhile."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile, ZipInfo

from PIL import Image

from bot.photos import archives, sheet
from bot.photos.archives import Archive, ArchiveRefused
from bot.photos.checks import verdict_of
from bot.photos.intake import Received, Spool
from bot.photos.prepare import Measured, check_whole, examine, shrink
from bot.records.dataset import Photo, Verdict

T = TypeVar("T")


class PhotoPool:
    """Examines photos in `workers` threads (one for each core), never more at once."""

    def __init__(self, spool: Spool, workers: int) -> None:
        self._spool = spool
        # Otherwise the event loop waits 5 ms for a thread's turn, and longer while Pillow clears fresh memory.
        sys.setswitchinterval(0.001)
        Image.core.set_blocks_max(3 * workers)  # type: ignore[attr-defined] # 48 MiB a thread
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="photo")

    async def examine(self, received: Received, name: str) -> Photo:
        """A photo that is not stored yet: both its ids are 0; when it is refused `size` is what was received.

        The received file is always freed, also when the caller is cancelled.
        """
        target = self._spool.new_name(".jpg")
        measured = await self._run(self._examine_once, received.file, target)
        return _photo(measured, name, received.sha256, received.size, target)

    async def open_archive(self, file: str) -> Archive:
        """The ZIP of this spool name, for the caller to close; ArchiveRefused when nothing in it can be used."""
        return await asyncio.wrap_future(self._pool.submit(archives.open_archive, self._spool.path(file)))

    async def examine_packed(self, archive: ZipFile, info: ZipInfo, name: str) -> Photo:
        """The same as `examine` for one file of a ZIP, which is unpacked for it alone and freed again."""
        unpacked, target = self._spool.new_name(), self._spool.new_name(".jpg")
        measured, sha256, size = await self._run(partial(self._unpack_and_examine, archive, info), unpacked, target)
        return _photo(measured, name, sha256, size, target)

    async def _run(self, examined: Callable[[str, str], T], source: str, target: str) -> T:
        job = self._pool.submit(examined, source, target)
        try:
            return await asyncio.wrap_future(job)
        except BaseException:
            job.add_done_callback(lambda _: self._spool.free([source, target]))
            raise

    async def sheet(self, entries: Sequence[sheet.SheetEntry]) -> bytes:
        """A contact sheet as JPEG; at most `workers` sheets and photos are worked on at once."""
        return await asyncio.wrap_future(self._pool.submit(sheet.contact_sheet, entries))

    async def smaller_copy(self, picture: Path, limit: int, number: int | None = None) -> bytes:
        """A JPEG of at most `limit` bytes of a finished picture, for places with small upload limits; FileDamaged.

        `number` is drawn into its corner; the picture itself stays as it is.
        """
        return await asyncio.wrap_future(self._pool.submit(shrink, picture, limit, number))

    async def check_whole(self, picture: Path) -> None:
        """FileDamaged when a finished picture cannot be decoded to its last row."""
        await asyncio.wrap_future(self._pool.submit(check_whole, picture))

    def close(self) -> None:
        """Wait for what is running and start nothing more. Blocks for up to one photo's time."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _unpack_and_examine(
        self, archive: ZipFile, info: ZipInfo, unpacked: str, target: str
    ) -> tuple[Measured, str, int]:
        try:
            sha256, size = archives.unpack(archive, info, self._spool.path(unpacked))
        except ArchiveRefused as refusal:
            self._spool.free([unpacked])
            return Measured((refusal.finding,)), "", info.file_size
        return self._examine_once(unpacked, target), sha256, size

    def _examine_once(self, received_file: str, target: str) -> Measured:
        try:
            return examine(self._spool.path(received_file), self._spool.path(target))
        finally:
            self._spool.free([received_file])


def _photo(measured: Measured, name: str, sha256: str, received_size: int, target: str) -> Photo:
    verdict = verdict_of(measured.findings)
    refused = verdict is Verdict.REFUSED
    return Photo(
        id=0,
        dataset_id=0,
        name=name,
        verdict=verdict,
        findings=measured.findings,
        sha256=sha256,
        dhash=measured.dhash,
        size=received_size if refused else measured.size,
        width=measured.width,
        height=measured.height,
        file=None if refused else target,
        sharpness=measured.sharpness,
        brightness=measured.brightness,
        detail=measured.detail,
    )
