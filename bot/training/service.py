"""Trainings for members: start, cancel, retry and view them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import Board
from bot.datasets.service import DatasetService
from bot.errors import NotFound, ProviderError, UserError
from bot.jobs.service import JobService
from bot.keys.service import KeyService
from bot.keys.slots import assign_free_slots, place_of
from bot.limits.ledger import Ledger
from bot.photos import checks
from bot.records.dataset import DatasetStatus, Verdict
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import SubjectTable, TimelineEntry
from bot.records.key import ApiKeyRow
from bot.records.limit import Amount
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.resources import Resources
from bot.storage import identities
from bot.storage.events import depictions
from bot.storage.jobs import datasets, generations, loras, posts, timeline, trainings
from bot.storage.money import keys
from bot.storage.money.slots import TRAININGS
from bot.training import failures, lifecycle
from bot.training.lifecycle import LOOK_BACK
from bot.training.outcomes import KIND, TrainingOutcomes
from bot.training.waiting import renew_places, usual

NOT_YOURS = "There is no such training of yours here. `/jobs` shows what you have."

Check = Callable[[AsyncConnection, Training], Awaitable[None]]
"""What must hold in the transaction that stores a training; an error undoes that transaction."""


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A training as its owner may see it. `place` is its place in the queue, from 1; None when it does not wait."""

    training: Training
    lora: Lora | None
    place: int | None
    key: ApiKeyRow | None
    timeline: tuple[TimelineEntry, ...]
    photos_left: bool
    """Whether the photos are still on disk, so that it can be started again."""
    usual: timedelta | None = None
    """How long it takes from the order to the LoRA, as others did; None when none has been finished."""
    has_sample: bool = False
    """Whether a first picture with its LoRA was ordered by nobody, and has not failed."""

    @property
    def can_cancel(self) -> bool:
        return self.training.status is TrainingStatus.QUEUED and self.training.event_id is None


class TrainingService(JobService[Training]):
    def __init__(self, opened: Resources, key_service: KeyService, dataset_service: DatasetService) -> None:
        super().__init__(opened, KIND, key_service)
        self._datasets = dataset_service
        self._outcomes = TrainingOutcomes(opened)
        self._ledger = Ledger(opened.clock, opened.timings)
        self._prices = opened.prices

    async def start(
        self, dataset_id: int, actor: Actor, *, channel: Channel, event_check: Check | None = None
    ) -> Training:
        """Store a training of the dataset; once this returns, it survives a crash.

        Starting again returns the same training. `event_check` is given for photos of an event, which only the event
        has trained. LimitReached, and nothing is stored, when a limit has too little left.
        """
        board = await self._datasets.board(dataset_id, guild_id=actor.guild_id, user_id=actor.user_id)
        if (board.dataset.event_id is None) != (event_check is None):
            raise UserError("These photos were given to an event, so they are trained when the event does it.")
        if board.dataset.status is DatasetStatus.STARTED:
            return await self._already_started(dataset_id)
        check_startable(board)
        key = await self._keys.current(actor.guild_id, board.dataset.subject_kind.provider)

        async def transaction(connection: AsyncConnection) -> Training | None:
            if not await datasets.move(connection, dataset_id, from_=DatasetStatus.OPEN, to=DatasetStatus.STARTED):
                return None
            training = await self._insert(connection, board, key, channel)
            await depictions.mark_dataset(connection, dataset_id)
            amount = Amount(self._prices[training.provider].training, trainings=1)
            await self._ledger.reserve(connection, training, amount, actor.role_ids)
            if event_check is not None:
                await event_check(connection, training)
            else:
                await self._post_status(connection, training)
            await assign_free_slots(connection, key.id, TRAININGS, clock=self._clock)
            await renew_places(connection, key.id, due_at=self._clock.now() + self._timings.milestone)
            return await trainings.get(connection, training.id)

        training = await self._database.write(transaction)
        if training is None:
            return await self._already_started(dataset_id)
        return training

    async def _insert(self, connection: AsyncConnection, board: Board, key: ApiKeyRow, channel: Channel) -> Training:
        dataset = board.dataset
        identity = await identities.of_training(connection, dataset.event_id, dataset.id)
        training_id = await trainings.insert(
            connection,
            guild_id=dataset.guild_id,
            channel_id=channel.id,
            parent_id=channel.parent_id,
            user_id=dataset.user_id,
            dataset_id=dataset.id,
            event_id=dataset.event_id,
            key_id=key.id,
            provider=key.provider,
            name=dataset.name,
            marker=lifecycle.new_marker(identity.source),
            webhook_token=identity.webhook_token,
            photo_count=len(board.usable),
            created_at=self._clock.now(),
        )
        await self._note_beginning(connection, training_id, board)
        training = await trainings.get(connection, training_id)
        assert training is not None  # inserted just above
        return training

    async def _post_status(self, connection: AsyncConnection, training: Training) -> None:
        """Post the status message; trainings of an event have none, because its panel shows them."""
        await posts.add(
            connection,
            PostKind.TRAINING_STATUS,
            training.id,
            guild_id=training.guild_id,
            user_id=training.user_id,
            places=[Place(PlaceKind.CHANNEL, training.channel_id)],
            now=training.created_at,
        )

    async def view(self, training_id: int) -> TrainingView | None:
        """Everything about one training; callers check who may see it."""
        async with self._database.read() as connection:
            training = await trainings.get(connection, training_id)
            return None if training is None else await self._view(connection, training)

    async def view_for(self, training_id: int, *, guild_id: int, user_id: int) -> TrainingView:
        view = await self.view(training_id)
        if view is None or view.training.guild_id != guild_id or view.training.user_id != user_id:
            raise NotFound(NOT_YOURS)
        return view

    async def running_of(self, actor: Actor) -> Sequence[TrainingView]:
        """The member's own trainings that have not ended, newest first."""
        async with self._database.read() as connection:
            found = await trainings.running_of(connection, actor.guild_id, actor.user_id)
            return [await self._view(connection, training) for training in found]

    async def cancel(self, training_id: int, actor: Actor) -> TrainingView:
        """End the member's own training, or for an admin anybody's here, before it is sent; once cancelled, it is.

        Its photos are back on their board, and what was set aside for it is given back. UserError when it is too late.
        Whose training an admin cancels is told.
        """
        training = (await self._view_to_cancel(training_id, actor)).training
        if training.event_id is not None:
            raise UserError(failures.OF_AN_EVENT)
        if training.status is TrainingStatus.QUEUED:
            await self._check_unsent(training)
            await self._outcomes.cancel(training, actor)
        view = await self._view_to_cancel(training_id, actor)
        if view.training.status is not TrainingStatus.CANCELLED:
            raise UserError(failures.too_late(view.training))
        return view

    async def _view_to_cancel(self, training_id: int, actor: Actor) -> TrainingView:
        view = await self.view(training_id)
        if view is None or view.training.guild_id != actor.guild_id:
            raise NotFound(NOT_YOURS)
        if not actor.is_admin and view.training.user_id != actor.user_id:
            raise NotFound(NOT_YOURS)
        return view

    async def _check_unsent(self, training: Training) -> None:
        """UserError when the provider has it already: our database may be a copy that was put back."""
        since = await self._database.fetch(self._database.inherited.ordered_since, training)
        client = None if since is None else await self._keys.client(training.key_id)
        if client is None or since is None:
            return
        try:
            found = await client.find_training(training.marker, since - LOOK_BACK)
        except ProviderError as error:
            raise UserError(failures.cannot_ask(training.provider)) from error
        if found is not None:
            raise UserError(failures.has_it(training.provider))

    async def retry(self, training_id: int, actor: Actor, *, channel: Channel) -> Training:
        """Start the same photos again after a failure or a cancel, as a new training."""
        view = await self.view_for(training_id, guild_id=actor.guild_id, user_id=actor.user_id)
        ended = {TrainingStatus.FAILED, TrainingStatus.CANCELLED}
        if view.training.status not in ended or not view.photos_left:
            raise UserError("The photos of this training have been deleted. Please send `/train` with new ones.")
        return await self.start(view.training.dataset_id, actor, channel=channel)

    async def _view(self, connection: AsyncConnection, training: Training) -> TrainingView:
        place = None
        if training.status is TrainingStatus.QUEUED and training.due_at is None:
            place = await place_of(connection, training.id, training.key_id, TRAININGS)
        key = await keys.get(connection, training.key_id)
        dataset = await datasets.get(connection, training.dataset_id)
        return TrainingView(
            training=training,
            lora=None if training.lora_id is None else await loras.get(connection, training.lora_id),
            place=place,
            key=None if key is None else key.row,
            timeline=tuple(await timeline.of(connection, SubjectTable.TRAINING, training.id)),
            photos_left=dataset is not None and dataset.status is DatasetStatus.OPEN,
            usual=None if training.status.is_terminal else await usual(connection, training),
            has_sample=await generations.has_sample(connection, training.id),
        )

    async def _already_started(self, dataset_id: int) -> Training:
        training = await self._database.fetch(trainings.latest_of_dataset, dataset_id)
        if training is None:
            raise UserError("This dataset was discarded. Send `/train` to begin a new one.")
        return training

    async def _note_beginning(self, connection: AsyncConnection, training_id: int, board: Board) -> None:
        now = self._clock.now()
        advised = sum(photo.verdict is Verdict.ADVISED for photo in board.usable)
        for what, detail in (
            ("received", f"{len(board.photos)} photo{'s' * (len(board.photos) != 1)}"),
            ("checked", f"{len(board.usable)} will be sent, {advised} of them with advice"),
        ):
            await timeline.add(connection, SubjectTable.TRAINING, training_id, what, at=now, detail=detail)


def check_startable(board: Board) -> None:
    """UserError, with what is missing, when the dataset cannot be started."""
    if board.dataset.status is not DatasetStatus.OPEN:
        raise UserError("This dataset has been discarded or its time is up. Send `/train` to begin a new one.")
    if board.missing:
        raise UserError(
            f"It takes {board.limits.least} usable photo{'s' * (board.limits.least != 1)}; "
            f"there are {len(board.usable)}. Please add {board.missing} more."
        )
    if board.lacks_person:
        raise UserError(
            "To train a person, the provider needs gender and ethnicity. Please press **About the person** on the "
            "board; `/dataset show` brings it back."
        )
    total = sum(photo.size for photo in board.usable)
    if total > checks.MAX_TOTAL_BYTES:
        raise UserError("All photos together are over 100 MB. Please remove a few.")
