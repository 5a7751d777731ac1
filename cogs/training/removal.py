"""Choosing photos to take out of a dataset."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.datasets.rules import Board
from bot.records.dataset import Photo
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import Interaction, defer, guild_of

ShowBoard = Callable[[Interaction, Board], Awaitable[None]]

OPTIONS_MAX = 25
"""Options of one select (Discord /docs/components/reference)."""
CHOOSE_SECONDS = 600


class PhotoSelect(discord.ui.Select["RemovalView"]):
    def __init__(self, dataset_id: int, photos: list[tuple[int, Photo]], show_board: ShowBoard) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder=f"Photos {photos[0][0]} to {photos[-1][0]}",
            min_values=1,
            max_values=len(photos),
            options=[
                discord.SelectOption(
                    label=f"{number}. {photo.name}"[:100], value=str(photo.id), description=photo.verdict.value
                )
                for number, photo in photos
            ],
        )
        self.dataset_id, self.show_board = dataset_id, show_board

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        board = await interaction.client.services.datasets.remove(
            self.dataset_id,
            [int(value) for value in self.values],
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
        )
        await self.show_board(interaction, board)


class RemovalView(discord.ui.LayoutView):
    """Lives for ten minutes on a private message, so only its owner can see it."""

    def __init__(self, board: Board, show_board: ShowBoard) -> None:
        super().__init__(timeout=CHOOSE_SECONDS)
        box: discord.ui.Container[RemovalView] = discord.ui.Container()
        box.add_item(discord.ui.TextDisplay("### Which photos should go?\nThey are deleted at once."))
        numbered = list(enumerate(board.photos, start=1))
        for start in range(0, len(numbered), OPTIONS_MAX):
            row: discord.ui.ActionRow[RemovalView] = discord.ui.ActionRow()
            row.add_item(PhotoSelect(board.dataset.id, numbered[start : start + OPTIONS_MAX], show_board))
            box.add_item(row)
        back: discord.ui.ActionRow[RemovalView] = discord.ui.ActionRow()
        back.add_item(ActionButton("set", "show", board.dataset.id, label="Back"))
        box.add_item(back)
        self.add_item(box)

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[DarkroomBot], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.error_door(interaction, error)
