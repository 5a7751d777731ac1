"""Downloading finished pictures, each for itself: one that is not there keeps no other back."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import FetchError, FileDamaged, FileGone, FileTooLarge, HostRefused, ProviderError
from bot.generation import failures
from bot.generation.outcomes import Arrived, GenerationOutcomes, LinkOnly
from bot.keys.service import KeyService
from bot.photos.filetypes import identify
from bot.photos.intake import Received
from bot.providers.base import Progress
from bot.records.doubt import Doubt, one_more
from bot.records.generation import Generation
from bot.resources import Resources, Service
from bot.storage import generations
from bot.storage.due import Claim

log = logging.getLogger(__name__)

PICTURE_MAX_BYTES = 50_000_000
TRIES_TO_GET_IT_WHOLE = 2


@dataclass(frozen=True, slots=True)
class Haul:
    """What became of each picture, by number: it came, or why it did not."""

    received: Mapping[int, Arrived]
    lost: Mapping[int, FetchError]

    @property
    def gone(self) -> bool:
        """Whether one of them is said not to be there."""
        return any(isinstance(error, FileGone) for error in self.lost.values())

    @property
    def may_come(self) -> bool:
        """Whether one of them may come later, with nothing said about it."""
        return any(not isinstance(error, FileGone | HostRefused) for error in self.lost.values())


class PictureDownloads(Service):
    def __init__(self, opened: Resources, key_service: KeyService, outcomes: GenerationOutcomes) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._fetcher = opened.fetcher
        self._pool = opened.pool
        self._outcomes = outcomes

    async def fetch(self, claim: Claim[Generation]) -> None:
        """Download the pictures, because the provider may delete them after 24 h; those that come are posted."""
        urls = await self._present_urls(claim.row)
        haul = await self._haul(urls, range(1, len(urls) + 1))
        if haul.received:
            doubt = self._doubt(None, haul) if haul.gone or haul.may_come else None
            error = None if doubt or not haul.lost else _incomplete(urls, haul, failures.UNSAFE_PICTURE)
            await self._outcomes.ready(claim, urls, haul.received, doubt=doubt, error=error)
        elif haul.may_come:
            await self._outcomes.later_or_fail(claim, failures.NEVER_FETCHED)
        elif not haul.gone:
            await self._outcomes.fail(claim, failures.UNSAFE)
        elif await self._outcomes.is_believed(claim, self._timings.picture_doubted, image_urls=urls):
            await self._outcomes.fail(claim, failures.EXPIRED)

    async def fetch_late(self, claim: Claim[Generation]) -> None:
        """Fetch what was not there when the others were posted; what is insisted to be gone is given up and named."""
        generation = claim.row
        had = {picture.position for picture in await self._database.fetch(generations.pictures_of, generation.id)}
        urls = await self._present_urls(generation)
        haul = await self._haul(urls, [number for number in generation.late if number not in had])
        doubt = self._doubt(generation.doubt, haul)
        why = self._why_given_up(generation, haul, doubt)
        is_open = bool(haul.lost) and why is None
        error = None if why is None else _incomplete(urls, haul, why)
        await self._outcomes.arrived(claim, urls, haul.received, doubt=doubt if is_open else None, error=error)

    def _why_given_up(self, generation: Generation, haul: Haul, doubt: Doubt) -> str | None:
        """Why what is missing is not asked for any more; None while it is, or when nothing is missing."""
        if not haul.lost:
            return None
        if self._outcomes.is_older_than(generation, self._timings.give_up):
            return failures.NEVER_FETCHED_PICTURE
        if haul.may_come:
            return None
        if not haul.gone:
            return failures.UNSAFE_PICTURE
        is_over = doubt.is_over(self._timings.picture_doubted, self._clock.now())
        return failures.GONE_PICTURE if is_over else None

    def _doubt(self, earlier: Doubt | None, haul: Haul) -> Doubt:
        """Only "it is not there" contradicts that it was made."""
        now = self._clock.now()
        return one_more(earlier, now) if haul.gone else earlier or Doubt(now, 0)

    async def _present_urls(self, generation: Generation) -> tuple[str, ...]:
        """As the job names its pictures now, once one of them was said not to be there; it may have new addresses."""
        client = await self._keys.client(generation.key_id) if generation.doubt is not None else None
        if client is None or generation.request_id is None:
            return generation.image_urls
        try:
            report = await client.generation(generation.request_id)
        except ProviderError:
            return generation.image_urls
        is_same = report.progress is Progress.READY and len(report.image_urls) == len(generation.image_urls)
        return report.image_urls if is_same else generation.image_urls

    async def _haul(self, urls: tuple[str, ...], numbers: Collection[int]) -> Haul:
        both = {number: await self._try(urls[number - 1]) for number in numbers}
        return Haul(
            {number: each for number, each in both.items() if not isinstance(each, FetchError)},
            {number: each for number, each in both.items() if isinstance(each, FetchError)},
        )

    async def _try(self, url: str) -> Arrived | FetchError:
        try:
            return await self._fetch_one(url)
        except FetchError as error:
            log.warning("A picture was not fetched: %s", error)
            return error

    async def _fetch_one(self, url: str) -> Arrived:
        """The picture; LinkOnly when only its member's browser can still get it. FetchError when that may change."""
        for _ in range(TRIES_TO_GET_IT_WHOLE):
            try:
                return await self._fetch_whole(url)
            except FileTooLarge:
                return LinkOnly.TOO_LARGE
            except HostRefused as error:
                if not url.startswith("https://"):
                    raise
                log.error("A picture cannot be fetched and is given as a link: %s", error)
                return LinkOnly.NOT_TRUSTED
            except FileDamaged as error:
                log.warning("A picture did not arrive whole: %s", error)
        return LinkOnly.DAMAGED

    async def _fetch_whole(self, url: str) -> Received:
        received = await self._fetcher.fetch(url, limit=PICTURE_MAX_BYTES, into=self._spool)
        path = self._spool.path(received.file)
        try:
            await asyncio.to_thread(_check_picture, path)
            await self._pool.check_whole(path)
        except BaseException:
            self._spool.free([received.file])
            raise
        return received


def _incomplete(urls: Collection[str], haul: Haul, why: str) -> str:
    return failures.incomplete(haul.lost, len(urls), why)


def _check_picture(path: Path) -> None:
    """FetchError unless the file begins like a PNG, JPEG or WebP."""
    with path.open("rb") as file:
        if identify(file.read(64)) not in {"png", "jpeg", "webp"}:
            raise FetchError("What came is not a picture.")
