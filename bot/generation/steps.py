"""The generation lane: from queued to pictures on our disk and in the outbox, paying at most once."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, Doorbell, Pace
from bot.engine import backoff
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
from bot.generation.lifecycle import check_move
from bot.keys import KeyService
from bot.models import (
    Generation,
    GenerationStatus,
    LaneName,
    Picture,
    Place,
    PlaceKind,
    PostKind,
    SubjectTable,
    places_for,
)
from bot.photos.intake import Fetcher, Received, Spool
from bot.providers.base import GenerationOrder, GenerationReport, Progress, ProviderClient
from bot.storage import generations, loras, posts, tables, timeline
from bot.storage.database import Database
from bot.storage.due import Claim, DueRows, LeaseLost, mark, store

log = logging.getLogger(__name__)

S = GenerationStatus

PICTURE_MAX_BYTES = 50_000_000
KEY_MEMORY = timedelta(hours=23)
"""Apiframe replays an Idempotency-Key for 24 h (OpenAPI document); we stop trusting it an hour earlier."""


class GenerationSteps:
    def __init__(
        self,
        database: Database,
        rows: DueRows[Generation],
        key_service: KeyService,
        spool: Spool,
        fetcher: Fetcher,
        *,
        webhook_url: Callable[[Generation], str | None],
        doorbell: Doorbell,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._database = database
        self._rows = rows
        self._keys = key_service
        self._spool = spool
        self._fetcher = fetcher
        self._webhook_url = webhook_url
        self._doorbell = doorbell
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
                await self._drop_files(claim)

    async def _submit(self, claim: Claim[Generation]) -> None:
        """Send the order, or send it again under the same idempotency key: the provider then answers with the first."""
        generation, now = claim.row, self._clock.now()
        if generation.submitting_at is not None and now > generation.submitting_at + KEY_MEMORY:
            await self._fail(claim, _UNKNOWN_OUTCOME)
            return
        if now > generation.created_at + self._pace.give_up:
            await self._fail(claim, "The provider could not be reached for a day. Please send `/imagine` again.")
            return
        client = await self._client(claim)
        if client is None:
            return
        async with self._database.read() as connection:
            lora = await loras.get(connection, generation.lora_id)
        if lora is None or lora.archived_at is not None:
            await self._fail(claim, "This LoRA has been archived and cannot be used any more.")
            return
        if generation.status is S.QUEUED and not await self._can_pay(claim, client):
            return
        claim = await self._mark_submitting(claim)
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
            await self._submitted(claim, report)

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
            await self._fail(claim, "The API key for these pictures was removed before they were finished.")
            return
        assert generation.request_id is not None  # noqa: S101 - set together with the status
        try:
            report = await client.generation(generation.request_id)
        except Missing:
            await self._fail(claim, "The provider no longer knows these pictures. Please send `/imagine` again.")
        except KeyRejected as error:
            await self._keys.pause(generation.key_id, error, noticed_in=Place(PlaceKind.CHANNEL, generation.channel_id))
            await self._later(claim)
        except ProviderError:
            await self._later(claim)
        else:
            await self._take_report(claim, report)

    async def _take_report(self, claim: Claim[Generation], report: GenerationReport) -> None:
        generation, now = claim.row, self._clock.now()
        if report.progress is Progress.READY and report.expired:
            await self._fail(claim, "The provider deleted these pictures before we could fetch them.")
        elif report.progress is Progress.READY and not report.image_urls:
            await self._fail(claim, "The provider finished without any picture. Please send `/imagine` again.")
        elif report.progress is Progress.READY:
            await self._keep(
                claim,
                due_in=timedelta(0),
                note="made",
                status=S.FETCHING,
                image_urls=list(report.image_urls),
                cost=report.cost,
                attempt=0,
            )
        elif report.progress is Progress.FAILED:
            said = report.error or "no reason was given"
            await self._fail(claim, f"{generation.provider.label} could not make the pictures: {said}.")
        elif generation.submitted_at is not None and now > generation.submitted_at + self._pace.give_up:
            await self._fail(claim, "The provider has not finished these pictures for a day.")
        else:
            slow = generation.submitted_at is not None and (
                now > generation.submitted_at + self._pace.generation_deadline
            )
            wait = self._pace.generation_poll * 1.5 ** min(generation.attempt, 10)
            pause = self._pace.backoff_max if slow else min(wait, self._pace.generation_poll_max)
            await self._keep(claim, due_in=pause, attempt=generation.attempt + 1)

    async def _fetch(self, claim: Claim[Generation]) -> None:
        """Bring the pictures onto our disk: the provider may delete them after 24 h."""
        generation = claim.row
        received: list[tuple[str, Received]] = []
        try:
            for url in generation.image_urls:
                file = await self._fetcher.fetch(url, limit=PICTURE_MAX_BYTES, into=self._spool)
                received.append((url, file))
        except FileGone:
            self._spool.free(file.file for _, file in received)
            await self._fail(claim, "The provider deleted these pictures before we could fetch them.")
        except (HostRefused, FileTooLarge) as error:
            self._spool.free(file.file for _, file in received)
            log.error("A picture cannot be fetched: %s", error)
            await self._fail(claim, "The pictures could not be fetched safely. The person who runs this bot can help.")
        except FetchError:
            self._spool.free(file.file for _, file in received)
            await self._fetch_later(claim)
        else:
            await self._ready(claim, received)

    async def _fetch_later(self, claim: Claim[Generation]) -> None:
        generation = claim.row
        if generation.submitted_at and self._clock.now() > generation.submitted_at + self._pace.give_up:
            await self._fail(claim, "The pictures were made but could not be fetched within a day.")
        else:
            await self._later(claim)

    async def _ready(self, claim: Claim[Generation], received: list[tuple[str, Received]]) -> None:
        generation, now = claim.row, self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            for position, (url, file) in enumerate(received, start=1):
                await generations.add_picture(
                    connection, Picture(0, generation.id, position, url, file.file, file.content_type, file.size)
                )
            await self._move(
                connection, claim, S.READY, due_at=now + self._pace.pictures_kept, finished_at=now, attempt=0
            )
            await self._note(connection, claim, "fetched", f"{len(received)} of {generation.settings.count}")
            await self._post(connection, generation, PostKind.PICTURES)

        await self._database.write(work)
        self._doorbell.ring(LaneName.POSTS, LaneName.KEYS)

    async def _drop_files(self, claim: Claim[Generation]) -> None:
        """The time of these pictures is up: Discord has them, our copies go."""

        async def work(connection: AsyncConnection) -> list[str]:
            await store(connection, tables.generations, claim, due_at=None)
            return await generations.forget_files(connection, claim.id)

        self._spool.free(await self._database.write(work))

    async def _client(self, claim: Claim[Generation]) -> ProviderClient | None:
        """Once sent, always under the same key; before that, under the guild's present one."""
        generation = claim.row
        if generation.submitting_at is not None:
            client = await self._keys.client(generation.key_id)
            if client is None:
                await self._fail(claim, _UNKNOWN_OUTCOME)
            return client
        try:
            key = await self._keys.current(generation.guild_id, generation.provider)
        except NoKey as error:
            await self._fail(claim, str(error))
            return None
        if key.id != generation.key_id:
            await self._keep(claim, due_in=timedelta(0), key_id=key.id)
            return None
        return await self._keys.client(key.id)

    async def _not_submitted(self, claim: Claim[Generation], error: ProviderError) -> None:
        generation = claim.row
        match error:
            case OutcomeUnknown():
                await self._later(claim)
            case Busy() | Unavailable():
                wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
                await self._later(claim, wait)
            case KeyRejected():
                await self._keys.pause(
                    generation.key_id, error, noticed_in=Place(PlaceKind.CHANNEL, generation.channel_id)
                )
                await self._fail(
                    claim, f"{generation.provider.label} does not accept this server's key; its admin has been told."
                )
            case OutOfCredits():
                has = "" if error.available is None else f"; this server's balance is {error.available}"
                needs = "" if error.required is None else f" It takes {error.required} credits{has}."
                await self._fail(claim, f"There are not enough credits.{needs} Ask an admin to top up the account.")
            case Refused() | Missing():
                details = error.details if isinstance(error, Refused) else {}
                said = "; ".join([error.sentence, *(", ".join(texts) for texts in details.values())]).strip("; ")
                await self._fail(claim, f"{generation.provider.label} refused the order: {said or 'no reason given'}.")
            case _:
                await self._later(claim)

    async def _mark_submitting(self, claim: Claim[Generation]) -> Claim[Generation]:
        now = self._clock.now()
        if not await self._rows.holds(claim, now=now):
            raise LeaseLost
        if claim.row.status is S.SUBMITTING:
            return claim

        async def work(connection: AsyncConnection) -> None:
            check_move(claim.row.status, S.SUBMITTING)
            await mark(connection, tables.generations, claim, status=S.SUBMITTING, submitting_at=now)

        await self._database.write(work)
        return Claim(claim.row, claim.id, claim.owner, S.SUBMITTING, claim.wakes, claim.due_at)

    async def _submitted(self, claim: Claim[Generation], report: GenerationReport) -> None:
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            await self._move(
                connection,
                claim,
                S.SUBMITTED,
                due_at=now + self._pace.generation_poll,
                request_id=report.request_id,
                submitted_at=now,
                attempt=0,
            )
            await self._note(connection, claim, "submitted", f"{claim.row.provider.label} id {report.request_id}")

        await self._database.write(work)
        self._doorbell.ring(LaneName.GENERATIONS)

    async def _fail(self, claim: Claim[Generation], sentence: str) -> None:
        generation, now = claim.row, self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            await self._move(connection, claim, S.FAILED, due_at=None, error=sentence, finished_at=now)
            await self._note(connection, claim, "failed", sentence)
            await self._post(connection, generation, PostKind.PICTURES_FAILED)

        await self._database.write(work)
        self._doorbell.ring(LaneName.POSTS, LaneName.KEYS)

    async def _later(self, claim: Claim[Generation], wait: timedelta | None = None) -> None:
        wait = wait or backoff(claim.row.attempt, first=self._pace.backoff_first, ceiling=self._pace.backoff_max)
        await self._keep(claim, due_in=wait, attempt=claim.row.attempt + 1)

    async def _keep(self, claim: Claim[Generation], *, due_in: timedelta, note: str = "", **values: Any) -> None:
        due_at = self._clock.now() + due_in

        async def work(connection: AsyncConnection) -> None:
            if "status" in values:
                check_move(GenerationStatus(claim.status), values["status"])
            await store(connection, tables.generations, claim, due_at=due_at, **values)
            if note:
                await self._note(connection, claim, note, "")

        await self._database.write(work)
        self._doorbell.ring(LaneName.GENERATIONS)

    async def _move(
        self, connection: AsyncConnection, claim: Claim[Generation], to: GenerationStatus, **values: Any
    ) -> None:
        check_move(GenerationStatus(claim.status), to)
        await store(connection, tables.generations, claim, status=to, **values)

    async def _note(self, connection: AsyncConnection, claim: Claim[Generation], what: str, detail: str) -> None:
        await timeline.add(connection, SubjectTable.GENERATION, claim.id, what, at=self._clock.now(), detail=detail)

    async def _post(self, connection: AsyncConnection, generation: Generation, kind: PostKind) -> None:
        await posts.add(
            connection,
            kind,
            SubjectTable.GENERATION,
            generation.id,
            guild_id=generation.guild_id,
            user_id=generation.user_id,
            places=places_for(generation),
            now=self._clock.now(),
        )


_UNKNOWN_OUTCOME = (
    "We could not find out whether the provider took this order, so it is not sent again. "
    "An admin can look in the provider's dashboard."
)
