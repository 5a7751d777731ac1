"""The generation lane: from queued to pictures on our disk and in the outbox, paying at most once."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.clock import Clock, Pace
from bot.errors import (
    Busy,
    FetchError,
    FileGone,
    FileTooLarge,
    HostRefused,
    KeyRejected,
    Missing,
    NoKey,
    OutcomeUnknown,
    OutOfCredits,
    ProviderError,
    Refused,
    Unavailable,
)
from bot.generation import failures
from bot.generation.outcomes import GenerationOutcomes
from bot.keys import KeyService
from bot.models import (
    Generation,
    GenerationStatus,
    Place,
    PlaceKind,
)
from bot.photos.checks import identify
from bot.photos.intake import Fetcher, Received, Spool
from bot.providers.base import GenerationOrder, GenerationReport, Progress, ProviderClient
from bot.storage import loras
from bot.storage.database import Database
from bot.storage.due import Claim

log = logging.getLogger(__name__)

S = GenerationStatus

PICTURE_MAX_BYTES = 50_000_000
KEY_MEMORY = timedelta(hours=23)
"""Apiframe replays an Idempotency-Key for 24 h (OpenAPI document); we stop trusting it an hour earlier."""


class GenerationSteps:
    def __init__(
        self,
        database: Database,
        key_service: KeyService,
        spool: Spool,
        fetcher: Fetcher,
        outcomes: GenerationOutcomes,
        *,
        webhook_url: Callable[[Generation], str | None],
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._database = database
        self._keys = key_service
        self._spool = spool
        self._fetcher = fetcher
        self._outcomes = outcomes
        self._webhook_url = webhook_url
        self._clock = clock
        self._pace = pace

    async def advance(self, claim: Claim[Generation]) -> None:
        match claim.row.status:
            case S.QUEUED | S.SUBMITTING:
                await self._submit(claim)
            case S.SUBMITTED:
                await self._poll(claim)
            case S.FETCHING:
                await self._fetch(claim)
            case _:
                await self._outcomes.forget(claim)

    async def _submit(self, claim: Claim[Generation]) -> None:
        """Send the order, or send it again under the same idempotency key: the provider then answers with the first."""
        generation, now = claim.row, self._clock.now()
        if generation.submitting_at is not None and now > generation.submitting_at + KEY_MEMORY:
            await self._outcomes.fail(claim, failures.UNKNOWN_OUTCOME)
            return
        if now > generation.created_at + self._pace.give_up:
            await self._outcomes.fail(claim, failures.UNREACHABLE)
            return
        client = await self._client(claim)
        if client is None:
            return
        async with self._database.read() as connection:
            lora = await loras.get(connection, generation.lora_id)
        if lora is None or lora.archived_at is not None:
            await self._outcomes.fail(claim, failures.ARCHIVED)
            return
        if generation.status is S.QUEUED and not await self._can_pay(claim, client):
            return
        claim = await self._outcomes.submitting(claim)
        order = GenerationOrder(
            prompt=generation.prompt,
            lora=lora.request_id,
            settings=generation.settings,
            idempotency_key=generation.idempotency_key,
            webhook_url=self._webhook_url(generation),
        )
        try:
            report = await client.submit_generation(order)
        except ProviderError as error:
            await self._not_submitted(claim, error)
        else:
            await self._outcomes.submitted(claim, report)

    async def _can_pay(self, claim: Claim[Generation], client: ProviderClient) -> bool:
        """Look at the balance before the first try; whatever goes wrong here has cost nothing."""
        try:
            account = await client.account()
        except ProviderError as error:
            await self._not_submitted(claim, error)
            return False
        needed = client.prices.picture * claim.row.settings.count
        if account.credits is None or account.credits >= needed:
            return True
        await self._not_submitted(claim, OutOfCredits(required=needed, available=account.credits))
        return False

    async def _poll(self, claim: Claim[Generation]) -> None:
        generation = claim.row
        client = await self._keys.client(generation.key_id)
        if client is None:
            await self._outcomes.fail(claim, failures.KEY_REMOVED)
            return
        assert generation.request_id is not None  # noqa: S101 - set together with the status
        try:
            report = await client.generation(generation.request_id)
        except Missing:
            await self._outcomes.fail(claim, failures.FORGOTTEN)
        except KeyRejected as error:
            await self._keys.pause(generation.key_id, error, noticed_in=Place(PlaceKind.CHANNEL, generation.channel_id))
            await self._look_again(claim)
        except ProviderError:
            await self._look_again(claim)
        else:
            await self._take_report(claim, report)

    async def _look_again(self, claim: Claim[Generation]) -> None:
        """The provider told us nothing this time. Not for ever: its member must hear something one day."""
        generation = claim.row
        if generation.submitted_at is not None and self._clock.now() > generation.submitted_at + self._pace.give_up:
            await self._outcomes.fail(claim, failures.NEVER_FINISHED)
        else:
            await self._outcomes.later(claim)

    async def _take_report(self, claim: Claim[Generation], report: GenerationReport) -> None:
        generation, now = claim.row, self._clock.now()
        if report.progress is Progress.READY and report.expired:
            await self._outcomes.fail(claim, failures.EXPIRED)
        elif report.progress is Progress.READY and not report.image_urls:
            await self._outcomes.fail(claim, failures.EMPTY)
        elif report.progress is Progress.READY:
            await self._outcomes.keep(
                claim,
                due_in=timedelta(0),
                note="made",
                status=S.FETCHING,
                image_urls=list(report.image_urls),
                cost=report.cost,
                attempt=0,
            )
        elif report.progress is Progress.FAILED:
            await self._outcomes.fail(claim, failures.failed_at_provider(generation.provider, report.error))
        elif generation.submitted_at is not None and now > generation.submitted_at + self._pace.give_up:
            await self._outcomes.fail(claim, failures.NEVER_FINISHED)
        else:
            slow = generation.submitted_at is not None and (
                now > generation.submitted_at + self._pace.generation_deadline
            )
            wait = self._pace.generation_poll * 1.5 ** min(generation.attempt, 10)
            pause = self._pace.backoff_max if slow else min(wait, self._pace.generation_poll_max)
            await self._outcomes.keep(claim, due_in=pause, attempt=generation.attempt + 1)

    async def _fetch(self, claim: Claim[Generation]) -> None:
        """Bring the pictures onto our disk: the provider may delete them after 24 h."""
        generation = claim.row
        received: list[tuple[str, Received]] = []
        try:
            for url in generation.image_urls:
                file = await self._fetcher.fetch(url, limit=PICTURE_MAX_BYTES, into=self._spool)
                received.append((url, file))
                await asyncio.to_thread(_check_picture, self._spool.path(file.file))
        except FileGone:
            self._spool.free(file.file for _, file in received)
            await self._outcomes.fail(claim, failures.EXPIRED)
        except (HostRefused, FileTooLarge) as error:
            self._spool.free(file.file for _, file in received)
            log.error("A picture cannot be fetched: %s", error)
            await self._outcomes.fail(claim, failures.UNSAFE)
        except FetchError:
            self._spool.free(file.file for _, file in received)
            await self._fetch_later(claim)
        else:
            await self._outcomes.ready(claim, received)

    async def _fetch_later(self, claim: Claim[Generation]) -> None:
        generation = claim.row
        if generation.submitted_at and self._clock.now() > generation.submitted_at + self._pace.give_up:
            await self._outcomes.fail(claim, failures.NEVER_FETCHED)
        else:
            await self._outcomes.later(claim)

    async def _client(self, claim: Claim[Generation]) -> ProviderClient | None:
        """Once sent, always under the same key; before that, under the guild's present one."""
        generation = claim.row
        if generation.submitting_at is not None:
            client = await self._keys.client(generation.key_id)
            if client is None:
                await self._outcomes.fail(claim, failures.UNKNOWN_OUTCOME)
            return client
        try:
            key = await self._keys.current(generation.guild_id, generation.provider)
        except NoKey as error:
            await self._outcomes.fail(claim, str(error))
            return None
        if key.id != generation.key_id:
            await self._outcomes.keep(claim, due_in=timedelta(0), key_id=key.id)
            return None
        return await self._keys.client(key.id)

    async def _not_submitted(self, claim: Claim[Generation], error: ProviderError) -> None:
        generation = claim.row
        match error:
            case OutcomeUnknown():
                await self._outcomes.later(claim)
            case Busy() | Unavailable():
                wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
                await self._outcomes.later(claim, wait)
            case KeyRejected():
                place = Place(PlaceKind.CHANNEL, generation.channel_id)
                await self._keys.pause(generation.key_id, error, noticed_in=place)
                await self._outcomes.fail(claim, failures.key_rejected(generation.provider))
            case OutOfCredits():
                await self._outcomes.fail(claim, failures.out_of_credits(error))
            case Refused() | Missing():
                await self._outcomes.fail(claim, failures.refused(generation.provider, error))
            case _:
                await self._outcomes.later(claim)


def _check_picture(path: Path) -> None:
    """FetchError unless the file begins like one of the formats that are ordered."""
    with path.open("rb") as file:
        if identify(file.read(64)) not in {"png", "jpeg", "webp"}:
            raise FetchError("What came is not a picture.")
