"""Accepting an order of pictures: checks rights, limits and price, then stores it in one transaction."""

import contextlib
import uuid
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NoKey, UserError
from bot.generation import prompt as rules
from bot.generation.capabilities import Target, check_order, choose_target
from bot.generation.order import (
    RECALLED_AFTER,
    Accepted,
    Also,
    OrderPolicy,
    PartialOrder,
    PictureOrder,
    Recalled,
    carry_over,
    provider_order,
    with_own_strength,
    with_style,
    without_own_strength,
    without_style,
)
from bot.generation.pricing import LoraVanished, Price, ask_price
from bot.generation.references import References
from bot.keys.service import KeyService
from bot.keys.slots import assign_free_slots
from bot.limits.ledger import Ledger
from bot.loras.access import usable_lora, usable_style
from bot.moderation.texts import check_text
from bot.records.event import EventMode
from bot.records.generation import Generation, GenerationSettings, Operation, Remembered
from bot.records.guild import Actor, Channel
from bot.records.job import SubjectTable
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.limit import Amount
from bot.records.lora import Lora, Style
from bot.resources import Resources, Service
from bot.storage import guilds, identities
from bot.storage.events import ballots, events
from bot.storage.jobs import generations, loras, remembered, timeline
from bot.storage.money.slots import PICTURES
from bot.storage.people import preferences
from bot.text import quote


@dataclass(frozen=True, slots=True)
class Checked:
    """An order that may be priced and stored."""

    order: PictureOrder
    target: Target
    key: ApiKeyRow


@dataclass(frozen=True, slots=True)
class Completed:
    """A partial order with what is as last time, and the names of that."""

    order: PictureOrder
    lora: Lora | None
    style: Style | None
    taken_over: tuple[str, ...]


class OrderAcceptance(Service):
    def __init__(self, opened: Resources, key_service: KeyService, references: References) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._members = opened.members
        self._references = references
        self._ledger = Ledger(opened.clock, opened.timings)
        self._prices = opened.prices

    async def accept(
        self,
        order: PictureOrder,
        actor: Actor,
        channel: Channel,
        policy: OrderPolicy | None = None,
        also: Also | None = None,
    ) -> Accepted:
        """Check and store an order; once this returns, it survives a crash. UserError frees its reference files."""
        with contextlib.ExitStack() as refused:
            refused.callback(self._references.free, order.references)
            if policy is not None:
                async with self._database.read() as connection:
                    await policy.check(connection)
            checked = await self._check(order, actor, channel)
            price = await self._price(checked, channel)
            generation = await self._store(checked, price, actor, channel, policy, also)
            refused.pop_all()
        async with self._database.read() as connection:
            is_secret = await ballots.blind_event(connection, generation) is not None
            prefers = await preferences.get(connection, actor.guild_id, actor.user_id)
        is_private = prefers.is_private and generation.event_id is None
        lora, style = checked.target.lora, checked.target.style
        return Accepted(generation, lora, style, price.balance, is_private=is_private, is_secret=is_secret)

    async def order_with_defaults(
        self, partial: PartialOrder, actor: Actor, channel: Channel, also: Also | None = None
    ) -> Accepted:
        """Order with what the member used last for options they left out. References are downloaded last."""
        completed = await self._complete(partial, actor)
        await self._check(completed.order, actor, channel, reference_count=len(partial.uploads))
        references = await self._references.take_in(partial.uploads)
        accepted = await self.accept(replace(completed.order, references=references), actor, channel, also=also)
        return replace(accepted, taken_over=completed.taken_over)

    async def recall(self, partial: PartialOrder, actor: Actor) -> Recalled | None:
        """What `order_with_defaults` would take over although the member used it last a while ago; None for nothing."""
        used_at = await self._database.fetch(remembered.used_at, actor.guild_id, actor.user_id)
        if used_at is None or self._clock.now() - used_at < RECALLED_AFTER:
            return None
        completed = await self._complete(partial, actor)
        if not completed.taken_over:
            return None
        return Recalled(completed.taken_over, completed.order.settings, completed.lora, completed.style, used_at)

    async def _complete(self, partial: PartialOrder, actor: Actor) -> Completed:
        lora, style, settings = partial.lora, partial.style, partial.settings
        taken_over: list[str] = []
        async with self._database.read() as connection:
            last = await remembered.get(connection, actor.guild_id, actor.user_id)
            if last is not None and "lora" not in partial.said:
                lora = await _last_lora(connection, last, partial, actor)
                taken_over += ["lora"] if lora is not None else []
            if last is not None and "style" not in partial.said:
                style = await _last_style(connection, last, partial, lora, actor)
                taken_over += ["style"] if style is not None else []
        if last is not None:
            target = await self._target(lora, style, partial.provider, actor)
            settings, names = carry_over(target, settings, partial.said, last, len(partial.uploads))
            taken_over += names
        order = PictureOrder(
            partial.prompt,
            settings,
            lora.id if lora is not None else None,
            style.id if style is not None else None,
            partial.provider,
        )
        return Completed(order, lora, style, tuple(taken_over))

    async def _check(
        self, order: PictureOrder, actor: Actor, channel: Channel, reference_count: int | None = None
    ) -> Checked:
        """Check rights and limits; UserError before anything is paid, downloaded or stored."""
        async with self._database.read() as connection:
            await check_text(
                connection,
                actor.guild_id,
                order.prompt,
                negative=order.settings.negative,
                is_age_restricted=channel.is_age_restricted,
            )
            lora = None if order.lora_id is None else await usable_lora(connection, order.lora_id, actor)
            style = None if order.style_id is None else await usable_style(connection, order.style_id, actor)
        if lora is not None and not await self._owner_is_here(lora, actor):
            raise UserError(
                f"The owner of {quote(lora.name, 40)} has left this server, so it rests until they are back. "
                "An admin can archive it."
            )
        if order.operation is not Operation.IMAGINE:
            target = Target(ProviderName.APIFRAME)
        else:
            target = await self._target(lora, style, order.provider, actor)
            count = len(order.references) if reference_count is None else reference_count
            prompt = rules.with_trigger_word(order.prompt, None if lora is None else lora.trigger_word)
            rules.check_prompt(prompt, target.ability.prompt_max)
            check_order(target, order.settings, count)
            order = replace(order, prompt=prompt, settings=rules.with_seed(await self._filled(order, target, count)))
        return Checked(order, target, await self._keys.current(actor.guild_id, target.provider))

    async def _filled(self, order: PictureOrder, target: Target, reference_count: int) -> GenerationSettings:
        """What was left out is as the style and the LoRA have it; a bake-off compares what stands in it alone."""
        settings = with_style(target, order.settings, reference_count)
        event = None if order.event_id is None else await self._database.fetch(events.get, order.event_id)
        if event is not None and event.mode is EventMode.BAKEOFF:
            return settings
        return with_own_strength(target, settings, reference_count)

    async def _owner_is_here(self, lora: Lora, actor: Actor) -> bool:
        """Whether the owner is a member: who has left cannot end a share, so the LoRA is not used until they return."""
        return lora.owner_id == actor.user_id or await self._members.is_member(lora.guild_id, lora.owner_id)

    async def _target(self, lora: Lora | None, style: Style | None, asked: ProviderName | None, actor: Actor) -> Target:
        guild = await self._database.fetch(guilds.get, actor.guild_id)
        keyed = set()
        for provider in ProviderName:
            with contextlib.suppress(NoKey):
                keyed.add((await self._keys.current(actor.guild_id, provider)).provider)
        default = None if guild is None else guild.default_provider
        return choose_target(lora, style, asked=asked, default=default, keyed=keyed)

    async def _price(self, checked: Checked, channel: Channel) -> Price:
        """The price. References are free (Aurous Labs /images/estimate), so they are not uploaded for this."""
        order = checked.order
        asked = provider_order(
            checked.target, order.prompt, order.settings, order.operation, idempotency_key=str(uuid.uuid4())
        )
        try:
            return await ask_price(self._keys, checked.key, asked, checked.target.lora, channel.id)
        except LoraVanished as error:
            lora_id, now = error.lora.id, self._clock.now()
            await self._database.write(lambda connection: loras.note_missing(connection, lora_id, now=now))
            raise

    async def _store(
        self,
        checked: Checked,
        price: Price,
        actor: Actor,
        channel: Channel,
        policy: OrderPolicy | None,
        also: Also | None,
    ) -> Generation:
        order, now = checked.order, self._clock.now()

        async def transaction(connection: AsyncConnection) -> Generation:
            if policy is not None:
                await policy.check(connection)
            generation = await self._insert(connection, checked, price, actor, channel)
            await self._ledger.reserve(connection, generation, self._amount(generation), actor.role_ids)
            await assign_free_slots(connection, generation.key_id, PICTURES, clock=self._clock)
            await _store_references(connection, generation.id, order)
            await timeline.add(connection, SubjectTable.GENERATION, generation.id, "received", at=now)
            if also is not None:
                hashes = [each.sha256 for each in order.references if each.sha256 is not None]
                await also(connection, generation, hashes)
            if order.origin_id is None and order.pack_index is None:
                chosen = without_own_strength(checked.target, without_style(checked.target.style, order.settings))
                used = Remembered(order.lora_id, order.style_id, replace(chosen, seed=None))
                await remembered.put(connection, actor.guild_id, actor.user_id, used, now=now)
            return generation

        return await self._database.write(transaction)

    def _amount(self, generation: Generation) -> Amount:
        """What the order may take: the larger of the list price and the provider's own estimate."""
        pictures = generation.settings.count
        price = self._prices[generation.provider].picture * pictures
        return Amount(max(price, generation.estimate or 0), pictures=pictures)

    async def _insert(
        self, connection: AsyncConnection, checked: Checked, price: Price, actor: Actor, channel: Channel
    ) -> Generation:
        order, now = checked.order, self._clock.now()
        identity = await identities.of_generation(connection, order.event_id, order.lora_id, order.pack_index)
        generation_id = await generations.insert(
            connection,
            settings=order.settings,
            guild_id=actor.guild_id,
            channel_id=channel.id,
            parent_id=channel.parent_id,
            user_id=actor.user_id,
            lora_id=order.lora_id,
            style_id=order.style_id,
            operation=order.operation,
            origin_id=order.origin_id,
            event_id=order.event_id,
            pack_index=order.pack_index,
            key_id=checked.key.id,
            provider=checked.target.provider,
            prompt=order.prompt,
            estimate=price.estimate,
            idempotency_key=identity.idempotency_key,
            webhook_token=identity.webhook_token,
            created_at=now,
        )
        generation = await generations.get(connection, generation_id)
        assert generation is not None  # inserted just above
        return generation


async def _last_lora(connection: AsyncConnection, last: Remembered, partial: PartialOrder, actor: Actor) -> Lora | None:
    """The LoRA used last, if it can still be used and fits what was said this time."""
    if last.lora_id is None:
        return None
    try:
        lora = await usable_lora(connection, last.lora_id, actor)
    except UserError:
        return None
    provider = lora.provider if partial.style is None else partial.style.provider
    takes = Target(lora.provider, lora).ability.references_max
    fits = provider is lora.provider and partial.provider in {None, provider} and len(partial.uploads) <= takes
    return lora if fits else None


async def _last_style(
    connection: AsyncConnection, last: Remembered, partial: PartialOrder, lora: Lora | None, actor: Actor
) -> Style | None:
    if last.style_id is None:
        return None
    try:
        style = await usable_style(connection, last.style_id, actor)
    except UserError:
        return None
    provider = style.provider if lora is None else lora.provider
    return style if provider is style.provider and partial.provider in {None, provider} else None


async def _store_references(connection: AsyncConnection, generation_id: int, order: PictureOrder) -> None:
    for position, reference in enumerate(order.references, start=1):
        await generations.add_reference(
            connection,
            generation_id=generation_id,
            position=position,
            file=reference.file,
            content_type=reference.content_type,
            size=reference.size,
            remote_id=reference.remote_id,
            uploaded_at=reference.uploaded_at,
        )
