"""Giving a LoRA of the team an owner: the list, and the form that asks who, how it is called, whether all agreed."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.errors import UserError
from bot.records.lora import NAME_MAX
from bot.text import quote
from bot.training.imports import AGREED, Importable, ImportOrder, TeamLoras
from cogs.loras.cards import KIND_WORDS, name_of
from cogs.ui.choices import OPTIONS_MAX, StringChoice, page_buttons
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, actor_of, open_form, say, show
from cogs.ui.sight import Channel, can_see
from cogs.ui.views import SafeModal
from cogs.ui.words import ago, count

NONE_LEFT = "Your Apiframe team has no LoRA that could be given to somebody. `/train` makes a new one."
LEFT_OUT = "{} of the team cannot be given: somebody has them already, they were removed, or they may show a minor."
ONE_LEFT_OUT = "1 of the team cannot be given: somebody has it already, it was removed, or it may show a minor."
CONSENT_LABEL = "Everyone in it agrees and is 18+"
NOT_A_MEMBER = "A LoRA can be given to a member of this server, not to a bot. Please pick one."


class ImportPanel(SafeLayout):
    """What can be given an owner, as it was when the command was used; each press is checked again."""

    def __init__(self, found: TeamLoras, page: int = 0) -> None:
        super().__init__(discord.Colour.blurple(), seconds=PANEL_SECONDS)
        self.found = found
        self.shown = found.loras[page * OPTIONS_MAX : (page + 1) * OPTIONS_MAX]
        self.add_text(_text(found, self.shown, page))
        if self.shown:
            self.add_row(StringChoice("Choose a LoRA", _options(self.shown), self._chosen, least=1))
        pages = -(-len(found.loras) // OPTIONS_MAX)
        buttons = page_buttons(page, pages, self._turn, back="Newer", on="Older")
        if buttons:
            self.add_row(*buttons)

    async def _chosen(self, interaction: Interaction, values: Sequence[str]) -> None:
        await open_form(interaction, ImportModal(self.shown[int(values[0])]))

    async def _turn(self, interaction: Interaction, page: int) -> None:
        await show(interaction, ImportPanel(self.found, page))


class ImportModal(SafeModal):
    command = "loras"

    def __init__(self, chosen: Importable) -> None:
        super().__init__(f"Give {chosen.name} an owner")
        self.remote_id = chosen.remote_id
        who = discord.ui.UserSelect[Any](min_values=1, max_values=1)
        self.owner = self.add_field("Who should own it", who, "They are told, and can share, hand over or archive it.")
        field = discord.ui.TextInput[Any](default=chosen.name, min_length=1, max_length=NAME_MAX)
        self.name = self.add_field("Name", field, "How it is called here.")
        self.add_item(discord.ui.TextDisplay(AGREED))
        self.consent = self.add_field(CONSENT_LABEL, discord.ui.Checkbox[Any](default=False), "Kept with your name.")

    async def submit(self, interaction: Interaction) -> None:
        owner = self.owner.values[0]
        if owner.bot or not isinstance(owner, discord.Member):
            raise UserError(NOT_A_MEMBER)
        order = ImportOrder(self.remote_id, self.name.value, owner.id, agreed=self.consent.value)
        imports = interaction.client.services.imports
        here = interaction.channel
        is_seen = isinstance(here, Channel | discord.Thread) and can_see(owner, here)
        lora = await imports.give(order, actor_of(interaction), here.id if here is not None and is_seen else None)
        whose = "yours now" if owner.id == interaction.user.id else f"<@{owner.id}>'s now, who is told"
        await say(interaction, f"{name_of(lora)} is {whose}. It cost nothing.")


def _text(found: TeamLoras, shown: Sequence[Importable], page: int) -> str:
    lines = [_line(number, each) for number, each in enumerate(shown, start=page * OPTIONS_MAX + 1)]
    head = f"### LoRAs of your Apiframe team that nobody has here\n{count(len(found.loras), 'LoRA')}, newest first."
    left = [f"-# {ONE_LEFT_OUT if found.left_out == 1 else LEFT_OUT.format(found.left_out)}"] if found.left_out else []
    return "\n".join([head if lines else f"### LoRAs of your Apiframe team\n{NONE_LEFT}", *lines, *left])


def _line(number: int, each: Importable) -> str:
    parts = [quote(each.name, NAME_MAX), KIND_WORDS[each.subject_kind]]
    return f"{number}. " + " · ".join([*parts, *([ago(each.made_at)] if each.made_at is not None else [])])


def _options(shown: Sequence[Importable]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=each.name[:100], value=str(index), description=KIND_WORDS[each.subject_kind])
        for index, each in enumerate(shown)
    ]
