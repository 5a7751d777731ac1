"""What an event does while it is in a stage: its thread, its trainings, its pack of pictures."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import photo_limits
from bot.errors import NoKey, UserError
from bot.events.budget import BudgetService
from bot.events.packs import PackRunner
from bot.events.photos.review import ReviewService
from bot.keys.service import KeyService
from bot.limits.ledger import BudgetSpent
from bot.limits.rules import ServerLimitReached
from bot.ports import NotNow, Venue
from bot.records.event import Entrant, Event, EventMode, EventStatus, PauseReason
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.storage.database import Database
from bot.storage.events import entrants
from bot.storage.events import events as rows
from bot.storage.events import jobs as event_jobs
from bot.storage.events import photos as event_photos
from bot.storage.jobs import posts

log = logging.getLogger(__name__)

STUCK_AFTER = 3
"""Failed tries in a row after which a training counts as waiting for the provider."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The state after a stage's work: `blocked` is what it waits for; `is_done`: no job is under way.

    `trainings` counts the newest training of each dataset, `newest` is the id of the newest training. `left` are
    pictures of the pack that were not ordered.
    """

    blocked: PauseReason | None = None
    is_done: bool = True
    trainings: Mapping[TrainingStatus, int] = field(default_factory=dict)
    newest: int = 0
    no_budget: tuple[int, ...] = ()
    """Members whose training did not fit the budget."""
    no_photos: tuple[int, ...] = ()
    left: int = 0
    is_pinned: bool = True
    """Whether nothing about the panel's pin has to be tried again."""


class StageRunner:
    def __init__(
        self,
        database: Database,
        key_service: KeyService,
        budgets: BudgetService,
        packs: PackRunner,
        reviews: ReviewService,
        venue: Venue,
    ) -> None:
        self._database = database
        self._keys = key_service
        self._budgets = budgets
        self._packs = packs
        self._reviews = reviews
        self._venue = venue

    async def create_thread_and_calendar(self, event: Event) -> dict[str, int]:
        """Create thread and calendar entry, once; returns the changed columns. Tried again while Discord is away."""
        found: dict[str, int] = {}
        try:
            if event.wants_thread and event.thread_id is None:
                thread_id = await self._open_thread(event)
                found |= {} if thread_id is None else {"thread_id": thread_id}
            if event.wants_calendar and event.calendar_id is None and event.stage_ends_at is not None:
                calendar_id = await self._venue.put_on_calendar(event)
                found |= {} if calendar_id is None else {"calendar_id": calendar_id}
        except NotNow as error:
            log.info("The thread or calendar of event %s has to wait: %s", event.id, error)
        return found

    async def keep_on_calendar(self, draft: Event, now: datetime) -> dict[str, int | None]:
        """Let a draft that opens by itself stand in the calendar, and no other; the changed columns. May raise NotNow.

        An entry that stands there with another time is given the present one.
        """
        if draft.wants_calendar and draft.opens_at is not None:
            calendar_id = await self._venue.put_on_calendar(draft) if now < draft.opens_at else draft.calendar_id
            return {} if calendar_id in {None, draft.calendar_id} else {"calendar_id": calendar_id}
        if draft.calendar_id is None:
            return {}
        await self._venue.end_on_calendar(draft)
        return {"calendar_id": None}

    async def _open_thread(self, event: Event) -> int | None:
        """Open the thread on the panel's message, which can have only one; None while there is no such message."""
        panel = await self._database.fetch(posts.find, PostKind.EVENT_PANEL, event.id)
        is_in_channel = panel is not None and panel.place_index == 0
        if panel is None or not panel.message_id or not is_in_channel:
            return None
        return await self._venue.open_thread(event, panel.message_id)

    async def do(self, event: Event) -> StageProgress:
        """Do the stage's work; it can be repeated at any time."""
        match event.status:
            case EventStatus.TRAINING:
                return await self._train(event)
            case EventStatus.SHOWING:
                return await self._show(event)
            case _:
                return StageProgress()

    async def _train(self, event: Event) -> StageProgress:
        try:
            await self._keys.current(event.guild_id, event.subject_kind.provider)
        except NoKey:
            return StageProgress(blocked=PauseReason.NO_KEY, is_done=False)
        begun = await self._database.fetch(event_jobs.trainings_of, event.id)
        if not begun and await self._is_out_of_credits(event):
            return StageProgress(blocked=PauseReason.OUT_OF_CREDITS, is_done=False)
        train = self._train_shared if event.mode is EventMode.SHARED else self._train_each
        return await train(event, begun)

    async def _train_shared(self, event: Event, begun: Sequence[Training]) -> StageProgress:
        assert event.dataset_id is not None  # made when the event was opened
        if not begun or await self._is_to_be_repeated(event, begun):
            await self._reviews.settle_shared(event)
            try:
                training = await self._budgets.start_training(event, event.dataset_id, event.host_id)
            except BudgetSpent:
                return StageProgress(blocked=PauseReason.BUDGET_SPENT)
            except ServerLimitReached:
                return StageProgress(blocked=PauseReason.SERVER_LIMIT, is_done=False)
            except NoKey:
                return StageProgress(blocked=PauseReason.NO_KEY, is_done=False)
            except UserError as error:
                log.info("Event %s cannot train yet: %s", event.id, error)
                return StageProgress(blocked=PauseReason.TOO_FEW_PHOTOS)
            # The photos left with a try that failed: there are none for another one.
            return StageProgress(
                blocked=PauseReason.TOO_FEW_PHOTOS if training.status.is_terminal else None, is_done=False
            )
        return _progress(begun)

    async def _train_each(self, event: Event, before: Sequence[Training]) -> StageProgress:
        """Train every entrant with enough photos, in the order they joined, as long as the budget lasts."""
        taking_part = await self._database.fetch(entrants.of_event, event.id)
        is_repeated = bool(before) and await self._is_to_be_repeated(event, before)
        waiting = [each for each in taking_part if is_repeated or each.training_id is None]
        no_budget: list[int] = []
        no_photos: list[int] = []
        for entrant in waiting:
            try:
                if not await self._start(event, entrant):
                    no_photos.append(entrant.user_id)
            except BudgetSpent:
                no_budget.append(entrant.user_id)
            except ServerLimitReached:
                return StageProgress(blocked=PauseReason.SERVER_LIMIT, is_done=False)
            except NoKey:
                return StageProgress(blocked=PauseReason.NO_KEY, is_done=False)
            except UserError as error:
                log.info("An entrant's photos in event %s cannot be trained: %s", event.id, error)
                no_photos.append(entrant.user_id)
        begun = await self._database.fetch(event_jobs.trainings_of, event.id)
        await self._note_loras(taking_part, begun)
        if not begun or (is_repeated and len(begun) == len(before)):
            why = PauseReason.BUDGET_SPENT if no_budget else PauseReason.TOO_FEW_PHOTOS
            return StageProgress(blocked=why, no_budget=tuple(no_budget), no_photos=tuple(no_photos))
        return replace(_progress(begun), no_budget=tuple(no_budget), no_photos=tuple(no_photos))

    async def _is_out_of_credits(self, event: Event) -> bool:
        """Whether the balance is too low for one training; trying shows everything else."""
        provider = event.subject_kind.provider
        price = self._budgets.prices[provider].training
        return await self._budgets.obstacle(event.guild_id, provider, price) is PauseReason.OUT_OF_CREDITS

    async def _start(self, event: Event, entrant: Entrant) -> bool:
        """Start an entrant's training; False when there are too few usable photos."""
        if entrant.dataset_id is None:
            return False
        usable = await self._database.fetch(event_photos.usable_of_dataset, entrant.dataset_id)
        if usable < photo_limits(event.subject_kind).least:
            return False
        training = await self._budgets.start_training(event, entrant.dataset_id, entrant.user_id)
        begun = {"training_id": training.id, "photos_chosen": training.photo_count}
        await self._database.write(lambda connection: entrants.change(connection, entrant.id, **begun))
        return True

    async def _note_loras(self, taking_part: Sequence[Entrant], begun: Sequence[Training]) -> None:
        """Store the LoRA of each entrant whose training has ended."""
        made = {training.user_id: training.lora_id for training in begun if training.lora_id is not None}
        changed = [each for each in taking_part if each.user_id in made and each.lora_id != made[each.user_id]]
        if not changed:
            return

        async def transaction(connection: AsyncConnection) -> None:
            for entrant in changed:
                await entrants.change(connection, entrant.id, lora_id=made[entrant.user_id])

        await self._database.write(transaction)

    async def _is_to_be_repeated(self, event: Event, begun: Sequence[Training]) -> bool:
        """Whether all trainings failed, the host was told about exactly these, and the event goes on since."""
        progress = _progress(begun)
        if set(progress.trainings) != {TrainingStatus.FAILED} or event.paused_at is not None:
            return False
        once = paused_once(PauseReason.TRAINING_FAILED, progress.newest)
        return await self._database.fetch(rows.was_announced, event.id, once)

    async def _show(self, event: Event) -> StageProgress:
        state = await self._packs.run(event)
        under_way = await self._database.fetch(event_jobs.generations_under_way, event.id)
        if state.stopped in {None, PauseReason.BUDGET_SPENT}:
            is_ordered = state.left == 0 or state.stopped is PauseReason.BUDGET_SPENT
            return StageProgress(is_done=is_ordered and under_way == 0, left=state.left)
        return StageProgress(blocked=state.stopped, is_done=False, left=state.left)


def paused_once(why: PauseReason, about: int) -> str:
    """The key that keeps a pause from being announced twice."""
    return f"paused:{why}:{about}"


def _progress(begun: Sequence[Training]) -> StageProgress:
    """Where the newest training of each dataset stands."""
    latest = {training.dataset_id: training for training in begun}.values()
    under_way = [training for training in latest if not training.status.is_terminal]
    is_stuck = any(training.attempt >= STUCK_AFTER for training in under_way)
    return StageProgress(
        blocked=PauseReason.PROVIDER_DOWN if is_stuck else None,
        is_done=not under_way,
        trainings=Counter(training.status for training in latest),
        newest=max(training.id for training in begun),
    )
