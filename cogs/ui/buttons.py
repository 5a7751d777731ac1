"""Buttons that outlive restarts: everything a press needs is in the custom id."""

import re
from collections.abc import Mapping
from typing import Any, Self

import discord

from bot.client import Press
from bot.errors import UserError
from cogs.ui.replies import FOR_EVERYBODY, Interaction, defer

UNKNOWN = "This button is from another version of the bot. `/jobs` shows where everything is."
RIGHTS_OF_EVERYBODY = frozenset(
    {
        *(("claim", action) for action in ("lora", "set")),
        *(("me", action) for action in ("show", "mute", "unmute", "private", "public", "quiet", "loud", "news")),
        *((area, answer) for area in ("depict", "ask") for answer in ("yes", "no")),
        ("event", "seen"),
        ("pic", "more"),
        *(("gallery", action) for action in ("show", "back")),
    }
)
"""Buttons that a blocked member may press, too: what is made of their own photos and face stays theirs to decide."""
WORDS_MAX = 40
"""A custom id takes 100 characters (Discord /docs/components/reference)."""


class ActionButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=rf"dr:(?P<area>[a-z]+):(?P<action>[a-z]+):(?P<id>\d{{1,18}})(?::(?P<words>.{{0,{WORDS_MAX}}}))?",
):
    """Its custom id names the area and action of a table of `DarkroomBot.buttons`, a row, and words if some are given.

    The bot registers this class once, for the buttons of all areas.
    """

    def __init__(
        self,
        area: str,
        action: str,
        row_id: int,
        *,
        words: str | None = None,
        label: str = "",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        disabled: bool = False,
    ) -> None:
        self.area, self.action, self.row_id = area, action, row_id
        custom_id = f"dr:{area}:{action}:{row_id}" + ("" if words is None else f":{words}")
        super().__init__(discord.ui.Button(label=label or action, style=style, disabled=disabled, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["area"], match["action"], int(match["id"]), words=match["words"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            if (self.area, self.action) in RIGHTS_OF_EVERYBODY:
                interaction.extras[FOR_EVERYBODY] = True
            await interaction.client.admit(interaction)
            table = interaction.client.buttons.get(self.area)
            if table is None or self.action not in table:
                raise UserError(UNKNOWN)
            await table[self.action](interaction, self.row_id)
        except Exception as error:  # noqa: BLE001 - the error door answers and logs
            await interaction.client.show_error(interaction, error)


def after_defer(answer: Press, *, thinking: bool = True) -> Press:
    """A press that is acknowledged first, then answered."""

    async def press(interaction: Interaction, row_id: int) -> None:
        await defer(interaction, thinking=thinking)
        await answer(interaction, row_id)

    return press


def words_of(interaction: Interaction) -> str:
    """The words in the custom id of the pressed button."""
    data: Mapping[str, Any] = interaction.data or {}
    return ":".join(str(data.get("custom_id", "")).split(":")[4:])
