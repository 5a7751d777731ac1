"""The generation lane: from queued to pictures on our disk and in the outbox, paying at most once."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

from bot.errors import (
    FetchError,
    FileDamaged,
    FileGone,
    FileTooLarge,
    HostRefused,
    KeyRejected,
    Missing,
    ProviderError,
)
from bot.generation import failures
from bot.generation.outcomes import GenerationOutcomes, LinkOnly, received_files
from bot.generation.submission import GenerationSubmission
from bot.keys.service import KeyService
from bot.photos.filetypes import identify
from bot.photos.intake import Received
from bot.providers.base import GenerationReport, Progress
from bot.providers.witness import look_at_generation
from bot.records.generation import Generation, GenerationStatus
from bot.resources import Resources, Service
from bot.storage.due import Claim

log = logging.getLogger(__name__)

S = GenerationStatus

PICTURE_MAX_BYTES = 50_000_000
TRIES_TO_GET_IT_WHOLE = 2


class GenerationSteps(Service):
    def __init__(
        self, opened: Resources, key_service: KeyService, outcomes: GenerationOutcomes, submission: GenerationSubmission
    ) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._fetcher = opened.fetcher
        self._pool = opened.pool
        self._outcomes = outcomes
        self._submission = submission

    async def advance(self, claim: Claim[Generation]) -> None:
        match claim.row.status:
            case S.QUEUED | S.SUBMITTING:
                await self._submission.advance(claim)
            case S.SUBMITTED:
                await self._poll(claim)
            case S.FETCHING:
                await self._fetch(claim)
            case _:
                await self._outcomes.forget(claim)

    async def _poll(self, claim: Claim[Generation]) -> None:
        generation = claim.row
        client = await self._keys.client(generation.key_id)
        if client is None:
            await self._outcomes.fail(claim, failures.KEY_REMOVED)
            return
        assert generation.request_id is not None  # set together with the status
        assert generation.submitting_at is not None  # the same
        try:
            report = await look_at_generation(client, generation.request_id, generation.submitting_at)
        except Missing:
            await self._doubt(claim, failures.FORGOTTEN)
        except KeyRejected as error:
            await self._keys.is_refused(generation.key_id, error, noticed_in=generation.channel_id)
            await self._later(claim)
        except ProviderError:
            await self._later(claim)
        else:
            await self._take_report(claim, report)

    async def _doubt(self, claim: Claim[Generation], at_last: str) -> None:
        """The provider contradicts that it took this order; only when it insists, the order fails with `at_last`."""
        if await self._outcomes.is_believed(claim, self._timings.job_doubted):
            await self._outcomes.fail(claim, at_last)

    async def _later(self, claim: Claim[Generation], at_last: str = failures.NEVER_FINISHED) -> None:
        """Try again later; after `give_up` fail with the sentence `at_last`, so that the member is told."""
        if self._is_older_than(claim.row, self._timings.give_up):
            await self._outcomes.fail(claim, at_last)
        else:
            await self._outcomes.later(claim)

    def _is_older_than(self, generation: Generation, age: timedelta) -> bool:
        return generation.submitted_at is not None and self._clock.now() > generation.submitted_at + age

    async def _take_report(self, claim: Claim[Generation], report: GenerationReport) -> None:
        generation = claim.row
        if report.progress is Progress.READY and not report.image_urls:
            await self._doubt(claim, failures.EXPIRED if report.expired else failures.EMPTY)
        elif report.progress is Progress.READY:
            await self._outcomes.keep(
                claim,
                due_in=timedelta(0),
                note="made",
                status=S.FETCHING,
                image_urls=report.image_urls,
                cost=report.cost,
                attempt=0,
                doubt=None,
            )
        elif report.progress is Progress.FAILED:
            await self._outcomes.fail(claim, failures.failed_at_provider(generation.provider, report.error))
        elif self._is_older_than(generation, self._timings.give_up):
            await self._outcomes.fail(claim, failures.NEVER_FINISHED)
        else:
            slow = self._is_older_than(generation, self._timings.generation_deadline)
            wait = self._timings.generation_poll * 1.5 ** min(generation.attempt, 10)
            pause = self._timings.backoff_max if slow else min(wait, self._timings.generation_poll_max)
            await self._outcomes.keep(claim, due_in=pause, attempt=generation.attempt + 1, doubt=None)

    async def _fetch(self, claim: Claim[Generation]) -> None:
        """Download the pictures, because the provider may delete them after 24 h."""
        received: list[tuple[str, Received | LinkOnly]] = []
        try:
            for url in claim.row.image_urls:
                one = await self._fetch_one(url)
                received.append((url, one))
        except FetchError as error:
            self._spool.free(received_files(received))
            await self._not_fetched(claim, error)
        else:
            await self._outcomes.ready(claim, received)

    async def _fetch_one(self, url: str) -> Received | LinkOnly:
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

    async def _not_fetched(self, claim: Claim[Generation], error: FetchError) -> None:
        match error:
            case FileGone():
                await self._outcomes.fail(claim, failures.EXPIRED)
            case HostRefused():
                log.error("A picture cannot be fetched: %s", error)
                await self._outcomes.fail(claim, failures.UNSAFE)
            case _:
                await self._later(claim, failures.NEVER_FETCHED)


def _check_picture(path: Path) -> None:
    """FetchError unless the file begins like a PNG, JPEG or WebP."""
    with path.open("rb") as file:
        if identify(file.read(64)) not in {"png", "jpeg", "webp"}:
            raise FetchError("What came is not a picture.")
