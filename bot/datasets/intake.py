"""Fetching what members send and checking it, photo by photo; a ZIP counts as the photos in it."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from bot.errors import FetchError, FileGone, FileTooLarge
from bot.photos import checks
from bot.photos.archives import ArchiveRefused, is_archive, name_in, photos_in
from bot.photos.intake import Received
from bot.records.dataset import Dataset, Finding, Photo, Upload
from bot.resources import Resources

log = logging.getLogger(__name__)

DOWNLOADS_AT_ONCE = 8
ZIP_ENDING = ".zip"


class PhotoIntake:
    """One for the whole process: what comes at once is limited here."""

    def __init__(self, opened: Resources) -> None:
        self._fetcher, self._pool, self._room, self._spool = opened.fetcher, opened.pool, opened.room, opened.spool
        self._downloads = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    async def examine(self, dataset: Dataset, uploads: Sequence[Upload], room: int) -> list[Photo]:
        """Download and check the uploads; returns each as a photo that is not stored yet, and all files of a ZIP.

        `room`: how many photos fit; what more a ZIP holds is left out and said. A bad photo is no error. An error of
        our own (a full disk) is raised, and then no file is left behind.
        """
        await self._room.check()
        submission = _Submission(room - len(uploads))
        results = await asyncio.gather(
            *(self._take_in(upload, submission) for upload in uploads), return_exceptions=True
        )
        photos = [photo for result in results if isinstance(result, list) for photo in result]
        for result in results:
            if isinstance(result, BaseException):
                self.free(photos)
                raise result
        return [replace(photo, dataset_id=dataset.id) for photo in photos]

    def free(self, photos: Sequence[Photo]) -> None:
        self._spool.free(photo.file for photo in photos if photo.file is not None)

    async def _take_in(self, upload: Upload, submission: "_Submission") -> list[Photo]:
        if not _is_called_zip(upload):
            return await self._fetch(upload, submission, checks.MAX_INTAKE_BYTES, checks.Code.TOO_LARGE)
        async with submission.one_zip:
            return await self._fetch(upload, submission, checks.MAX_ZIP_BYTES, checks.Code.ZIP_TOO_LARGE)

    async def _fetch(
        self, upload: Upload, submission: "_Submission", limit: int, too_large: checks.Code
    ) -> list[Photo]:
        name = checks.display_name(upload.name)
        if upload.size > limit:
            return [_unread(name, too_large, upload.size)]
        try:
            async with self._downloads:
                received = await self._fetcher.fetch(upload.url, limit=limit, into=self._spool)
        except FileTooLarge:
            return [_unread(name, too_large, upload.size)]
        except FileGone:
            return [_unread(name, checks.Code.GONE, upload.size)]
        except FetchError as error:
            log.warning("A photo could not be fetched: %s", error)
            return [_unread(name, checks.Code.NOT_FETCHED, upload.size)]
        if _is_called_zip(upload) and await asyncio.to_thread(is_archive, self._spool.path(received.file)):
            return await self._take_in_zip(received, name, submission)
        return [await self._pool.examine(received, name)]

    async def _take_in_zip(self, received: Received, name: str, submission: "_Submission") -> list[Photo]:
        """Every file in it, one after the other for each thread; the ZIP is freed."""
        try:
            archive = await self._pool.open_archive(received.file)
            with archive:
                infos = photos_in(archive)
                # The ZIP's own place is given to one of its files.
                chosen = infos[: submission.take(len(infos) - 1) + 1]
                photos = await self._examine_all(
                    [self._pool.examine_packed(archive, info, checks.display_name(name_in(info))) for info in chosen]
                )
        except ArchiveRefused as refusal:
            return [_unread(name, checks.Code(refusal.finding.code), received.size, refusal.finding.detail)]
        finally:
            self._spool.free([received.file])
        left_out = len(infos) - len(chosen)
        return [*photos, *([_unread(name, checks.Code.ZIP_REST, 0, str(left_out))] if left_out else [])]

    async def _examine_all(self, jobs: Sequence[Coroutine[Any, Any, Photo]]) -> list[Photo]:
        results = await asyncio.gather(*jobs, return_exceptions=True)
        photos = [result for result in results if isinstance(result, Photo)]
        for result in results:
            if isinstance(result, BaseException):
                self.free(photos)
                raise result
        return photos


class _Submission:
    """What the uploads of one submission share: the places that are `left`, and that one ZIP is on disk at a time."""

    def __init__(self, left: int) -> None:
        self._left = max(0, left)
        self.one_zip = asyncio.Lock()

    def take(self, wanted: int) -> int:
        """How many places there are for so many photos; they are taken."""
        taken = max(0, min(self._left, wanted))
        self._left -= taken
        return taken


def _is_called_zip(upload: Upload) -> bool:
    """A title that Discord keeps beside the file's name may have no ending. Documents are ZIPs inside, too."""
    return any(name.casefold().endswith(ZIP_ENDING) for name in (upload.name, urlsplit(upload.url).path))


def _unread(name: str, code: checks.Code, size: int, detail: str = "") -> Photo:
    finding = Finding(code, detail)
    return Photo(0, 0, name, checks.verdict_of([finding]), (finding,), "", None, size, 0, 0, None)
