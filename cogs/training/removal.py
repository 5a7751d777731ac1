"""Choosing photos to take out of a dataset."""

from collections.abc import Sequence

from bot.datasets.rules import Board
from cogs.training.intake import show_board
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import photo_choices
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, defer, guild_of


def removal_card(board: Board) -> SafeLayout:
    """Selects with every photo; what is chosen is deleted, and the board is shown again."""

    async def remove(interaction: Interaction, values: Sequence[str]) -> None:
        await defer(interaction, thinking=False)
        left = await interaction.client.services.datasets.remove(
            board.dataset.id,
            [int(value) for value in values],
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
        )
        await show_board(interaction, left)

    view = SafeLayout(seconds=PANEL_SECONDS)
    view.add_text("### Which photos should go?\nThey are deleted at once.")
    for select in photo_choices("Photos {} to {}", board.photos, remove):
        view.add_row(select)
    view.add_row(ActionButton("set", "show", board.dataset.id, label="Back"))
    return view
