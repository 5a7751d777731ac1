"""Storing the results of training steps, each in one transaction."""

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import OutcomeUnknown
from bot.jobs.kind import JobKind
from bot.jobs.outcomes import NOTHING, JobOutcomes
from bot.keys.slots import SLOTS, assign_free_slots
from bot.providers.base import Progress, TrainingReport
from bot.records.dataset import DatasetStatus, SubjectKind
from bot.records.event import EventMode
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.records.lora import Audience
from bot.records.post import PostKind
from bot.records.removal import RemovalReason
from bot.records.training import Training, TrainingStatus
from bot.resources import Resources
from bot.storage import tables
from bot.storage.due import Claim, mark, store
from bot.storage.events import depictions, events
from bot.storage.events.depictions import retire_if_taken_back
from bot.storage.jobs import datasets, loras, posts, sharing, timeline, trainings
from bot.storage.money import keys, slots
from bot.storage.money.slots import TRAININGS
from bot.storage.people import erasure
from bot.training import lifecycle
from bot.training.failures import CANCELLED_BY_ADMIN, Failure
from bot.training.samples import Samples
from bot.training.waiting import renew_places

log = logging.getLogger(__name__)

S = TrainingStatus

NOT_TAKEN = "not taken"
"""Timeline word: the order certainly did not reach the provider."""
UNCLEAR = "unclear"
"""Timeline word: the answer to the order is missing."""
UNKNOWN_KIND = {ProviderName.APIFRAME: SubjectKind.OBJECT, ProviderName.AUROUS: SubjectKind.CHARACTER}
"""The kind of a LoRA whose dataset was deleted while it was trained."""


KIND = JobKind(
    tables.trainings,
    SubjectTable.TRAINING,
    Training,
    TRAININGS,
    lifecycle.check_move,
    trainings.by_webhook_token,
)


class TrainingOutcomes(JobOutcomes[Training]):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened, KIND)
        self._samples = Samples(self._ledger, opened.clock, opened.prices)

    async def ready(
        self, claim: Claim[Training], report: TrainingReport, *, cost: int, role_ids: frozenset[int] | None
    ) -> None:
        """Store the LoRA, end the training and order a first picture. `cost` in credits, `role_ids` of its member."""
        training, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            lora_id = await _insert_lora(connection, training, report, cost=cost, now=now)
            await _hand_to_event(connection, training, lora_id, now=now)
            if await depictions.is_taken_back(connection, training.id):
                lora = await loras.get(connection, lora_id)
                assert lora is not None  # stored just above
                await loras.retire(connection, lora, RemovalReason.TAKEN_BACK, now=now)
            await self._move(
                connection, claim, S.READY, due_at=now + self._timings.details_kept, lora_id=lora_id, finished_at=now
            )
            took = Amount(cost, trainings=1)
            await self._end(
                connection, training, "ready", report.trigger_word or "", PostKind.TRAINING_READY, took=took
            )
            lora = await loras.get(connection, lora_id)
            assert lora is not None  # stored just above
            await self._samples.order(connection, training, lora, role_ids)
            await datasets.forget_person(connection, training.dataset_id)
            return await datasets.forget_files(connection, training.dataset_id)

        self._spool.free(await self._database.write(transaction))

    async def fail(self, claim: Claim[Training], failure: Failure, *, is_posted: bool = True) -> None:
        """End it as failed; the photos stay if another try makes sense and they are still on disk.

        `is_posted` is False when the member is told elsewhere.
        """
        training, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if failure.retry:
                await self._back_to_board(connection, training)
            await self._move(
                connection,
                claim,
                S.FAILED,
                due_at=now + self._timings.details_kept,
                error=failure.sentence,
                finished_at=now,
            )
            post = PostKind.TRAINING_FAILED if is_posted else None
            took = None if failure.may_be_paid else NOTHING
            await self._end(connection, training, "failed", failure.sentence, post, took=took)

        await self._database.write(transaction)

    async def cancel(self, training: Training, actor: Actor) -> bool:
        """End it while it is queued, even while a step runs; its photos are back on their board.

        False when it is not queued any more. Unless it was the member's own wish they are told, and the log has a line.
        """
        now = self._clock.now()
        error = None if training.user_id == actor.user_id else CANCELLED_BY_ADMIN

        async def transaction(connection: AsyncConnection) -> bool:
            due_at = now + self._timings.details_kept
            if not await trainings.cancel_queued(connection, training.id, error=error, now=now, due_at=due_at):
                return False
            await self._back_to_board(connection, training)
            await self._end_cancelled(connection, training, actor, PostKind.TRAINING_FAILED)
            await posts.renew(connection, PostKind.TRAINING_STATUS, training.id, due_at=now)
            return True

        return await self._database.write(transaction)

    async def _back_to_board(self, connection: AsyncConnection, training: Training) -> None:
        """Let the photos be started again, if any of them is still on disk."""
        photos = await datasets.photos_of(connection, training.dataset_id)
        if any(photo.file for photo in photos):
            await datasets.move(connection, training.dataset_id, from_=DatasetStatus.STARTED, to=DatasetStatus.OPEN)

    async def adopt(self, claim: Claim[Training], report: TrainingReport, what: str) -> None:
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await self._move(
                connection,
                claim,
                S.SUBMITTED,
                due_at=now if report.progress is Progress.READY else now + self._timings.poll,
                request_id=report.request_id,
                submitted_at=now,
                attempt=0,
                doubt=None,
            )
            await self._note(connection, claim.id, what, f"{claim.row.provider.label} id {report.request_id}")
            await self._learn_more(connection, claim.row)

        await self._database.write(transaction)

    async def running(self, claim: Claim[Training]) -> None:
        """Store that the provider trains. The photos stay until it is ready, so that a failure can start again."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await self._move(connection, claim, S.TRAINING, due_at=now + self._timings.poll, attempt=0, doubt=None)
            await self._note(connection, claim.id, "running", "")

        await self._database.write(transaction)

    async def late(self, claim: Claim[Training]) -> None:
        """Note once that the deadline has passed, and keep polling, slowly."""

        async def transaction(connection: AsyncConnection) -> None:
            noted = await timeline.of(connection, SubjectTable.TRAINING, claim.id)
            if not any(entry.what == "late" for entry in noted):
                await self._note(connection, claim.id, "late", "longer than 2 hours; it is still being watched")
                await self._renew_status(connection, claim)
            due_at = self._clock.now() + self._timings.backoff_max
            await store(connection, tables.trainings, claim, due_at=due_at, doubt=None)

        await self._database.write(transaction)

    async def unclear(self, claim: Claim[Training], error: OutcomeUnknown) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await self._note(connection, claim.id, UNCLEAR, "no clear answer; we look before anything is sent again")
            due_at = self._clock.now() + self._timings.settle
            await store(connection, tables.trainings, claim, due_at=due_at, doubt=None)

        log.warning("The answer to a training order was lost: %s", error)
        await self._database.write(transaction)

    async def back_to_queue(
        self, claim: Claim[Training], *, due_in: timedelta, note: str = "", detail: str = ""
    ) -> None:
        """Queue it again for `due_in` from now; it keeps its slot."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            attempt = claim.row.attempt + 1
            await self._move(connection, claim, S.QUEUED, due_at=now + due_in, attempt=attempt, doubt=None)
            if note:
                await self._note(connection, claim.id, note, detail)

        await self._database.write(transaction)

    async def try_alone(self, claim: Claim[Training], *, due_in: timedelta) -> None:
        """The provider takes no more of this team: only this order tries again, the others wait for a slot."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            attempt = claim.row.attempt + 1
            await self._move(connection, claim, S.QUEUED, due_at=now + due_in, attempt=attempt, doubt=None)
            running = await slots.count_in_flight(connection, TRAININGS, claim.row.key_id)
            await keys.learn_slots(connection, claim.row.key_id, running + 1)
            await slots.take_back(connection, TRAININGS, claim.row.key_id, except_id=claim.id)

        await self._database.write(transaction)

    async def is_blocked(self, job: Training) -> bool:
        """The shared training of an event is everybody's, whoever hosts it."""
        event = None if job.event_id is None else await self._database.fetch(events.get, job.event_id)
        is_shared = event is not None and event.mode is EventMode.SHARED
        return not is_shared and await super().is_blocked(job)

    async def wait_for_key(self, claim: Claim[Training]) -> None:
        """Queue it without a slot until the guild has a working key."""
        await self._wait_for_slot(claim, "for a working API key")

    async def change_key(self, claim: Claim[Training], key_id: int) -> None:
        """Queue it for a slot of the guild's present key; nothing was sent yet."""
        await self._wait_for_slot(claim, "for a slot of the new API key", key_id=key_id)

    async def _wait_for_slot(self, claim: Claim[Training], detail: str, **values: Any) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await self._move(connection, claim, S.QUEUED, due_at=None, attempt=claim.row.attempt + 1, **values)
            await self._note(connection, claim.id, "waiting", detail)
            # A key that was set during this step has moved the row already, and no other write assigns it a slot.
            stored = await trainings.get(connection, claim.id)
            if stored is not None:
                await assign_free_slots(connection, stored.key_id, TRAININGS, clock=self._clock)

        await self._database.write(transaction)

    async def forget(self, claim: Claim[Training]) -> None:
        """Delete the details after their time; the LoRA stays. A late webhook may call this early."""
        now = self._clock.now()
        forgotten_at = (claim.row.finished_at or now) + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> None:
            if now < forgotten_at:
                await store(connection, tables.trainings, claim, due_at=forgotten_at)
                return
            await mark(connection, tables.trainings, claim)
            await erasure.erase_job(connection, tables.trainings, SubjectTable.TRAINING, claim.id)

        await self._database.write(transaction)

    async def submitting(self, claim: Claim[Training], *, balance: int | None) -> Claim[Training]:
        """Store that the paid call begins, whose outcome is unknown until it is stored; LeaseLost prevents it."""
        return await self._mark_submitting(claim, S.SUBMITTING, balance_before=balance)

    async def _learn_more(self, connection: AsyncConnection, training: Training) -> None:
        """The provider took an order of a team that was full: it may take one more, or all that are allowed."""
        key = await keys.get(connection, training.key_id)
        if key is None or key.row.slots_learnt is None:
            return
        allowed = key.row.slots or SLOTS[training.provider]
        running = await slots.count_in_flight(connection, TRAININGS, training.key_id)
        await keys.learn_slots(connection, training.key_id, None if running + 1 >= allowed else running + 1)
        await assign_free_slots(connection, training.key_id, TRAININGS, clock=self._clock)

    async def _end(self, connection: AsyncConnection, job: Training, *said: Any, **rest: Any) -> None:
        await super()._end(connection, job, *said, **rest)
        await renew_places(connection, job.key_id, due_at=self._clock.now() + self._timings.milestone)

    async def _move(self, connection: AsyncConnection, claim: Claim[Training], to: StrEnum, **values: Any) -> None:
        await super()._move(connection, claim, to, **values)
        await self._renew_status(connection, claim)

    async def _renew_status(self, connection: AsyncConnection, claim: Claim[Training]) -> None:
        await posts.renew(
            connection, PostKind.TRAINING_STATUS, claim.id, due_at=self._clock.now() + self._timings.milestone
        )


async def _insert_lora(
    connection: AsyncConnection, training: Training, report: TrainingReport, *, cost: int, now: datetime
) -> int:
    """Store the LoRA, as the next version of the one it should replace, if that still exists."""
    dataset = await datasets.get(connection, training.dataset_id)
    previous_id = dataset.previous_lora_id if dataset is not None else None
    previous = None if previous_id is None else await loras.get(connection, previous_id)
    key = await keys.get(connection, training.key_id)
    return await loras.insert(
        connection,
        guild_id=training.guild_id,
        owner_id=training.user_id,
        provider=training.provider,
        remote_id=training.request_id,
        name=training.name,
        trigger_word=report.trigger_word,
        subject_kind=dataset.subject_kind if dataset is not None else UNKNOWN_KIND[training.provider],
        training_id=training.id,
        dataset_id=training.dataset_id,
        version=1 if previous is None else previous.version + 1,
        previous_id=None if previous is None else previous.id,
        cost=cost,
        event_id=training.event_id,
        account=None if key is None else key.row.account,
        created_at=now,
    )


async def _hand_to_event(connection: AsyncConnection, training: Training, lora_id: int, *, now: datetime) -> None:
    """Share the LoRA of a shared event with its entrants; retire it when photos were taken back meanwhile."""
    event = None if training.event_id is None else await events.get(connection, training.event_id)
    lora = await loras.get(connection, lora_id)
    if event is None or lora is None:
        return
    if event.mode is EventMode.SHARED:
        known_as = f"shared:{training.known_as}"
        await sharing.share(connection, lora, Audience.EVENT, event.id, by=lora.owner_id, now=now, known_as=known_as)
    await retire_if_taken_back(connection, event, lora, now=now)
