"""The form for a prompt, and the private answer to every order of pictures."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.generation.capabilities import ABILITIES, ASPECTS, WIDEST, Kind
from bot.generation.order import DEFAULTS, Accepted, PartialOrder, PictureOrder, without_last_time
from bot.generation.prompt import FIRST_PROMPTS
from bot.records.dataset import Upload
from bot.records.generation import OPTIONS, GenerationSettings, GenerationStatus, say_setting
from bot.records.key import ProviderName
from bot.records.lora import Lora, Style
from bot.text import cite, quote
from cogs.requests.authors import say_asked
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import Pressed
from cogs.ui.layout import card
from cogs.ui.replies import Interaction, actor_of, ask, channel_of, defer, is_admin, show
from cogs.ui.views import ConfirmView, SafeModal, paragraph
from cogs.ui.words import ago, capitalised, count

ANSWERED_AT_ONCE_S = 1.5
"""What takes longer is acknowledged first; Discord waits for 3 seconds."""
PROMPT_MAX = 4000
SOON = "usually within a minute; `/jobs` shows where it is."
COMES_TO_YOU = (
    "It comes to you alone, as a private message, usually within a minute; **Show it to me** brings it here, too. "
    "Nobody else learns what you made before the votes are counted."
)


class PromptModal(SafeModal):
    """The prompt for pictures with this LoRA or style, or from these uploads; with `origin_id`, a variation.

    `author_id`: whose photos the uploads are, if somebody else's, who is asked next.
    """

    command = "imagine"

    def __init__(
        self,
        *,
        lora: Lora | None = None,
        style: Style | None = None,
        prompt: str = "",
        settings: GenerationSettings = DEFAULTS,
        origin_id: int | None = None,
        uploads: tuple[Upload, ...] = (),
        author_id: int | None = None,
    ) -> None:
        super().__init__(_title(lora, style))
        self.lora, self.style, self.settings = lora, style, settings
        self.origin_id, self.uploads, self.author_id = origin_id, uploads, author_id
        first = None if lora is None else FIRST_PROMPTS[lora.subject_kind]
        field = paragraph(default=prompt[:PROMPT_MAX] or first, min_length=1, max_length=PROMPT_MAX)
        self.prompt = self.add_field("Prompt", field, _hint(lora, style))
        self.count = self._add_choice("count", ["1", "2", "3", "4"], str(settings.count)) if lora or style else None
        is_trained = lora is not None and lora.provider is ProviderName.APIFRAME
        if is_trained:
            field.max_length = ABILITIES[Kind.TRAINED].prompt_max
            field.default = field.default and field.default[: field.max_length]
        aspects = list(ASPECTS) if is_trained or uploads else [*ASPECTS, WIDEST]
        self.aspect = None if settings.width else self._add_choice("aspect", aspects, settings.aspect or "1:1")

    async def submit(self, interaction: Interaction) -> None:
        if self.author_id is None:
            await self._place(interaction)
            return
        actor, channel = actor_of(interaction), channel_of(interaction)
        asked = await interaction.client.services.requests.for_pictures(
            self.prompt.value, self._settings(), self.uploads, self.author_id, actor, channel
        )
        await say_asked(interaction, asked)

    async def _place(self, interaction: Interaction) -> None:
        services, actor, channel = interaction.client.services, actor_of(interaction), channel_of(interaction)
        prompt, settings = self.prompt.value, self._settings()
        if self.origin_id is not None:
            varied = services.generations.vary(self.origin_id, prompt, actor, channel=channel, settings=settings)
            await place(interaction, varied)
        elif self.lora is None and self.style is None:
            partial = PartialOrder(prompt, frozenset({"aspect"}), settings=settings, uploads=self.uploads)
            await place_partial(interaction, partial)
        else:
            lora_id = self.lora.id if self.lora is not None else None
            style_id = self.style.id if self.style is not None else None
            order = PictureOrder(prompt, settings, lora_id, style_id)
            await place(interaction, services.orders.accept(order, actor, channel))

    def _settings(self) -> GenerationSettings:
        settings = self.settings
        if self.count is not None and self.count.values:
            settings = replace(settings, count=int(self.count.values[0]))
        if self.aspect is not None and self.aspect.values:
            settings = replace(settings, aspect=self.aspect.values[0])
        return settings

    def _add_choice(self, setting: str, values: list[str], chosen: str) -> "discord.ui.Select[PromptModal]":
        select: discord.ui.Select[PromptModal] = discord.ui.Select(
            required=False,
            min_values=0,
            options=[discord.SelectOption(label=value, default=value == chosen) for value in values],
        )
        self.add_field(capitalised(OPTIONS[setting]), select)
        return select


async def place_partial(interaction: Interaction, partial: PartialOrder) -> None:
    """Order it; what would be as last time, and that is a while ago, is said and asked about before."""
    orders, actor = interaction.client.services.orders, actor_of(interaction)
    recalled = await orders.recall(partial, actor)
    if recalled is None:
        await place(interaction, orders.order_with_defaults(partial, actor, channel_of(interaction)))
        return

    def ordering(chosen: PartialOrder) -> Pressed:
        async def order(answered: Interaction) -> None:
            await answered.client.check_command(answered, "imagine")
            ordered = orders.order_with_defaults(chosen, actor_of(answered), channel_of(answered))
            await show(answered, accepted_card(await ordered, is_admin=is_admin(answered)))

        return order

    words = _words(recalled.names, recalled.settings, recalled.lora, recalled.style)
    question = f"Last time, {ago(recalled.used_at)}, you used {', '.join(words)}. The same again?"
    others = {"Start from the defaults": ordering(without_last_time(partial))}
    view = ConfirmView("The same again", ordering(partial), style=discord.ButtonStyle.success, others=others)
    await ask(interaction, question, view)


async def place(interaction: Interaction, order: Coroutine[Any, Any, Accepted]) -> None:
    """Wait for the order to be stored, then answer; acknowledge first when that takes longer."""
    task = asyncio.create_task(order)
    try:
        done, _ = await asyncio.wait({task}, timeout=ANSWERED_AT_ONCE_S)
        if not done:
            await defer(interaction)
        accepted = await task
    finally:
        task.cancel()
    await show(interaction, accepted_card(accepted, is_admin=is_admin(interaction)))


def accepted_card(accepted: Accepted, *, is_admin: bool) -> discord.ui.LayoutView:
    generation = accepted.generation
    things = [quote(thing.name, 40) for thing in (accepted.lora, accepted.style) if thing is not None]
    using = f" with {' and '.join(things)}" if things else ""
    lines = [
        f"**Accepted #{generation.id} · pictures**: {count(generation.settings.count, 'picture')}{using}. "
        f"{_where(accepted)}",
        _money(accepted, is_admin=is_admin),
    ]
    buttons = []
    if accepted.is_secret:
        buttons.append(ActionButton("job", "show", generation.id, label="Show it to me"))
    if generation.status is GenerationStatus.QUEUED:
        buttons.append(ActionButton("order", "cancel", generation.id, label="Cancel"))
    if accepted.taken_over:
        words = _words(accepted.taken_over, generation.settings, accepted.lora, accepted.style)
        lines.append(f"-# As last time: {', '.join(words)}")
        buttons.append(ActionButton("order", "reset", generation.id, label="Reset my settings"))
    return card("\n".join(lines), colour=discord.Colour.green(), buttons=buttons)


def _where(accepted: Accepted) -> str:
    if accepted.is_secret:
        return COMES_TO_YOU
    return f"{'Sent to you privately' if accepted.is_private else 'Posted here'}, {SOON}"


def _money(accepted: Accepted, *, is_admin: bool) -> str:
    """The server's balance is shown to its admins only."""
    estimate, provider = accepted.generation.estimate, accepted.generation.provider
    cost = "cost not known just now" if estimate is None else f"cost {count(estimate, 'credit')}"
    balance = f" · balance {accepted.balance}" if is_admin and accepted.balance is not None else ""
    return f"-# {provider.label}: {cost}{balance}"


def _words(
    taken_over: Sequence[str], settings: GenerationSettings, lora: Lora | None, style: Style | None
) -> list[str]:
    """What was taken over, each as a member would say it."""
    words = {
        "lora": quote(lora.name, 40) if lora is not None else "",
        "style": quote(style.name, 40) if style is not None else "",
        "count": count(settings.count, "picture"),
        "width": f"{settings.width} × {settings.height}",
        "negative": say_setting("negative", cite(settings.negative or "", 40)),
    }
    names = [name for name in taken_over if name != "height"]
    return [words.get(name) or say_setting(name, getattr(settings, name)) for name in names]


def _title(lora: Lora | None, style: Style | None) -> str:
    if lora is not None:
        return f"A picture of {lora.name}"[:45]
    return f"A picture in the style {style.name}"[:45] if style is not None else "Imagine a picture"


def _hint(lora: Lora | None, style: Style | None) -> str:
    if style is None:
        named = lora is not None and lora.trigger_word is not None
        return f"What should be in the picture?{' The trigger word is put in by itself.' if named else ''}"
    defaults = (("guidance", style.guidance), ("steps", style.steps), ("denoise", style.denoise))
    own = ", ".join(say_setting(name, value) for name, value in defaults if value is not None)
    return f"What should be in the picture? The style draws with {own}."[:100] if own else "What should be in it?"
