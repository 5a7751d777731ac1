"""Taking photos from Discord: the forms, the consent, and the board that answers them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.datasets.rules import Board, DatasetOrder, consent_sentence, photo_limits
from bot.records.dataset import Dataset, Gender, SubjectKind, Upload
from bot.records.lora import NAME_MAX, Lora
from bot.records.post import PostKind
from cogs.requests.authors import say_asked
from cogs.training.board import board_card
from cogs.ui.choices import Pressed
from cogs.ui.layout import SHEET_FILE, shown_media
from cogs.ui.replies import Interaction, actor_of, channel_of, defer, guild_of, is_admin, show
from cogs.ui.views import ConfirmView, SafeModal
from cogs.ui.words import SUBJECT_WORDS

UPLOADS = 3
FILES_EACH = 10
"""Files one upload field takes (Discord /docs/components/reference); three fields make 30 photos."""
ETHNICITY_MAX = 40
CONSENT_LABEL = "Everyone in the photos agrees and is 18+"
ASKED_AGAIN = "It was deleted with the photos, and the provider needs it again."


def _upload_fields(kind: SubjectKind, *, required: int, most: int = UPLOADS) -> list[discord.ui.FileUpload[SafeModal]]:
    """Upload fields for as many photos as `kind` takes: at most `most`, the first `required` of them mandatory."""
    photos = photo_limits(kind).most
    fields = min(most, -(-photos // FILES_EACH))
    return [
        discord.ui.FileUpload(
            required=index < required, min_values=int(index < required), max_values=min(photos, FILES_EACH)
        )
        for index in range(fields)
    ]


def _consent_label(box: discord.ui.Checkbox[SafeModal], kind: SubjectKind) -> discord.ui.Label[SafeModal]:
    provider = kind.provider.label
    use = f"{provider} gets and keeps them" if kind is SubjectKind.CHARACTER else f"{provider} may train on them"
    return discord.ui.Label(
        text=CONSENT_LABEL, description=f"They are of me or taken with permission; {use}.", component=box
    )


class PhotoForm(SafeModal):
    """Uploads and the consent, below whatever else a form asks."""

    command = "train"

    def __init__(self, *, title: str, kind: SubjectKind) -> None:
        super().__init__(title)
        self.kind = kind
        self.uploads: list[discord.ui.FileUpload[SafeModal]] = []
        self.consent: discord.ui.Checkbox[SafeModal] = discord.ui.Checkbox(default=False)

    def add_photos(self, uploads: list[discord.ui.FileUpload[SafeModal]]) -> None:
        self.uploads = uploads
        for number, upload in enumerate(uploads):
            text = "Photos" if number == 0 else f"More photos ({number + 1})"
            description = f"Up to {upload.max_values} here: JPEG, PNG, WebP or HEIC."
            self.add_field(text, upload, description)
        self.add_item(_consent_label(self.consent, self.kind))

    def files(self) -> list[Upload]:
        attachments = [attachment for field in self.uploads for attachment in field.values]
        return uploads_of(attachments)

    async def begin(self, interaction: Interaction, order: DatasetOrder) -> None:
        """A dataset for this order, with the form's photos."""
        service = interaction.client.services.datasets
        with service.queue.arriving():
            dataset = await service.create(
                order,
                guild_id=guild_of(interaction),
                channel_id=channel_of(interaction).id,
                user_id=interaction.user.id,
            )
            await defer(interaction)
        await take_photos(interaction, dataset, self.files(), agreed=self.consent.value)


class TrainModal(PhotoForm):
    """Name, photos, consent."""

    def __init__(self, order: DatasetOrder) -> None:
        kind = order.subject_kind
        title = "Make a character" if kind is SubjectKind.CHARACTER else f"Train a LoRA of {SUBJECT_WORDS[kind]}"
        super().__init__(title=title, kind=kind)
        self.order = order
        field = discord.ui.TextInput[Any](placeholder="Rex", min_length=1, max_length=NAME_MAX)
        self.name = self.add_field("Name", field, "How you will find it again.")
        self.add_photos(_upload_fields(kind, required=0))

    async def submit(self, interaction: Interaction) -> None:
        await self.begin(interaction, replace(self.order, name=self.name.value))


class VersionModal(PhotoForm):
    """Photos for a newer version of a LoRA. A person's gender and ethnicity are asked again: they were not kept."""

    def __init__(self, lora: Lora) -> None:
        kind = lora.subject_kind
        super().__init__(title=f"A newer version of {lora.name}", kind=kind)
        self.order = DatasetOrder(lora.name[:NAME_MAX], kind, previous_lora_id=lora.id)
        self.person = ask_about_person(self, ASKED_AGAIN) if kind is SubjectKind.PERSON else None
        # A form has five parts (Discord /docs/components/reference); the board takes more photos afterwards.
        self.add_photos(_upload_fields(kind, required=0, most=2 if self.person else UPLOADS))

    async def submit(self, interaction: Interaction) -> None:
        order = self.order
        if self.person is not None:
            gender, ethnicity = self.person
            order = replace(order, gender=Gender(gender.values[0]), ethnicity=ethnicity.value)
        await self.begin(interaction, order)


def ask_about_person(form: SafeModal, why: str) -> tuple[discord.ui.Select[Any], discord.ui.TextInput[Any]]:
    """The fields for gender and ethnicity."""
    genders = [discord.SelectOption(label=gender.value, value=gender.value) for gender in Gender]
    ethnicity = discord.ui.TextInput[Any](
        placeholder="White, Black, East Asian, Mixed …", min_length=1, max_length=ETHNICITY_MAX
    )
    gender = form.add_field("Gender", discord.ui.Select[Any](options=genders), why)
    return gender, form.add_field("Ethnicity", ethnicity, why)


class PhotosModal(PhotoForm):
    """More photos for a dataset that exists; with `uploads` given (a message's photos) it asks for consent only.

    `author_id`: whose photos these are, if somebody else's, who is asked next.
    """

    def __init__(self, dataset: Dataset, uploads: Sequence[Upload] = (), author_id: int | None = None) -> None:
        super().__init__(title="Add photos", kind=dataset.subject_kind)
        self.dataset_id, self.given, self.author_id = dataset.id, uploads, author_id
        self.add_photos([] if uploads else _upload_fields(dataset.subject_kind, required=1))

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction)
        board = await interaction.client.services.datasets.board(
            self.dataset_id, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        uploads = self.given or self.files()
        await take_photos(interaction, board.dataset, uploads, agreed=self.consent.value, author_id=self.author_id)


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

        kept = interaction.client.services.timings.photos_kept
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


async def show_board(interaction: Interaction, board: Board) -> None:
    """Fill the answer of this interaction with the board."""
    services = interaction.client.services
    sheet = await services.datasets.sheet(board.photos)
    funds = await services.keys.funds(board.dataset.guild_id, board.dataset.subject_kind.provider)
    notes = await services.questions.notes(PostKind.DEPICTION, board.questions)
    card = board_card(
        board,
        funds,
        services.timings.photos_kept,
        is_admin=is_admin(interaction),
        has_sheet=sheet is not None,
        notes=notes,
    )
    files = [] if sheet is None else [(SHEET_FILE, sheet)]
    await show(interaction, card, files)


def uploads_of(attachments: Sequence[discord.Attachment]) -> list[Upload]:
    return [
        Upload(attachment.title or attachment.filename, attachment.url, attachment.size) for attachment in attachments
    ]


def uploads_in(message: discord.Message, *, only_pictures: bool = False) -> list[Upload]:
    """The files of a message and of messages that are forwarded in it; `only_pictures` leaves out what is none.

    A file that a component shows stands nowhere else (discord/discord-api-docs#8279). A component tells no sizes; files
    are measured while they are fetched.
    """
    found: dict[str, Upload] = {}
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for part in parts:
        attachments = [each for each in part.attachments if _is_picture(each.content_type) or not only_pictures]
        for upload in uploads_of(attachments):
            found.setdefault(upload.url.partition("?")[0], upload)
        for media in shown_media(part.components):
            if media.attachment_id and (_is_picture(media.content_type) or not only_pictures):
                name = urlsplit(media.url).path.rpartition("/")[2]
                found.setdefault(media.url.partition("?")[0], Upload(name, media.url, 0))
    return list(found.values())


def _is_picture(content_type: str | None) -> bool:
    """Also when Discord does not say what it is."""
    return (content_type or "image/").startswith("image/")
