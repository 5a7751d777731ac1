"""Buttons that outlive restarts: everything a press needs is in the custom id."""

import re
from typing import Any, Self

import discord

from bot.client import Press
from bot.errors import UserError

UNKNOWN = "This button is from another version of the bot. `/jobs` shows where everything is."


PRESSES: dict[tuple[str, str], Press] = {}
"""Of the areas that have no table at the bot yet."""


def on_press(area: str, action: str, handler: Press) -> None:
    PRESSES[(area, action)] = handler


class ActionButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"dr:(?P<area>[a-z]+):(?P<action>[a-z]+):(?P<id>\d{1,18})",
):
    """Its custom id names the area and action of a table of `DarkroomBot.buttons` and a row.

    The bot registers this class once, for the buttons of all areas.
    """

    def __init__(
        self,
        area: str,
        action: str,
        row_id: int,
        *,
        label: str = "",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        disabled: bool = False,
    ) -> None:
        self.area, self.action, self.row_id = area, action, row_id
        custom_id = f"dr:{area}:{action}:{row_id}"
        super().__init__(discord.ui.Button(label=label or action, style=style, disabled=disabled, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["area"], match["action"], int(match["id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            table = interaction.client.buttons.get(self.area, {})
            press = table.get(self.action) or PRESSES.get((self.area, self.action))
            if press is None:
                raise UserError(UNKNOWN)
            await press(interaction, self.row_id)
        except Exception as error:  # noqa: BLE001 - the error door answers and logs
            await interaction.client.error_door(interaction, error)
