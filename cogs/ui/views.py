"""Buttons that outlive restarts, and bases for views whose errors reach the error door."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.errors import UserError
from cogs.ui.replies import Interaction

Press = Callable[[Interaction, int], Awaitable[None]]

_PRESSES: dict[tuple[str, str], Press] = {}


def on_press(area: str, action: str, handler: Press) -> None:
    """Tell what happens when a button of this area and action is pressed; the handler checks who pressed it."""
    _PRESSES[(area, action)] = handler


class ActionButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"dr:(?P<area>[a-z]+):(?P<action>[a-z]+):(?P<id>\d{1,18})"
):
    """A button whose custom id says what it does to which row, so it works after any restart."""

    def __init__(
        self,
        area: str,
        action: str,
        row_id: int,
        *,
        label: str = "",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        emoji: str | None = None,
        disabled: bool = False,
    ) -> None:
        self.area, self.action, self.row_id = area, action, row_id
        super().__init__(
            discord.ui.Button(
                label=label or action,
                style=style,
                emoji=emoji,
                disabled=disabled,
                custom_id=f"dr:{area}:{action}:{row_id}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["area"], match["action"], int(match["id"]))

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> None:  # type: ignore[override]
        try:
            press = _PRESSES.get((self.area, self.action))
            if press is None:
                raise UserError("This button is from another version of the bot. `/jobs` shows where everything is.")
            await press(interaction, self.row_id)
        except Exception as error:  # noqa: BLE001 - the error door answers and logs
            await interaction.client.error_door(interaction, error)


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
