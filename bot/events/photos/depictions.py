"""Consent of members who are seen in photos, and taking photos and consent back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets import naming
from bot.datasets.rules import kept_for, photo_limits
from bot.errors import NotFound, UserError
from bot.events import lookup
from bot.events.photos.consent_texts import depicted_sentence
from bot.records.dataset import ConsentKind, Dataset, DatasetStatus, Photo
from bot.records.event import Depiction, DepictionStatus, EntrantStatus, Event, EventMode
from bot.records.guild import Actor
from bot.records.post import PostKind
from bot.records.removal import RemovalReason
from bot.records.training import Training, TrainingStatus
from bot.resources import Resources, Service
from bot.storage.events import depictions as rows
from bot.storage.events import entrants, events
from bot.storage.events import photos as event_photos
from bot.storage.events.depictions import retire_and_announce, retire_if_taken_back
from bot.storage.jobs import datasets, loras, posts, trainings
from bot.storage.people import questions

NOTHING_TO_ANSWER = "These photos are not used any more, so there is nothing left to answer."
NO_WAY_BACK = (
    "These photos were deleted when you said no, so they cannot come back. If you like, they can be given again."
)


@dataclass(frozen=True, slots=True)
class DepictionView:
    """What the member is asked: about photos of an event, or of somebody's dataset.

    `photos`: those on disk. `sentence`: the consent that is asked for.
    """

    depiction: Depiction
    event: Event | None
    dataset: Dataset | None
    photos: tuple[Photo, ...]
    sentence: str


class DepictionService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._policy = opened.policy

    async def depiction(self, depiction_id: int) -> DepictionView | None:
        """The question, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            depiction = await rows.get(connection, depiction_id)
            return None if depiction is None else await self._view(connection, depiction)

    async def seen_in(self, event_id: int, actor: Actor) -> Sequence[Depiction]:
        """Submissions in which this member was named, newest first."""
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            return await rows.of_member(connection, event.id, actor.user_id)

    async def answer(self, depiction_id: int, confirmed: bool, user_id: int, guild_id: int | None) -> DepictionStatus:
        """Store a member's yes or no for themselves; `guild_id` is None in a private message. Only a no is final."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> tuple[DepictionStatus, list[str]]:
            depiction = await rows.get(connection, depiction_id)
            view = None if depiction is None else await self._view(connection, depiction)
            if depiction is None or view is None or depiction.user_id != user_id:
                raise NotFound(NOTHING_TO_ANSWER)
            if guild_id is not None and depiction.guild_id != guild_id:
                raise NotFound(NOTHING_TO_ANSWER)
            if not confirmed:
                return DepictionStatus.VETOED, await self._veto(connection, view.event, depiction, now)
            if depiction.status is DepictionStatus.VETOED:
                raise UserError(NO_WAY_BACK)
            if depiction.status is DepictionStatus.PENDING:
                await self._confirm(connection, view, now)
            return DepictionStatus.CONFIRMED, []

        status, files = await self._database.write(transaction)
        self._spool.free(files)
        return status

    async def withdraw(self, event_id: int, actor: Actor) -> None:
        """Leave the event and take back everything: photos, entry, vote, and the use of what was trained on them."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            event = await lookup.opened(connection, event_id, actor)
            entrant = await entrants.find(connection, event_id, actor.user_id)
            if entrant is None or entrant.status is EntrantStatus.WITHDRAWN:
                raise NotFound("You do not take part in this event, so there is nothing to take back.")
            return await self._withdraw(connection, event, actor.user_id, now)

        self._spool.free(await self._database.write(transaction))

    async def take_back_all(self, guild_id: int, user_id: int) -> None:
        """Withdraw from every event of this guild, answer no wherever the member was named, and take back photos of
        theirs that others use."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            files: list[str] = []
            for event_id in await rows.entered_by(connection, guild_id, user_id):
                event = await events.get(connection, event_id)
                if event is not None:
                    files += await self._withdraw(connection, event, user_id, now)
            for depiction in await rows.of_member_in_guild(connection, guild_id, user_id):
                view = await self._view(connection, depiction)
                if view is not None:
                    files += await self._veto(connection, view.event, depiction, now)
            for given in await rows.given_to_others(connection, guild_id, user_id):
                await rows.withdraw_consents(connection, [given.id], now=now)
                if given.dataset_id is not None:
                    files += await event_photos.remove_of_author(connection, given.dataset_id, given.photo_hashes)
                    await _take_out(connection, None, given.dataset_id, user_id, was_chosen=True, now=now)
            await rows.forget_named_in_datasets(connection, guild_id, user_id)
            return files

        self._spool.free(await self._database.write(transaction))

    async def retire_taken_back(self, event: Event) -> int:
        """Retire LoRAs whose photos were taken back during their training; returns how many."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> int:
            retired = 0
            for lora in await rows.loras_of_event(connection, event.id):
                retired += await retire_if_taken_back(connection, event, lora, now=now)
            return retired

        return await self._database.write(transaction)

    async def _view(self, connection: AsyncConnection, depiction: Depiction) -> DepictionView | None:
        """None when the event or the dataset is gone."""
        event = None if depiction.event_id is None else await events.get(connection, depiction.event_id)
        dataset = None if depiction.dataset_id is None else await datasets.get(connection, depiction.dataset_id)
        if event is not None:
            sentence = depicted_sentence(event, self._timings.event_photos_kept)
        elif dataset is not None:
            sentence = naming.depicted_sentence(dataset, kept_for(dataset, self._timings))
        else:
            return None
        photos = await event_photos.of_submission(connection, depiction.consent_id)
        return DepictionView(depiction, event, dataset, tuple(photos), sentence)

    async def _confirm(self, connection: AsyncConnection, view: DepictionView, now: datetime) -> None:
        depiction = view.depiction
        submission = await rows.submission(connection, depiction.consent_id)
        dataset = None if submission is None else await datasets.get(connection, submission.dataset_id)
        if submission is None or dataset is None:
            raise NotFound(NOTHING_TO_ANSWER)
        await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version=self._policy.version,
            photo_hashes=submission.photo_hashes,
            now=now,
            user_id=depiction.user_id,
            kind=ConsentKind.DEPICTED,
            wording=view.sentence,
        )
        is_started = view.event is None and dataset.status is DatasetStatus.STARTED
        await rows.change(
            connection, depiction.id, status=DepictionStatus.CONFIRMED, answered_at=now, in_training=is_started
        )
        await questions.answer_yes(connection, PostKind.DEPICTION, depiction.id, now=now)
        await self._tell(connection, view.event, depiction, now)

    async def _veto(
        self, connection: AsyncConnection, event: Event | None, depiction: Depiction, now: datetime
    ) -> list[str]:
        """Delete the submission's photos and retire what was trained on them; returns spool names to free."""
        if depiction.status is DepictionStatus.VETOED:
            return []
        files = await event_photos.remove_of_submission(connection, depiction.consent_id)
        await rows.change(connection, depiction.id, status=DepictionStatus.VETOED, answered_at=now)
        await questions.withdraw(connection, PostKind.DEPICTION, [depiction.id])
        await rows.forget_unanswered(connection, [depiction.consent_id])
        submission = await rows.submission(connection, depiction.consent_id)
        if submission is not None:
            own = await rows.confirmations(
                connection, submission.dataset_id, depiction.user_id, submission.photo_hashes
            )
            await rows.withdraw_consents(connection, [depiction.consent_id, *own], now=now)
            was_chosen, whose = depiction.in_training, depiction.user_id
            await _take_out(connection, event, submission.dataset_id, whose, was_chosen=was_chosen, now=now)
        await self._tell(connection, event, depiction, now)
        return files

    async def _withdraw(self, connection: AsyncConnection, event: Event, user_id: int, now: datetime) -> list[str]:
        """Take back everything of this member; returns spool names to free."""
        entrant = await entrants.find(connection, event.id, user_id)
        if entrant is None:
            return []
        files = await event_photos.remove_of_contributor(connection, event.id, user_id)
        await rows.withdraw_all(connection, event.id, user_id, now=now)
        await rows.forget_named_by(connection, event.id, user_id)
        await rows.leave_ballot(connection, event.id, user_id)
        dataset_id = event.dataset_id if event.mode is EventMode.SHARED else entrant.dataset_id
        if dataset_id is not None:
            was_chosen = entrant.photos_chosen > 0 or entrant.training_id is not None
            await _take_out(connection, event, dataset_id, user_id, was_chosen=was_chosen, now=now)
        if entrant.dataset_id is not None:
            await datasets.forget_person(connection, entrant.dataset_id)
            await datasets.move(connection, entrant.dataset_id, from_=DatasetStatus.OPEN, to=DatasetStatus.DISCARDED)
        if entrant.status is EntrantStatus.IN:
            await entrants.change(connection, entrant.id, status=EntrantStatus.WITHDRAWN, left_at=now)
        await posts.take_back_yearbooks(connection, [event.id], now=now)
        due_at = now + self._timings.panel
        await posts.renew(connection, PostKind.EVENT_BALLOT, event.id, due_at=due_at)
        await events.renew_panel(connection, event.id, due_at=due_at)
        return files

    async def _tell(
        self, connection: AsyncConnection, event: Event | None, depiction: Depiction, now: datetime
    ) -> None:
        """Renew the private question and the panel; wake an event that waits for photos."""
        await posts.renew(connection, PostKind.DEPICTION, depiction.id, due_at=now)
        if event is None:
            return
        await events.renew_panel(connection, event.id, due_at=now + self._timings.panel)
        if event.paused_at is not None:
            await events.wake(connection, event.id, now=now)


async def name_members(
    connection: AsyncConnection, event: Event, consent_id: int, user_ids: Sequence[int], *, giver_id: int, now: datetime
) -> None:
    """Ask each of them in a private message whether the submission's photos may be used."""
    ids = {"guild_id": event.guild_id, "giver_id": giver_id, "event_id": event.id}
    await naming.ask_depicted(connection, consent_id, user_ids, **ids, now=now)


async def _take_out(
    connection: AsyncConnection,
    event: Event | None,
    dataset_id: int,
    user_id: int,
    *,
    was_chosen: bool,
    now: datetime,
) -> None:
    """The member took photos of this dataset back: drop them from an unsent training, retire LoRAs trained on them.

    The training may be forgotten by then.
    """
    if not was_chosen:
        return
    training = await trainings.latest_of_dataset(connection, dataset_id)
    if training is not None and training.status is TrainingStatus.QUEUED:
        await _leave_out(connection, training, now)
    if training is not None and _may_have_been_sent(training):
        if event is None:
            await rows.note_in_training(connection, training, user_id=user_id, now=now)
        else:
            await rows.note_for_later(connection, event, training, user_id=user_id, now=now)
    for lora in await rows.loras_of_dataset(connection, dataset_id):
        if event is None:
            await loras.retire(connection, lora, RemovalReason.TAKEN_BACK, user_id=user_id, now=now)
        else:
            await retire_and_announce(connection, event, lora, now, user_id=user_id)


async def _leave_out(connection: AsyncConnection, training: Training, now: datetime) -> None:
    """Let a waiting training go on with the other photos if there are enough; else it ends by itself."""
    left = await event_photos.usable_of_dataset(connection, training.dataset_id)
    dataset = await datasets.get(connection, training.dataset_id)
    if dataset is not None and left >= photo_limits(dataset.subject_kind).least:
        await rows.take_photos_out(connection, training.id, left=min(left, training.photo_count))
    else:
        await trainings.wake_queued(connection, training.id, now=now)


def _may_have_been_sent(training: Training) -> bool:
    """Whether the photos may be at the provider, or a worker may be sending them right now, and there is no LoRA."""
    is_taken_up = training.status is TrainingStatus.QUEUED and training.lease_owner is not None
    return is_taken_up or training.status.is_in_flight
