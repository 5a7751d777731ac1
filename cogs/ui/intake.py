"""Taking photos from Discord: the two modals, the consent, and the board that answers them."""

import io
from collections.abc import Sequence
from dataclasses import replace

import discord

from bot.boards import CONSENT_SENTENCE, Board, DatasetOrder, Upload
from bot.client import DarkroomBot
from bot.errors import UserError
from bot.models import Dataset, ProviderName, SubjectKind
from cogs.ui.boards import SHEET_FILE, board_card
from cogs.ui.replies import Interaction, channel_of, defer, guild_of, show
from cogs.ui.views import SafeModal, SafeView

UPLOADS = 3
FILES_EACH = 10
"""Files one upload field takes (Discord /docs/components/reference); three fields make 30 photos."""
CONSENT_LABEL = "Everyone in the photos agrees and is 18+"
CONSENT_SECONDS = 600
FORM_SECONDS = 3600
SUBJECT_WORDS = {
    SubjectKind.PERSON: "a person",
    SubjectKind.OBJECT: "a pet, object or place",
    SubjectKind.STYLE: "a style",
}


def _upload_fields(required: int) -> list[discord.ui.FileUpload[SafeModal]]:
    """Three fields of ten; `required`: how many of them must not stay empty."""
    return [
        discord.ui.FileUpload(required=index < required, min_values=int(index < required), max_values=FILES_EACH)
        for index in range(UPLOADS)
    ]


def _consent_label(box: discord.ui.Checkbox[SafeModal], provider: ProviderName) -> discord.ui.Label[SafeModal]:
    return discord.ui.Label(
        text=CONSENT_LABEL,
        description=f"They are of me or taken with permission, and may be sent to {provider.label} for training.",
        component=box,
    )


class TrainModal(SafeModal):
    """Name, up to 30 photos in three uploads, consent."""

    def __init__(self, bot: DarkroomBot, order: DatasetOrder, provider: ProviderName) -> None:
        super().__init__(bot, title=f"Train a LoRA of {SUBJECT_WORDS[order.subject_kind]}", seconds=FORM_SECONDS)
        self.order, self.provider = order, provider
        self.name: discord.ui.TextInput[SafeModal] = discord.ui.TextInput(
            placeholder="Rex", min_length=1, max_length=40
        )
        self.uploads = _upload_fields(required=0)
        self.consent: discord.ui.Checkbox[SafeModal] = discord.ui.Checkbox(default=False)
        self.add_item(discord.ui.Label(text="Name", description="How you will find it again.", component=self.name))
        for number, upload in enumerate(self.uploads):
            text = "Photos" if number == 0 else f"More photos ({number + 1})"
            self.add_item(
                discord.ui.Label(text=text, description="Up to 10 here: JPEG, PNG, WebP or HEIC.", component=upload)
            )
        self.add_item(_consent_label(self.consent, provider))

    async def on_submit(self, interaction: Interaction, /) -> None:  # type: ignore[override]
        dataset = await interaction.client.services.datasets.create(
            replace(self.order, name=self.name.value),
            guild_id=guild_of(interaction),
            channel_id=channel_of(interaction).id,
            user_id=interaction.user.id,
        )
        await defer(interaction)
        await take_photos(interaction, dataset, _files(self.uploads), self.provider, agreed=self.consent.value)


class PhotosModal(SafeModal):
    """More photos for a dataset that exists; with `uploads` given (a message's photos) it asks for consent only."""

    def __init__(
        self, bot: DarkroomBot, dataset_id: int, provider: ProviderName, uploads: Sequence[Upload] = ()
    ) -> None:
        super().__init__(bot, title="Add photos", seconds=FORM_SECONDS)
        self.dataset_id, self.provider, self.given = dataset_id, provider, uploads
        self.uploads = [] if uploads else _upload_fields(required=1)
        self.consent: discord.ui.Checkbox[SafeModal] = discord.ui.Checkbox(default=False)
        for number, upload in enumerate(self.uploads):
            text = "Photos" if number == 0 else f"More photos ({number + 1})"
            self.add_item(
                discord.ui.Label(text=text, description="Up to 10 here: JPEG, PNG, WebP or HEIC.", component=upload)
            )
        self.add_item(_consent_label(self.consent, provider))

    async def on_submit(self, interaction: Interaction, /) -> None:  # type: ignore[override]
        await defer(interaction)
        board = await interaction.client.services.datasets.board(
            self.dataset_id, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        uploads = self.given or _files(self.uploads)
        await take_photos(interaction, board.dataset, uploads, self.provider, agreed=self.consent.value)


class ConsentView(SafeView):
    """The box was not ticked: ask once more, and keep the uploads so that nothing has to be sent again."""

    def __init__(self, bot: DarkroomBot, dataset: Dataset, uploads: Sequence[Upload], provider: ProviderName) -> None:
        super().__init__(bot, seconds=CONSENT_SECONDS)
        self.dataset, self.uploads, self.provider = dataset, uploads, provider

    @discord.ui.button(label="I agree, add my photos", style=discord.ButtonStyle.success)
    async def agree(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["ConsentView"]
    ) -> None:
        await defer(interaction)
        self.stop()
        await take_photos(interaction, self.dataset, self.uploads, self.provider, agreed=True)


async def take_photos(
    interaction: Interaction, dataset: Dataset, uploads: Sequence[Upload], provider: ProviderName, *, agreed: bool
) -> None:
    """With consent: download, check, show the board. Without: nothing is downloaded."""
    if uploads and not agreed:
        sentence = CONSENT_SENTENCE.format(provider=provider.label)
        await interaction.followup.send(
            f"Nothing has been downloaded yet. Please confirm first:\n> {sentence}",
            view=ConsentView(interaction.client, dataset, uploads, provider),
            ephemeral=True,
        )
        return
    service = interaction.client.services.datasets
    async with service.turns:
        if uploads:
            await service.take_in(dataset, uploads, provider=provider)
        board = await service.board(dataset.id, guild_id=dataset.guild_id, user_id=interaction.user.id)
        await show_board(interaction, board, provider)


async def show_board(interaction: Interaction, board: Board, provider: ProviderName = ProviderName.APIFRAME) -> None:
    """Fill the answer of this interaction with the board."""
    services = interaction.client.services
    sheet = await services.datasets.sheet(board)
    funds = await services.keys.funds(board.dataset.guild_id, provider)
    card = board_card(board, provider, funds, has_sheet=sheet is not None)
    files = [] if sheet is None else [discord.File(io.BytesIO(sheet), filename=SHEET_FILE)]
    await show(interaction, card, files)


def uploads_of(attachments: Sequence[discord.Attachment]) -> list[Upload]:
    if not attachments:
        raise UserError("There are no photos in this. Pick a message with photos, or use `/dataset add`.")
    return [
        Upload(attachment.title or attachment.filename, attachment.url, attachment.size) for attachment in attachments
    ]


def _files(fields: Sequence[discord.ui.FileUpload[SafeModal]]) -> list[Upload]:
    attachments = [attachment for field in fields for attachment in field.values]
    return uploads_of(attachments) if attachments else []
