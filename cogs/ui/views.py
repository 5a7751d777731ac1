"""Bases for views and forms whose errors reach the error door."""

from typing import Any

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.errors import UserError


def check_offered(select: discord.ui.Select[Any]) -> None:
    """UserError for a value that is not in the list: an app of somebody's own may send any."""
    if not {option.value for option in select.options}.issuperset(select.values):
        raise UserError("That is not on the list. Please open it again and choose something from it.")


class SafeModal(discord.ui.Modal):
    def __init__(self, *, title: str, seconds: int) -> None:
        super().__init__(title=title, timeout=seconds, custom_id=fleeting_id())

    async def interaction_check(self, interaction: discord.Interaction[DarkroomBot], /) -> bool:  # type: ignore[override]
        for item in self.walk_children():
            if isinstance(item, discord.ui.Select):
                check_offered(item)
        return True

    async def on_error(self, interaction: discord.Interaction[DarkroomBot], error: Exception, /) -> None:  # type: ignore[override]
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
