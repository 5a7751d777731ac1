"""Budgets of events: credits are reserved before a job is stored; what the rest can still buy."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import KeyRejected, NoKey, NotAllowed, NotFound, ProviderError, UserError
from bot.events import lifecycle, lookup
from bot.events.loras import may_use, providers_of
from bot.generation.acceptance import OrderAcceptance
from bot.generation.order import Accepted, PictureOrder
from bot.keys.service import KeyService
from bot.records.event import EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor, Channel
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import Spend
from bot.records.training import Training
from bot.resources import Resources, Service
from bot.storage.events import entrants, events
from bot.storage.jobs import generations, loras
from bot.storage.money import spends
from bot.training.service import TrainingService

STILL_TRAINS = {EventStatus.DRAFT, EventStatus.COLLECTING, EventStatus.REVIEWING, EventStatus.TRAINING}


class AlreadyOrdered(UserError):
    def __init__(self) -> None:
        super().__init__("This picture of the pack has been ordered already.")


@dataclass(frozen=True, slots=True)
class Affordable:
    """What the budget can still buy: trainings, and pictures with what the trainings leave.

    None means any number. `trains` is False when no more trainings will come.
    """

    credits_left: int | None
    trainings: int | None
    pictures: int | None
    trains: bool = True

    @property
    def words(self) -> str:
        if self.credits_left is None:
            return "no limit"
        counted = [_counted(self.trainings, "more training")] if self.trains else []
        return ", ".join([*counted, _counted(self.pictures, "picture")])


@dataclass(frozen=True, slots=True)
class EventOrderPolicy:
    """The rules of an event for one order of pictures, checked in the transaction that stores it."""

    event: Event
    order: PictureOrder
    actor: Actor

    @property
    def channel(self) -> Channel:
        """What is made for the event is seen where the event is."""
        return channel_of(self.event)

    async def check(self, connection: AsyncConnection) -> None:
        event = await lookup.live(connection, self.event.id, self.actor.guild_id)
        if self.order.pack_index is None:
            await _check_own(connection, event, self.order, self.actor)
        elif event.status is not EventStatus.SHOWING:
            raise UserError("The pack is made once the LoRAs are ready and before the vote.")
        elif await generations.is_ordered_of_pack(connection, event.id, self.order.lora_id, self.order.pack_index):
            raise AlreadyOrdered


class BudgetService(Service):
    def __init__(
        self,
        opened: Resources,
        key_service: KeyService,
        training_service: TrainingService,
        orders: OrderAcceptance,
    ) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._trainings = training_service
        self._orders = orders
        self.prices = opened.prices

    async def preview(self, event: Event) -> Affordable:
        """What the budget can still buy; trainings come first, if any will be started."""
        async with self._database.read() as connection:
            spent = await spends.of_event(connection, event.id)
            providers = await providers_of(connection, event) or {ProviderName.APIFRAME}
        left = _left(event, sum(spend.credits for spend in spent))
        trains = _is_training_to_come(event, spent)
        if left is None:
            return Affordable(None, None, None, trains)
        price = self.prices[event.subject_kind.provider].training
        trainings_: int | None = 0
        if trains:
            most = 1 if event.mode is EventMode.SHARED else left
            trainings_ = min(left // price, most) if price else None
        rest = left - (trainings_ or 0) * price
        return Affordable(left, trainings_, rest // max(self.prices[each].picture for each in providers), trains)

    async def obstacle(self, guild_id: int, provider: ProviderName, needed: int) -> PauseReason | None:
        """Why an order of `needed` credits cannot be made at this provider just now; None when it can."""
        try:
            key = await self._keys.current(guild_id, provider)
        except NoKey:
            return PauseReason.NO_KEY
        client = await self._keys.client(key.id)
        if client is None:
            return PauseReason.NO_KEY
        try:
            account = await client.account()
        except KeyRejected as error:
            is_refused = await self._keys.is_refused(key.id, error)
            return PauseReason.NO_KEY if is_refused else PauseReason.PROVIDER_DOWN
        except ProviderError:
            return PauseReason.PROVIDER_DOWN
        is_poor = account.credits is not None and account.credits < needed
        return PauseReason.OUT_OF_CREDITS if is_poor else None

    async def start_training(self, event: Event, dataset_id: int, owner_id: int) -> Training:
        """Train an event's photos, once; BudgetSpent, and nothing is stored, when the budget has too little left."""

        async def check(connection: AsyncConnection, training: Training) -> None:
            current = await lookup.live(connection, event.id, event.guild_id)
            if training.event_id != current.id:
                raise NotFound("These photos belong to another event.")

        owner = Actor(event.guild_id, owner_id)
        return await self._trainings.start(dataset_id, owner, channel=channel_of(event), event_check=check)

    async def order(self, event: Event, order: PictureOrder, actor: Actor, channel: Channel) -> Accepted:
        """Order an entrant's own pictures or pictures of the pack; UserError when the rules or the budget forbid it."""
        order = replace(order, event_id=event.id)
        policy = EventOrderPolicy(event, order, actor)
        return await self._orders.accept(order, actor, channel, policy)

    async def policy(self, order: PictureOrder, actor: Actor) -> EventOrderPolicy | None:
        """The rules of the order's event, None when it is over: then nothing is ordered for it any more."""
        event_id = order.event_id
        event = None if event_id is None else await self._database.fetch(events.get, event_id)
        if event is None or event.status.is_terminal:
            return None
        return EventOrderPolicy(event, order, actor)

    async def orders_left(self, event: Event, user_id: int) -> int:
        """How many more orders of own pictures this entrant may place."""
        async with self._database.read() as connection:
            return max(0, event.pictures_each - await generations.own_in_event(connection, event.id, user_id))


def channel_of(event: Event) -> Channel:
    """The channel in which an event's jobs post."""
    if event.thread_id is None:
        return Channel(event.channel_id)
    return Channel(event.thread_id, event.channel_id)


async def _check_own(connection: AsyncConnection, event: Event, order: PictureOrder, actor: Actor) -> None:
    """UserError unless this entrant may order such a picture of their own now."""
    _check_time(event)
    entrant = await entrants.find(connection, event.id, actor.user_id)
    if entrant is None or entrant.status is not EntrantStatus.IN:
        raise NotAllowed("Only those who take part in this event can make pictures for it.")
    if await generations.own_in_event(connection, event.id, actor.user_id) >= event.pictures_each:
        most = event.pictures_each
        raise UserError(
            f"You have ordered all your pictures for this event; there {'was' if most == 1 else 'were'} {most}."
            if most
            else "Nobody makes pictures of their own in this event."
        )
    if order.lora_id is None and order.style_id is None:
        raise UserError("Please pick a LoRA or a style of this event.")
    if order.lora_id is not None:
        lora = await loras.get(connection, order.lora_id)
        if lora is None or not may_use(event, lora, actor):
            raise UserError("This LoRA is not part of the event. Please pick one that is.")
    if order.style_id is not None and order.style_id not in event.style_ids:
        raise UserError("This style is not part of the event. Please pick one that is.")


def _check_time(event: Event) -> None:
    if event.mode is EventMode.BAKEOFF:
        raise UserError("A bake-off compares the host's pictures; nobody makes others.")
    when = lifecycle.MAKING_STAGE[event.mode]
    if event.status in STILL_TRAINS and event.status is not when:
        raise UserError("Pictures can be made as soon as the LoRA is ready. Please come back then.")
    if event.status is not when:
        raise UserError("The time for making pictures is over in this event.")
    if event.paused_at is not None:
        raise UserError("This event is paused just now. Please try again when it goes on.")


def _left(event: Event, spent: int) -> int | None:
    return None if event.budget is None else max(0, event.budget - spent)


def _is_training_to_come(event: Event, spent: list[Spend]) -> bool:
    if not event.mode.trains or event.status not in STILL_TRAINS:
        return False
    is_begun = any(spend.subject_table is SubjectTable.TRAINING and spend.credits for spend in spent)
    return not (event.mode is EventMode.SHARED and is_begun)


def _counted(number: int | None, what: str) -> str:
    if number is None:
        return f"any number of {what.removeprefix('more ')}s"
    return f"{number or 'no'} {what}{'s' * (number != 1)}"
