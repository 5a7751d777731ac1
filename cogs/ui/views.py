"""Bases for views and forms whose errors reach the error door."""

from typing import Any, TypeVar

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.errors import UserError
from cogs.ui.replies import Interaction


def check_offered(select: discord.ui.Select[Any]) -> None:
    """UserError for a value that is not in the list: an app of somebody's own may send any."""
    if not {option.value for option in select.options}.issuperset(select.values):
        raise UserError("That is not on the list. Please open it again and choose something from it.")


FORM_SECONDS = 3600
TITLE_MAX = 45
"""Discord /docs/interactions/receiving-and-responding, modal."""

Field = TypeVar("Field", bound=discord.ui.Item[Any])


class SafeModal(discord.ui.Modal):
    """A form that a subclass fills with fields and whose answers it takes in `submit`."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:TITLE_MAX], timeout=FORM_SECONDS, custom_id=fleeting_id())

    def add_field(self, text: str, field: Field, description: str | None = None) -> Field:
        self.add_item(discord.ui.Label(text=text, description=description, component=field))
        return field

    async def submit(self, interaction: Interaction) -> None:
        raise NotImplementedError

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await self.submit(interaction)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        for item in self.walk_children():
            if isinstance(item, discord.ui.Select):
                check_offered(item)
        return True

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:  # type: ignore[override]
        await interaction.client.error_door(interaction, error)


class SafeView(discord.ui.View):
    """Buttons for a few minutes on a private message; what they act on is in this object only."""

    def __init__(self, *, seconds: int) -> None:
        super().__init__(timeout=seconds)
        for item in self.children:
            if isinstance(item, discord.ui.Button):
                item.custom_id = fleeting_id()

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[DarkroomBot], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.error_door(interaction, error)
