"""Naming members who are seen in the photos of a dataset."""

from collections.abc import Sequence

from bot.datasets.rules import Board
from cogs.training.intake import show_board
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import MemberChoice
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, defer, guild_of

HOW = (
    "Please choose everyone but yourself who can be recognised. Each of them is shown the photos privately and asked. "
    "The photos are not sent before they say yes; a no deletes them."
)


def naming_card(board: Board) -> SafeLayout:
    """A select of members; those who are chosen are asked about all photos here, and the board is shown again."""

    async def name(interaction: Interaction, user_ids: Sequence[int]) -> None:
        await defer(interaction, thinking=False)
        named = await interaction.client.services.datasets.name(
            board.dataset.id, user_ids, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        await show_board(interaction, named)

    view = SafeLayout(seconds=PANEL_SECONDS)
    view.add_text(f"### Who can be seen in these photos?\n{HOW}")
    view.add_row(MemberChoice("Members in these photos", [], name))
    view.add_row(ActionButton("set", "show", board.dataset.id, label="Back"))
    return view
