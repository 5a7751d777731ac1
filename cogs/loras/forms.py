"""LoRAs as their viewer sees them, a list or one, and the small forms to rename it, write its note and archive it."""

from typing import Any

import discord

from bot.loras.service import NOTE_MAX
from bot.records.lora import NAME_MAX, Lora
from cogs.loras.cards import lora_card, loras_card, name_of, page_of
from cogs.ui.replies import Interaction, actor_of, ask, say, show
from cogs.ui.thumbnails import small_copies
from cogs.ui.views import ConfirmView, SafeModal, paragraph

PREVIEW_BYTES = 1_000_000


class RenameModal(SafeModal):
    command = "loras"

    def __init__(self, lora: Lora) -> None:
        super().__init__("Another name")
        self.lora = lora
        field = discord.ui.TextInput[Any](default=lora.name[:NAME_MAX], min_length=1, max_length=NAME_MAX)
        self.name = self.add_field("Name", field)

    async def submit(self, interaction: Interaction) -> None:
        loras = interaction.client.services.loras
        renamed = await loras.rename(self.lora.id, self.name.value, actor_of(interaction))
        await say(interaction, f"{name_of(self.lora)} is called {name_of(renamed)} now.")


class NoteModal(SafeModal):
    command = "loras"

    def __init__(self, lora: Lora) -> None:
        super().__init__("Note")
        self.lora = lora
        field = paragraph(default=lora.note, required=False, max_length=NOTE_MAX)
        description = "Everybody who may use it sees this. Leave it empty to have no note."
        self.note = self.add_field("Note", field, description)

    async def submit(self, interaction: Interaction) -> None:
        noted = await interaction.client.services.loras.write_note(self.lora.id, self.note.value, actor_of(interaction))
        what = "saved" if noted.note else "gone"
        await say(interaction, f"The note of {name_of(noted)} is {what}.")


async def ask_to_archive(interaction: Interaction, lora: Lora) -> None:

    async def archive(answered: Interaction) -> None:
        archived = await answered.client.services.loras.archive(lora.id, actor_of(answered))
        await say(answered, archived_sentence(archived))

    question = f"Archive {name_of(lora)}? {lora.provider.label} is asked to delete it. This cannot be undone."
    await ask(interaction, question, ConfirmView("Archive for good", archive))


def archived_sentence(archived: Lora) -> str:
    return (
        f"{name_of(archived)} is archived; nobody can use it any more. {archived.provider.label} is asked to delete it "
        "until it has answered: `/privacy receipts` shows what it said."
    )


async def show_lora(interaction: Interaction, lora: Lora) -> None:
    services = interaction.client.services
    view = await services.loras.view(lora.id, actor_of(interaction))
    paths = {f"preview-{number}.jpg": path for number, path in enumerate(view.previews, start=1)}
    files = await small_copies(services.pool, paths, PREVIEW_BYTES)
    await show(interaction, lora_card(view, interaction.user.id, [name for name, _ in files]), files)


async def show_list(interaction: Interaction, number: int) -> None:
    """A page of what this member may use here, each with a picture that was made with it."""
    services, actor = interaction.client.services, actor_of(interaction)
    page = page_of(await services.loras.usable_by(actor), number)
    best = await services.loras.previews(page.loras, actor)
    names = {lora_id: f"lora-{lora_id}.jpg" for lora_id in best}
    files = await small_copies(services.pool, {names[lora_id]: path for lora_id, path in best.items()})
    here = {name for name, _ in files}
    shown = {lora_id: name for lora_id, name in names.items() if name in here}
    await show(interaction, loras_card(page, interaction.user.id, shown), files)
