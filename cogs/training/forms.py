"""The forms that take photos: for a new dataset, a newer version of a LoRA, and more photos."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.datasets.rules import STEPS, DatasetOrder, photo_limits, usual_time
from bot.records.dataset import Dataset, Gender, SubjectKind, Upload
from bot.records.lora import NAME_MAX, Lora
from bot.training.outlook import Outlook
from cogs.training.intake import take_photos
from cogs.training.person import ask_about_person
from cogs.ui.layout import shown_media
from cogs.ui.replies import Interaction, channel_of, guild_of
from cogs.ui.views import SafeModal
from cogs.ui.words import SUBJECT_WORDS, capitalised

UPLOADS = 3
FILES_EACH = 10
"""Files one upload field takes (Discord /docs/components/reference); three fields make 30 photos."""
CONSENT_LABEL = "Everyone in the photos agrees and is 18+"
ANY_GUIDE = "15 to 30 in all: sharp, different light and angles, one subject, no filters."
GUIDES = {
    SubjectKind.PERSON: "15 to 30 in all: sharp, different light, angles and days, nobody else, no filters.",
    SubjectKind.OBJECT: "15 to 30 in all: sharp, different light, angles and places, nothing like it beside it.",
    SubjectKind.STYLE: "15 to 30 in all: the same style, many different things in it, no frames or text.",
    SubjectKind.CHARACTER: "1 to 6: the face sharp and well lit, from different sides, nobody else. A ZIP is fine.",
}
KIND_HINTS = {
    SubjectKind.PERSON: "You, or somebody who agreed. Two questions follow.",
    SubjectKind.OBJECT: "One pet, mascot, thing or place.",
    SubjectKind.STYLE: "How pictures look: paintings or photos of one kind.",
    SubjectKind.CHARACTER: "From 1 to 6 photos, ready in seconds; nothing is trained.",
}
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


def _consent_label(box: discord.ui.Checkbox[SafeModal], kinds: Sequence[SubjectKind]) -> discord.ui.Label[SafeModal]:
    """The box of the consent: `kinds` are what may become of the photos."""
    trains, keeps = SubjectKind.PERSON.provider.label, SubjectKind.CHARACTER.provider.label
    if SubjectKind.CHARACTER not in kinds:
        use = f"{trains} may train on them"
    elif len(kinds) == 1:
        use = f"{keeps} gets and keeps them"
    else:
        use = f"{trains} trains on them, or {keeps} keeps them"
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

    def add_photos(
        self,
        uploads: list[discord.ui.FileUpload[SafeModal]],
        guide: str | None = None,
        kinds: Sequence[SubjectKind] = (),
    ) -> None:
        """`guide`: what good photos are. `kinds`: what they may show, where that is asked."""
        self.uploads = uploads
        for number, upload in enumerate(uploads):
            text = "Photos" if number == 0 else f"More photos ({number + 1})"
            description = f"Up to {upload.max_values} here: JPEG, PNG, WebP, HEIC, or a ZIP of them."
            self.add_field(text, upload, guide if guide is not None and number == 0 else description)
        self.add_item(_consent_label(self.consent, kinds or [self.kind]))

    def files(self) -> list[Upload]:
        attachments = [attachment for field in self.uploads for attachment in field.values]
        return uploads_of(attachments)

    async def begin(self, interaction: Interaction, order: DatasetOrder) -> None:
        """A dataset for this order, with the form's photos."""
        dataset = await interaction.client.services.datasets.create(
            order,
            guild_id=guild_of(interaction),
            channel_id=channel_of(interaction).id,
            user_id=interaction.user.id,
        )
        await take_photos(interaction, dataset, self.files(), agreed=self.consent.value)


class TrainModal(PhotoForm):
    """Name, photos, consent; and what it means in money and time."""

    def __init__(self, order: DatasetOrder, outlook: Outlook) -> None:
        kind = order.subject_kind
        title = "Make a character" if kind is SubjectKind.CHARACTER else f"Train a LoRA of {SUBJECT_WORDS[kind]}"
        super().__init__(title=title, kind=kind)
        self.order = order
        field = discord.ui.TextInput[Any](placeholder="Rex", min_length=1, max_length=NAME_MAX)
        self.name = self.add_field("Name", field, what_it_takes(outlook, order))
        self.add_photos(_upload_fields(kind, required=0), GUIDES[kind])

    async def submit(self, interaction: Interaction) -> None:
        await self.begin(interaction, replace(self.order, name=self.name.value))


class AskingTrainModal(PhotoForm):
    """The same for somebody who did not say what the photos show: one of `kinds`, which is asked first."""

    def __init__(self, order: DatasetOrder, outlook: Outlook, kinds: Sequence[SubjectKind]) -> None:
        super().__init__(title="Train a LoRA", kind=order.subject_kind)
        self.order = order
        options = [
            discord.SelectOption(label=capitalised(SUBJECT_WORDS[kind]), value=kind.value, description=KIND_HINTS[kind])
            for kind in kinds
        ]
        what = discord.ui.Select[Any](placeholder="Please choose", options=options)
        self.what = self.add_field("What do the photos show?", what, what_it_takes(outlook, order))
        field = discord.ui.TextInput[Any](placeholder="Rex", min_length=1, max_length=NAME_MAX)
        self.name = self.add_field("Name", field, "How you will find it again.")
        # A form has five parts (Discord /docs/components/reference); the board takes more photos afterwards.
        self.add_photos(_upload_fields(order.subject_kind, required=0, most=2), ANY_GUIDE, kinds)

    async def submit(self, interaction: Interaction) -> None:
        kind = SubjectKind(self.what.values[0])
        await self.begin(interaction, replace(self.order, name=self.name.value, subject_kind=kind))


def what_it_takes(outlook: Outlook, order: DatasetOrder) -> str:
    """Whose credits and how long, in one line of a form."""
    if order.subject_kind is SubjectKind.CHARACTER:
        return "Ready in seconds. It costs nothing to make; each picture with it costs as usual."
    turn = ", once its turn comes" if outlook.waits else ""
    cost = f"{outlook.price} {outlook.provider.label} credits"
    return f"It costs this server {cost} and usually takes {usual_time(order.steps or STEPS)}{turn}."


class VersionModal(PhotoForm):
    """Photos for a newer version of a LoRA. A person's gender and ethnicity are asked again: they were not kept.

    `order`: what has been said of it before; a person whose gender and ethnicity stand there is not asked.
    """

    def __init__(self, lora: Lora, outlook: Outlook, order: DatasetOrder) -> None:
        kind = lora.subject_kind
        super().__init__(title=f"A newer version of {lora.name}", kind=kind)
        self.order = replace(order, name=lora.name[:NAME_MAX], previous_lora_id=lora.id)
        is_asked = kind is SubjectKind.PERSON and (order.gender is None or order.ethnicity is None)
        self.person = ask_about_person(self, ASKED_AGAIN, order) if is_asked else None
        # A form has five parts (Discord /docs/components/reference); the board takes more photos afterwards.
        self.add_photos(
            _upload_fields(kind, required=0, most=2 if self.person else UPLOADS), what_it_takes(outlook, order)
        )

    async def submit(self, interaction: Interaction) -> None:
        order = self.order
        if self.person is not None:
            gender, ethnicity = self.person
            order = replace(order, gender=Gender(gender.values[0]), ethnicity=ethnicity.value)
        await self.begin(interaction, order)


class PhotosModal(PhotoForm):
    """More photos for a dataset that exists; with `uploads` given (a message's photos) it asks for consent only.

    `author_id`: whose photos these are, if somebody else's, who is asked next.
    """

    def __init__(self, dataset: Dataset, uploads: Sequence[Upload] = (), author_id: int | None = None) -> None:
        super().__init__(title="Add photos", kind=dataset.subject_kind)
        self.dataset_id, self.given, self.author_id = dataset.id, uploads, author_id
        self.add_photos([] if uploads else _upload_fields(dataset.subject_kind, required=1))

    async def submit(self, interaction: Interaction) -> None:
        board = await interaction.client.services.datasets.board(
            self.dataset_id, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        uploads = self.given or self.files()
        await take_photos(interaction, board.dataset, uploads, agreed=self.consent.value, author_id=self.author_id)


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
