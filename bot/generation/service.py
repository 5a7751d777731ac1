"""Generations for members: order, repeat, edit, cancel and view them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, ProviderError, UserError
from bot.generation.acceptance import OrderAcceptance
from bot.generation.access import may_repeat, visible_generation
from bot.generation.order import Accepted, OrderPolicy, PictureOrder
from bot.generation.outcomes import KIND, GenerationOutcomes
from bot.generation.prompt import for_people, with_new_seed
from bot.generation.references import References
from bot.jobs.service import JobService
from bot.keys.service import KeyService
from bot.keys.slots import place_of
from bot.records.generation import Generation, GenerationSettings, GenerationStatus, Operation, Picture, Remembered
from bot.records.guild import Actor, Channel
from bot.records.job import SubjectTable, TimelineEntry
from bot.records.key import ProviderName
from bot.records.lora import Lora, Style
from bot.resources import Resources
from bot.storage.jobs import generations, loras, pictures, remembered, styles, timeline
from bot.storage.money.slots import PICTURES

NOT_YOURS = "There are no such pictures of yours here. `/jobs` shows what you have."
TOO_LATE = "It is too late to cancel: this order has ended, or its pictures are made already."

EventPolicy = Callable[[PictureOrder, Actor], Awaitable[OrderPolicy | None]]
"""The rules of the order's event; None when that event is over."""
S = GenerationStatus


@dataclass(frozen=True, slots=True)
class GenerationView:
    generation: Generation
    lora: Lora | None
    style: Style | None
    pictures: tuple[Picture, ...]
    place: int | None
    """Place in the queue, from 1; None when it does not wait."""
    files: tuple[Path | None, ...]
    """Path of each picture on disk, None after our copy was deleted."""
    timeline: tuple[TimelineEntry, ...]
    behind: Lora | None
    """Its LoRA, or that of the picture that it was made from."""

    @property
    def prompt(self) -> str:
        """What was asked for, as people read it."""
        return for_people(self.generation.prompt, self.behind)

    def file_of(self, number: int) -> Path | None:
        """The path of the picture with this number; one of a set may be missing."""
        numbers = [picture.position for picture in self.pictures]
        return self.files[numbers.index(number)] if number in numbers else None


class GenerationService(JobService[Generation]):
    def __init__(
        self,
        opened: Resources,
        key_service: KeyService,
        references: References,
        orders: OrderAcceptance,
        event_policy: EventPolicy,
    ) -> None:
        super().__init__(opened, KIND, key_service)
        self._references = references
        self._outcomes = GenerationOutcomes(opened)
        self._orders = orders
        self._event_policy = event_policy

    async def again(self, generation_id: int, actor: Actor, *, channel: Channel) -> Accepted:
        """Order the same with a new seed."""
        order = await self._repeat(generation_id, actor)
        return await self._accept(replace(order, settings=with_new_seed(order.settings)), actor, channel)

    async def vary(
        self,
        generation_id: int,
        prompt: str,
        actor: Actor,
        *,
        channel: Channel,
        settings: GenerationSettings | None = None,
    ) -> Accepted:
        """Order the same with another prompt and a new seed; `settings` replaces all settings."""
        order = await self._repeat(generation_id, actor)
        changed = with_new_seed(settings or order.settings)
        return await self._accept(replace(order, prompt=prompt, settings=changed), actor, channel)

    async def edit(self, picture_id: int, operation: Operation, actor: Actor, *, channel: Channel) -> Accepted:
        """Enlarge a kept picture or remove its background, at Apiframe."""
        async with self._database.read() as connection:
            picture = await generations.get_picture(connection, picture_id)
            origin_id = 0 if picture is None else picture.generation_id
            origin = await visible_generation(connection, origin_id, actor)
        assert picture is not None  # without it there is no visible generation
        await self._keys.current(actor.guild_id, ProviderName.APIFRAME)
        reference = await self._references.copy_of(picture)
        order = PictureOrder(origin.prompt, references=(reference,), operation=operation, origin_id=origin.id)
        return await self._orders.accept(order, actor, channel)

    async def _accept(self, order: PictureOrder, actor: Actor, channel: Channel) -> Accepted:
        """Accept an order that repeats pictures.

        While the event they were made in lives, it is one of the event and posted there.
        """
        policy = None if order.event_id is None else await self._event_policy(order, actor)
        if policy is None:
            return await self._orders.accept(replace(order, event_id=None), actor, channel)
        return await self._orders.accept(order, actor, policy.channel, policy)

    async def cancel(self, generation_id: int, actor: Actor) -> str:
        """Cancel the member's own order, or for an admin anybody's here; returns a sentence for them.

        UserError when it is too late. Whose order an admin cancels is told.
        """
        generation = await self._database.fetch(generations.get, generation_id)
        if generation is None or generation.guild_id != actor.guild_id or not _may_end(generation, actor):
            raise NotFound(NOT_YOURS)
        if generation.status is S.QUEUED and await self._outcomes.cancel(generation, actor):
            return "Cancelled before it was sent; it cost nothing."
        generation = await self._database.fetch(generations.get, generation_id) or generation
        if generation.status is S.SUBMITTED:
            return await self._cancel_at_provider(generation, actor)
        if generation.status is S.FETCHING or generation.status.is_terminal:
            raise UserError(TOO_LATE)
        raise UserError("This order is just being handed over. Press Cancel again in a moment.")

    async def last_used(self, actor: Actor) -> Remembered | None:
        """The settings that the member used last in this guild."""
        return await self._database.fetch(remembered.get, actor.guild_id, actor.user_id)

    async def forget_settings(self, actor: Actor) -> bool:
        """Let the next `/imagine` start from the documented defaults; False when it would anyway."""
        return await self._database.write(
            lambda connection: remembered.forget(connection, actor.guild_id, actor.user_id)
        )

    async def view(self, generation_id: int) -> GenerationView | None:
        """Everything about one generation; callers check who may see it."""
        async with self._database.read() as connection:
            generation = await generations.get(connection, generation_id)
            return None if generation is None else await self._view(connection, generation)

    async def _repeat(self, generation_id: int, actor: Actor) -> PictureOrder:
        """The order behind visible pictures, for the actor to repeat; UserError when it cannot be repeated."""
        async with self._database.read() as connection:
            generation = await visible_generation(connection, generation_id, actor)
            await may_repeat(connection, generation, actor)
            started_from = await generations.references_of(connection, generation_id)
        if generation.operation is not Operation.IMAGINE:
            raise UserError("This was made from another picture. Use the buttons of that one.")
        if started_from and generation.user_id != actor.user_id:
            raise NotAllowed(
                "These pictures began with photos of the member who ordered them, so only they can repeat it."
            )
        references = await self._references.still_usable(generation_id)
        if references is None:
            raise UserError("The reference pictures are not kept. Attach them again with `/imagine` and `reference`.")
        return PictureOrder(
            generation.prompt,
            generation.settings,
            generation.lora_id,
            generation.style_id,
            generation.provider,
            references,
            origin_id=generation.id,
            event_id=generation.event_id,
        )

    async def _cancel_at_provider(self, generation: Generation, actor: Actor) -> str:
        provider, client = generation.provider, await self._keys.client(generation.key_id)
        assert generation.request_id is not None  # set together with the status
        try:
            is_cancelled = client is not None and await client.cancel_generation(generation.request_id)
        except ProviderError as error:
            raise UserError(f"{provider.label} could not be asked just now. Press Cancel again in a moment.") from error
        if not is_cancelled:
            raise UserError(f"{provider.label} is making the pictures already and cannot stop that any more.")
        if not await self._outcomes.cancel(generation, actor):
            raise UserError(TOO_LATE)
        return f"Cancelled. {provider.label} gives the credits back."

    async def _view(self, connection: AsyncConnection, generation: Generation) -> GenerationView:
        made = await generations.pictures_of(connection, generation.id)
        place = None
        if generation.status is S.QUEUED:
            place = await place_of(connection, generation.id, generation.key_id, PICTURES)
        return GenerationView(
            generation=generation,
            lora=None if generation.lora_id is None else await loras.get(connection, generation.lora_id),
            style=None if generation.style_id is None else await styles.get(connection, generation.style_id),
            pictures=tuple(made),
            place=place,
            files=tuple(None if picture.file is None else self._spool.path(picture.file) for picture in made),
            timeline=tuple(await timeline.of(connection, SubjectTable.GENERATION, generation.id)),
            behind=await pictures.lora_behind(connection, generation),
        )


def _may_end(generation: Generation, actor: Actor) -> bool:
    return generation.user_id == actor.user_id or actor.is_admin
