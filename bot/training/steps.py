"""The training lane: one idempotent step at a time from queued to a terminal status, paying at most once."""

from datetime import datetime, timedelta

from bot.datasets.rules import kept_for
from bot.datasets.service import board_of
from bot.engine import backoff
from bot.errors import (
    Busy,
    KeyRejected,
    Missing,
    NoKey,
    OutcomeUnknown,
    OutOfCredits,
    ProviderError,
    Refused,
    Unavailable,
)
from bot.jobs.outcomes import ENDED_BY_MODERATORS, EVENT_CANCELLED
from bot.keys.service import KeyService
from bot.providers.base import PhotoFile, Progress, ProviderClient, TrainingOrder, TrainingReport
from bot.providers.witness import look_at_training
from bot.records.job import SubjectTable
from bot.records.training import Training, TrainingStatus
from bot.resources import Resources, Service
from bot.storage.due import Claim
from bot.storage.jobs import datasets, timeline, trainings
from bot.training import failures, lifecycle
from bot.training.lifecycle import LOOK_BACK
from bot.training.outcomes import NOT_TAKEN, UNCLEAR, TrainingOutcomes

S = TrainingStatus

SENDS_MAX = 5
"""How often an order is sent again after the provider provably did not take it."""
ANOTHER_KEY = "another key"
"""Timeline word: it is looked at under a newer key of the server, which may belong to another account."""


class TrainingSteps(Service):
    def __init__(self, opened: Resources, key_service: KeyService, outcomes: TrainingOutcomes) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._outcomes = outcomes
        self._members = opened.members
        self._webhook_url = opened.webhook_url

    async def advance(self, claim: Claim[Training]) -> None:
        match claim.row.status:
            case S.QUEUED:
                await self._submit(claim)
            case S.SUBMITTING:
                await self._look(claim)
            case S.SUBMITTED | S.TRAINING:
                await self._poll(claim)
            case _:
                await self._outcomes.forget(claim)

    async def _submit(self, claim: Claim[Training]) -> None:
        training = claim.row
        if await self._outcomes.is_event_cancelled(training):
            await self._outcomes.fail(claim, failures.Failure(EVENT_CANCELLED, retry=False), is_posted=False)
            return
        if await self._outcomes.is_blocked(training):
            await self._outcomes.fail(claim, failures.Failure(ENDED_BY_MODERATORS, retry=False), is_posted=False)
            return
        if await self._was_sent_before(claim):
            return
        order = await self._order(training)
        if isinstance(order, failures.Failure):
            await self._outcomes.fail(claim, order)
            return
        client = await self._client_for_new_order(claim)
        if client is None:
            return
        try:
            account = await client.account()
        except ProviderError as error:
            await self._not_taken(claim, error)
            return
        charged_later = await self._database.fetch(trainings.not_yet_charged, training.key_id)
        reserved = client.prices.training * charged_later
        needed = client.prices.training + reserved
        if account.credits is not None and account.credits < needed:
            failure = failures.out_of_credits(training.provider, client.prices.training, reserved)
            await self._outcomes.fail(claim, failure)
            return
        claim = await self._outcomes.submitting(claim, balance=account.credits)
        try:
            report = await client.submit_training(order)
        except OutcomeUnknown as error:
            await self._outcomes.unclear(claim, error)
        except ProviderError as error:
            await self._not_taken(claim, error)
        else:
            await self._outcomes.adopt(claim, report, "submitted")

    async def _was_sent_before(self, claim: Claim[Training]) -> bool:
        """Look for the order before its first send: our database may be a copy that was put back. True: it is over."""
        training = claim.row
        since = await self._database.fetch(self._database.inherited.ordered_since, training)
        if since is None:
            return False
        client = await self._keys.client(training.key_id)
        if client is None:
            return False
        try:
            report = await client.find_training(training.marker, since - LOOK_BACK)
        except ProviderError as error:
            await self._not_taken(claim, error)
            return True
        if report is None:
            return False
        claim = await self._outcomes.submitting(claim, balance=None)
        await self._outcomes.adopt(claim, report, "found again")
        return True

    async def _look(self, claim: Claim[Training]) -> None:
        """The order may have been taken: look for its marker at the provider before anything else."""
        training = claim.row
        assert training.submitting_at is not None  # set together with the status
        now, lost_at = self._clock.now(), await self._lost_at(training)
        if lost_at is None:
            # The process ended during the call, perhaps this very moment: the provider may still be taking the order.
            await self._outcomes.unclear(claim, OutcomeUnknown("Darkroom stopped before the answer came."))
            return
        if now < lost_at + self._timings.settle:
            await self._outcomes.keep(claim, due_in=lost_at + self._timings.settle - now)
            return
        client = await self._keys.client(training.key_id)
        try:
            if client is None:
                raise Unavailable("the API key is gone")
            report = await client.find_training(training.marker, training.submitting_at - LOOK_BACK)
        except ProviderError as error:
            await self._cannot_look(claim, error)
            return
        if report is not None:
            await self._outcomes.adopt(claim, report, "found again")
        elif not await self._outcomes.is_believed(claim, self._timings.settle):
            return
        elif await self._sends(training) >= SENDS_MAX:
            await self._outcomes.fail(claim, failures.NEVER_TAKEN)
        else:
            await self._outcomes.back_to_queue(
                claim, due_in=timedelta(0), note=NOT_TAKEN, detail="the order did not arrive; it is sent again"
            )

    async def _cannot_look(self, claim: Claim[Training], error: ProviderError) -> None:
        """Look again later, and fail after `training_deadline`. The order is never sent without having looked."""
        training = claim.row
        if isinstance(error, KeyRejected):
            await self._keys.is_refused(training.key_id, error, noticed_in=training.channel_id)
        assert training.submitting_at is not None  # set together with the status
        if self._clock.now() > training.submitting_at + self._timings.training_deadline:
            await self._outcomes.fail(claim, failures.unknown_outcome(training))
        else:
            await self._outcomes.later(claim)

    async def _poll(self, claim: Claim[Training]) -> None:
        training = claim.row
        client = await self._keys.client(training.key_id)
        if client is None:
            await self._try_newer_key(claim)
            return
        assert training.request_id is not None  # set together with the status
        assert training.submitting_at is not None  # the same
        try:
            report = await look_at_training(client, training.request_id, training.submitting_at - LOOK_BACK)
        except Missing:
            await self._doubt(claim)
        except KeyRejected as error:
            if await self._keys.is_refused(training.key_id, error, noticed_in=training.channel_id):
                await self._try_newer_key(claim)
            else:
                await self._look_again(claim)
        except ProviderError:
            await self._look_again(claim)
        else:
            await self._take_report(claim, client, report)

    async def _doubt(self, claim: Claim[Training]) -> None:
        """The provider took this training and says that it is not there; only when it insists, it is gone."""
        if not await self._outcomes.is_believed(claim, self._timings.job_doubted):
            return
        entries = await self._database.fetch(timeline.of, SubjectTable.TRAINING, claim.id)
        is_hidden = any(entry.what == ANOTHER_KEY for entry in entries)
        await self._outcomes.fail(claim, failures.hidden(claim.row) if is_hidden else failures.GONE_AT_PROVIDER)

    async def _take_report(self, claim: Claim[Training], client: ProviderClient, report: TrainingReport) -> None:
        training = claim.row
        if report.progress is Progress.READY:
            cost = lifecycle.training_cost(client.prices.training, training.balance_before, await _balance(client))
            is_own = training.event_id is None
            roles = await self._members.roles_of(training.guild_id, training.user_id) if is_own else None
            await self._outcomes.ready(claim, report, cost=cost, role_ids=roles)
        elif report.progress is Progress.FAILED:
            balance = await _balance(client)
            await self._outcomes.fail(claim, failures.failed_at_provider(training, report.error, balance))
        elif report.progress is Progress.ARCHIVED:
            await self._doubt(claim)
        elif report.progress is Progress.RUNNING and training.status is S.SUBMITTED:
            await self._outcomes.running(claim)
        else:
            await self._keep_polling(claim)

    async def _keep_polling(self, claim: Claim[Training]) -> None:
        training = claim.row
        assert training.submitted_at is not None  # set together with the status
        age = self._clock.now() - training.submitted_at
        if age > self._timings.give_up:
            await self._outcomes.fail(claim, failures.never_finished(training))
        elif age > self._timings.training_deadline:
            await self._outcomes.late(claim)
        else:
            await self._outcomes.keep(claim, due_in=self._timings.poll, attempt=0, doubt=None)

    async def _client_for_new_order(self, claim: Claim[Training]) -> ProviderClient | None:
        """A client under the guild's present key; None when the training waits for a key or for a slot."""
        training = claim.row
        try:
            key = await self._keys.current(training.guild_id, training.provider)
        except NoKey:
            await self._outcomes.wait_for_key(claim)
            return None
        if key.id != training.key_id:
            await self._outcomes.change_key(claim, key.id)
            return None
        return await self._keys.client(key.id)

    async def _look_again(self, claim: Claim[Training]) -> None:
        """Poll again later, or fail after `give_up`, so that the member is told in the end."""
        training = claim.row
        if training.submitted_at is not None and self._clock.now() > training.submitted_at + self._timings.give_up:
            await self._outcomes.fail(claim, failures.never_finished(training))
        else:
            await self._outcomes.later(claim)

    async def _try_newer_key(self, claim: Claim[Training]) -> None:
        """Our key is gone or refused: poll under a newer key of the guild, which may see the same LoRA."""
        training = claim.row
        try:
            key = await self._keys.current(training.guild_id, training.provider)
        except NoKey:
            await self._look_again(claim)
            return
        if key.id == training.key_id:
            await self._look_again(claim)
        else:
            await self._outcomes.keep(claim, due_in=timedelta(0), note=ANOTHER_KEY, key_id=key.id)

    async def _order(self, training: Training) -> TrainingOrder | failures.Failure:
        """The order to send, or why it cannot be: the photos have left the disk."""
        async with self._database.read() as connection:
            dataset = await datasets.get(connection, training.dataset_id)
            board = None if dataset is None else await board_of(connection, dataset)
        if dataset is None or board is None:
            return failures.PHOTOS_MISSING
        usable = board.usable
        paths = [self._spool.path(photo.file) for photo in usable if photo.file is not None]
        if len(paths) < training.photo_count or not all(path.exists() for path in paths):
            kept = kept_for(dataset, self._timings)
            is_expired = self._clock.now() >= dataset.created_at + kept
            return failures.photos_expired(kept) if is_expired else failures.PHOTOS_MISSING
        return TrainingOrder(
            name=lifecycle.marked_name(training.name, training.marker),
            subject_kind=dataset.subject_kind,
            gender=dataset.gender,
            ethnicity=dataset.ethnicity,
            age=dataset.age,
            steps=dataset.steps,
            rank=dataset.rank,
            photos=[
                PhotoFile(path, f"photo-{number:02}.jpg", "image/jpeg", photo.size)
                for number, (path, photo) in enumerate(zip(paths, usable, strict=True), start=1)
            ],
            webhook_url=self._webhook_url(training),
        )

    async def _lost_at(self, training: Training) -> datetime | None:
        """When it was noted that the latest order's answer is missing; None when that was not noted."""
        entries = await self._database.fetch(timeline.of, SubjectTable.TRAINING, training.id)
        latest = next((entry for entry in reversed(entries) if entry.what in {UNCLEAR, NOT_TAKEN}), None)
        return latest.at if latest is not None and latest.what == UNCLEAR else None

    async def _sends(self, training: Training) -> int:
        entries = await self._database.fetch(timeline.of, SubjectTable.TRAINING, training.id)
        return sum(entry.what == NOT_TAKEN for entry in entries)

    async def _not_taken(self, claim: Claim[Training], error: ProviderError) -> None:
        """Handle an error after which the provider certainly did not take the order."""
        training = claim.row
        match error:
            case KeyRejected():
                await self._key_rejected(claim, error)
            case OutOfCredits():
                failure = failures.out_of_credits(training.provider, error.required, 0)
                await self._outcomes.fail(claim, failure)
            case Busy() if error.retry_after is None:
                # Apiframe's 429 of a full team says nothing of a time, that of its rate limit does (/docs/loras).
                await self._outcomes.try_alone(claim, due_in=self._wait_for(claim, error))
            case Busy() | Unavailable():
                await self._outcomes.back_to_queue(claim, due_in=self._wait_for(claim, error))
            case _:
                refusal = error if isinstance(error, Refused) else Refused(error.sentence, status=error.status)
                await self._outcomes.fail(claim, failures.refused(training.provider, refusal))

    async def _key_rejected(self, claim: Claim[Training], error: KeyRejected) -> None:
        """Wait for another key, or fail when the key works and this order alone is refused again and again."""
        training = claim.row
        if await self._keys.is_refused(training.key_id, error, noticed_in=training.channel_id):
            await self._outcomes.wait_for_key(claim)
        elif await self._outcomes.is_believed(claim, self._timings.key_doubted, status=S.QUEUED):
            refusal = Refused(error.sentence, status=error.status)
            await self._outcomes.fail(claim, failures.refused(training.provider, refusal))

    def _wait_for(self, claim: Claim[Training], error: Busy | Unavailable) -> timedelta:
        if error.retry_after is not None:
            return timedelta(seconds=error.retry_after)
        if isinstance(error, Busy):
            return self._timings.busy
        return backoff(claim.row.attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)


async def _balance(client: ProviderClient) -> int | None:
    try:
        return (await client.account()).credits
    except ProviderError:
        return None
