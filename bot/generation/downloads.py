"""Downloading finished pictures, all at once: one that is not there, or does not come, keeps no other back."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import FetchError, FileDamaged, FileGone, FileTooLarge, HostRefused, ProviderError
from bot.generation import failures
from bot.generation.outcomes import Arrived, Fetched, GenerationOutcomes, LinkOnly, paid_for
from bot.keys.service import KeyService
from bot.photos.filetypes import identify
from bot.photos.intake import Received
from bot.providers.base import Progress
from bot.records.doubt import Doubt, one_more
from bot.records.generation import Generation
from bot.resources import Resources, Service
from bot.storage.due import Claim
from bot.storage.jobs import generations

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
        return any(map(_may_come, self.lost.values()))

    def with_links(self) -> "Haul":
        """What may come later is given as a link instead of being awaited."""
        links = {number: LinkOnly.SLOW for number, error in self.lost.items() if _may_come(error)}
        lost = {number: error for number, error in self.lost.items() if number not in links}
        return Haul({**self.received, **links}, lost)


def _may_come(error: FetchError) -> bool:
    return not isinstance(error, FileGone | HostRefused)


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
            await self._outcomes.ready(claim, Fetched(urls, haul.received, doubt, error))
        elif haul.gone:
            if await self._outcomes.is_believed(claim, self._timings.picture_doubted, image_urls=urls):
                await self._give_up(claim, urls, haul.with_links())
        elif haul.may_come:
            await self._outcomes.later_or_fail(claim, failures.NEVER_FETCHED)
        else:
            await self._outcomes.fail(claim, failures.UNSAFE, took=paid_for(claim.row))

    async def _give_up(self, claim: Claim[Generation], urls: tuple[str, ...], haul: Haul) -> None:
        """None of them came, and what is insisted to be gone is believed to be."""
        if haul.received:
            error = _incomplete(urls, haul, failures.GONE_PICTURE)
            await self._outcomes.ready(claim, Fetched(urls, haul.received, error=error))
        else:
            await self._outcomes.fail(claim, failures.EXPIRED, took=paid_for(claim.row))

    async def fetch_late(self, claim: Claim[Generation]) -> None:
        """Fetch what was not there when the others were posted; what is insisted to be gone is given up and named."""
        generation = claim.row
        had = {picture.position for picture in await self._database.fetch(generations.pictures_of, generation.id)}
        urls = await self._present_urls(generation)
        haul = await self._haul(urls, [number for number in generation.late if number not in had])
        doubt = self._doubt(generation.doubt, haul)
        why = self._why_given_up(generation, haul, doubt)
        if why == failures.GONE_PICTURE:
            haul = haul.with_links()
        is_open = bool(haul.lost) and why is None
        error = None if why is None else _incomplete(urls, haul, why)
        await self._outcomes.arrived(claim, Fetched(urls, haul.received, doubt if is_open else None, error))

    def _why_given_up(self, generation: Generation, haul: Haul, doubt: Doubt) -> str | None:
        """Why what is missing is not asked for any more; None while it is, or when nothing is missing."""
        if not haul.lost:
            return None
        if self._outcomes.is_older_than(generation, self._timings.give_up):
            return failures.NEVER_FETCHED_PICTURE
        if haul.gone:
            is_over = doubt.is_over(self._timings.picture_doubted, self._clock.now())
            return failures.GONE_PICTURE if is_over else None
        return None if haul.may_come else failures.UNSAFE_PICTURE

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
        tries = [asyncio.create_task(self._try(urls[number - 1])) for number in numbers]
        try:
            await self._wait_for(tries)
        finally:
            await _end(tries)
        both = {number: _result(each) for number, each in zip(numbers, tries, strict=True)}
        return Haul(
            {number: each for number, each in both.items() if not isinstance(each, FetchError)},
            {number: each for number, each in both.items() if isinstance(each, FetchError)},
        )

    async def _wait_for(self, tries: Collection["asyncio.Task[Arrived | FetchError]"]) -> None:
        """Return when all have ended, or `picture_patience` after the first of them has come or is said to be gone."""
        pending = set(tries)
        is_decided = False
        while pending and not is_decided:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            is_decided = any(_is_decided(each) for each in done)
        if pending:
            have_ended = asyncio.Event()
            rest = asyncio.gather(*pending, return_exceptions=True)
            rest.add_done_callback(lambda _: have_ended.set())
            await self._clock.wait(have_ended, self._clock.now() + self._timings.picture_patience)

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


async def _end(tries: Collection["asyncio.Task[Arrived | FetchError]"]) -> None:
    """Stop those that are still under way."""
    for each in tries:
        each.cancel()
    # Of several that the disk refuses one tells so; asyncio would log the others as never asked for.
    await asyncio.gather(*tries, return_exceptions=True)


def _is_decided(ended: "asyncio.Task[Arrived | FetchError]") -> bool:
    result = _result(ended)
    return not isinstance(result, FetchError) or isinstance(result, FileGone)


def _result(ended: "asyncio.Task[Arrived | FetchError]") -> Arrived | FetchError:
    return FetchError("It did not come while the others did.") if ended.cancelled() else ended.result()


def _incomplete(urls: Collection[str], haul: Haul, why: str) -> str:
    return failures.incomplete(haul.lost, len(urls), why)


def _check_picture(path: Path) -> None:
    """FetchError unless the file begins like a PNG, JPEG or WebP."""
    with path.open("rb") as file:
        if identify(file.read(64)) not in {"png", "jpeg", "webp"}:
            raise FetchError("What came is not a picture.")
