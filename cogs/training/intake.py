"""What becomes of photos that a member sends: their consent, and the board that answers them."""

from collections.abc import Sequence

import discord

from bot.datasets.rules import Board, consent_sentence, kept_for
from bot.records.dataset import Dataset, DatasetStatus, Upload
from bot.records.post import PostKind
from bot.text import quote
from cogs.requests.authors import say_asked
from cogs.training.board import board_card
from cogs.ui.choices import Pressed
from cogs.ui.layout import SHEET_FILE
from cogs.ui.replies import Interaction, actor_of, channel_of, is_admin, show
from cogs.ui.views import ConfirmView


async def take_photos(
    interaction: Interaction,
    dataset: Dataset,
    uploads: Sequence[Upload],
    *,
    agreed: bool,
    author_id: int | None = None,
) -> None:
    """With consent: download, check, show the board. Without: nothing is downloaded, and it is asked once more.

    Photos of somebody else (`author_id`) wait for their yes.
    """
    if uploads and not agreed:

        async def agree(answered: Interaction) -> None:
            await take_photos(answered, dataset, uploads, agreed=True, author_id=author_id)

        kept = kept_for(dataset, interaction.client.services.timings)
        await ask_consent(interaction, consent_sentence(dataset.subject_kind, kept), agree)
        return
    if author_id is not None:
        actor, channel = actor_of(interaction), channel_of(interaction)
        requests = interaction.client.services.requests
        await say_asked(interaction, await requests.for_dataset(dataset.id, uploads, author_id, actor, channel))
        return
    service = interaction.client.services.datasets
    async with service.queue(interaction.user.id):
        if uploads:
            await service.take_in(dataset, uploads)
        board = await service.board(dataset.id, guild_id=dataset.guild_id, user_id=interaction.user.id)
        await show_board(interaction, board)


async def ask_consent(interaction: Interaction, sentence: str, agreed: Pressed) -> None:
    """The box was not ticked: ask once more; the uploads are kept as links, so that nothing has to be sent again."""
    await interaction.followup.send(
        f"Nothing has been downloaded yet. Please confirm first:\n> {sentence}",
        view=ConfirmView("I agree, add my photos", agreed, style=discord.ButtonStyle.success),
        ephemeral=True,
    )


def which_is_filled(shown: Dataset, opened: Sequence[Dataset]) -> list[str]:
    """Which dataset `/dataset add` fills, where several are `opened`, newest first."""
    others = [quote(each.name, 40) for each in opened if each.id != shown.id]
    if shown.status is not DatasetStatus.OPEN or not others:
        return []
    if opened[0].id == shown.id:
        are = "is" if len(others) == 1 else "are"
        return [f"`/dataset add` fills this one, your newest; {' and '.join(others)} {are} open, too."]
    return [f"`/dataset add` fills {quote(opened[0].name, 40)}, your newest; this one takes more by **Add photos**."]


async def show_board(interaction: Interaction, board: Board) -> None:
    """Fill the answer of this interaction with the board."""
    services = interaction.client.services
    sheet = await services.datasets.sheet(board.photos)
    funds = await services.keys.funds(board.dataset.guild_id, board.dataset.subject_kind.provider)
    dataset = board.dataset
    opened = await services.datasets.all_open(guild_id=dataset.guild_id, user_id=dataset.user_id)
    notes = [*await services.questions.notes(PostKind.DEPICTION, board.questions), *which_is_filled(dataset, opened)]
    card = board_card(
        board,
        funds,
        services.timings,
        is_admin=is_admin(interaction),
        has_sheet=sheet is not None,
        notes=notes,
    )
    files = [] if sheet is None else [(SHEET_FILE, sheet)]
    await show(interaction, card, files)
