"""Bases of forms and of questions with buttons; their errors go to the bot's `show_error`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import discord

from bot.client import fleeting_id
from cogs.ui.choices import FleetingButton, Pressed, check_offered
from cogs.ui.replies import FOR_EVERYBODY, Interaction, defer

FORM_SECONDS = 3600
QUESTION_SECONDS = 600
TITLE_MAX = 45
"""Discord /docs/interactions/receiving-and-responding, modal."""

Field = TypeVar("Field", bound=discord.ui.Item[Any])


class SafeModal(discord.ui.Modal, ABC):
    """A form that a subclass fills with fields and whose answers it takes in `submit`.

    It is acknowledged before anything is read, and `submit` is for members only who may send it. `command` is the one
    that it stands for: who lost the right to use it meanwhile cannot send the form. `thinking`: whether the answer is
    a private message of its own; False where it changes the card below which the form was opened.
    """

    command: ClassVar[str | None] = None
    thinking: ClassVar[bool] = True

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:TITLE_MAX], timeout=FORM_SECONDS, custom_id=fleeting_id())

    def add_field(self, text: str, field: Field, description: str | None = None) -> Field:
        self.add_item(discord.ui.Label(text=text, description=description, component=field))
        return field

    @abstractmethod
    async def submit(self, interaction: Interaction) -> None:
        """Take the answers and answer the member; what it raises goes to the error door."""

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        queue = interaction.client.services.datasets.queue
        with queue.arriving():
            await defer(interaction, thinking=self.thinking)
        await queue.let_in()
        await interaction.client.admit(interaction)
        if self.command is not None:
            await interaction.client.check_command(interaction, self.command)
        for item in self.walk_children():
            if isinstance(item, discord.ui.Select):
                check_offered(item)
        await self.submit(interaction)

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:  # type: ignore[override]
        await interaction.client.show_error(interaction, error)


def paragraph(**options: Any) -> discord.ui.TextInput[Any]:
    """A field of several lines."""
    return discord.ui.TextInput(style=discord.TextStyle.paragraph, **options)


class SafeView(discord.ui.View):
    """Buttons for a few minutes below a private message; what they act on is in this object only.

    `for_everybody`: a blocked member may press them, too.
    """

    def __init__(self, *buttons: FleetingButton, seconds: int = QUESTION_SECONDS, for_everybody: bool = False) -> None:
        super().__init__(timeout=seconds)
        self.for_everybody = for_everybody
        for button in buttons:
            self.add_item(button)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        if self.for_everybody:
            interaction.extras[FOR_EVERYBODY] = True
        await interaction.client.admit(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.show_error(interaction, error)


class ConfirmView(SafeView):
    """A button that works once: for what cannot be undone. `others`: further ways, of which one can be chosen."""

    def __init__(
        self,
        label: str,
        confirmed: Pressed,
        *,
        style: discord.ButtonStyle = discord.ButtonStyle.danger,
        for_everybody: bool = False,
        others: Mapping[str, Pressed] = MappingProxyType({}),
    ) -> None:
        ways = {label: confirmed, **others}
        buttons = [FleetingButton(each, self._once(pressed), style=style) for each, pressed in ways.items()]
        super().__init__(*buttons, for_everybody=for_everybody)

    def _once(self, confirmed: Pressed) -> Pressed:
        async def confirm(interaction: Interaction) -> None:
            await defer(interaction)
            self.stop()
            await confirmed(interaction)

        return confirm
