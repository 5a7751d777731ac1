"""Making a picture for an event, and choosing the one that takes part in the vote."""

from collections.abc import Sequence

import discord

from bot.errors import UserError
from bot.events.budget import channel_of
from bot.events.loras import may_use
from bot.generation.order import Accepted, PictureOrder
from bot.pictures.service import PictureSet
from bot.records.event import Event, EventMode
from bot.records.generation import Picture
from bot.records.guild import Actor
from bot.records.lora import Lora, Style
from cogs.events.texts import event_name
from cogs.generation.forms import PROMPT_MAX, accepted_card
from cogs.pictures.cards import alt_text
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout, Text
from cogs.ui.replies import File, Interaction, actor_of, is_admin, show
from cogs.ui.views import SafeModal, paragraph
from cogs.ui.words import count

OPTIONS_MAX = 25
"""Options of one select (Discord /docs/components/reference)."""
CHOICES_SHOWN = 10
"""Files of one message (Discord /docs/resources/message)."""
COPY_BYTES = 900_000
NOTHING_TO_USE = "There is no LoRA for you in this event that can be used just now."
NOTHING_TO_ENTER = "You have no finished picture for this event yet. Press **Make a picture** first."


async def usable_things(interaction: Interaction, event: Event) -> list[Lora | Style]:
    """What this member can make pictures with in the event; UserError when there is nothing."""
    services, actor = interaction.client.services, actor_of(interaction)
    view = await services.events.view(event.id)
    own = [lora for lora in view.loras if may_use(event, lora, actor)] if view is not None else []
    found: list[Lora | Style] = [lora for lora in own if lora.archived_at is None and lora.retiring_since is None]
    if event.mode is EventMode.CLUB:
        loras = [await services.loras.get(lora_id) for lora_id in event.lora_ids]
        styles = [each for each in await services.styles.of_guild(actor) if each.id in event.style_ids]
        found = [lora for lora in loras if lora is not None and lora.archived_at is None]
        found += [style for style in styles if style.retired_at is None]
    if not found:
        raise UserError(NOTHING_TO_USE)
    return found[:OPTIONS_MAX]


class MakeForm(SafeModal):
    """The prompt, and with what when there is a choice."""

    def __init__(self, event: Event, things: Sequence[Lora | Style]) -> None:
        super().__init__("Make a picture for the event")
        self.event, self.things = event, things
        description = "What should be in the picture? A trigger word is put in for you."
        self.prompt = self.add_field("Prompt", paragraph(min_length=1, max_length=PROMPT_MAX), description)
        self.choice: discord.ui.Select[SafeModal] | None = None
        if len(things) > 1:
            options = [
                discord.SelectOption(label=_label(thing), value=str(index), default=index == 0)
                for index, thing in enumerate(things)
            ]
            self.choice = discord.ui.Select(options=options)
            self.add_field("With", self.choice)

    async def submit(self, interaction: Interaction) -> None:
        answer = accepted_card(await self._order(interaction), is_admin=is_admin(interaction))
        left = await interaction.client.services.budgets.orders_left(self.event, interaction.user.id)
        answer.add_item(Text(f"-# {left} of {count(self.event.pictures_each, 'picture')} left for you in this event"))
        await show(interaction, answer)

    async def _order(self, interaction: Interaction) -> Accepted:
        thing = self.things[int(self.choice.values[0]) if self.choice is not None else 0]
        order = PictureOrder(
            self.prompt.value,
            lora_id=thing.id if isinstance(thing, Lora) else None,
            style_id=thing.id if isinstance(thing, Style) else None,
            event_id=self.event.id,
        )
        budgets = interaction.client.services.budgets
        return await budgets.order(self.event, order, actor_of(interaction), channel_of(self.event))


def _label(thing: Lora | Style) -> str:
    kind = "LoRA" if isinstance(thing, Lora) else "style"
    return f"{thing.name} ({kind})"[:100]


def enter_card(event: Event, pictures: Sequence[tuple[PictureSet, Picture, str]], *, more: int) -> Layout:
    """The member's own pictures with a button each; `more` older ones are not shown."""
    view = SafeLayout(discord.Colour.blurple())
    older = f" {count(more, 'older picture')}: press **Enter in event** below those." if more else ""
    question = f"### Which picture takes part in {event_name(event)}?\nYou can change it until the vote begins.{older}"
    view.add_text(f"{question}\n-# AI-generated pictures")
    view.add_gallery([(name, alt_text(found, picture.position)) for found, picture, name in pictures])
    view.add_rows(
        [
            ActionButton("entry", "enter", picture.id, label=f"{number}. {picture_name(found, picture)}")
            for number, (found, picture, _) in enumerate(pictures, start=1)
        ]
    )
    return view


def picture_name(found: PictureSet, picture: Picture) -> str:
    which = f", picture {picture.position}" if len(found.view.pictures) > 1 else ""
    return f"#{found.generation.id}{which}"


async def show_choice(interaction: Interaction, event: Event, actor: Actor, generation_id: int | None = None) -> None:
    """The pictures that can be entered, newest first; of one order only when `generation_id` is given."""
    services = interaction.client.services
    nominees = await services.ballots.nominees(event.id, actor)
    nominees = [each for each in nominees if generation_id is None or each.generation_id == generation_id]
    if not nominees:
        raise UserError(NOTHING_TO_ENTER)
    shown: list[tuple[PictureSet, Picture, str]] = []
    files: list[File] = []
    for picture in nominees[:CHOICES_SHOWN]:
        found = await services.pictures.find_by_picture(picture.id)
        path = None if found is None else found[0].view.file_of(picture.position)
        if found is None or path is None:
            continue
        name = f"choice-{picture.id}.jpg"
        shown.append((*found, name))
        files.append((name, await services.pool.smaller_copy(path, COPY_BYTES)))
    if not shown:
        raise UserError(NOTHING_TO_ENTER)
    await show(interaction, enter_card(event, shown, more=len(nominees) - len(shown)), files)
