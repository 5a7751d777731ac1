"""The form in which those who run an event choose the picture at the head of its panel."""

import discord

from bot.errors import UserError
from bot.records.dataset import Upload
from bot.records.event import Event
from cogs.events.host.settings import event_to_run, show_settings
from cogs.training.forms import uploads_of
from cogs.ui.replies import Interaction, actor_of, open_form, say
from cogs.ui.views import SafeModal

HINT = "A wide picture fits best. No provider gets it. Empty: one is drawn with name and theme."


class BannerForm(SafeModal):
    command = "event"
    thinking = False

    def __init__(self, event: Event) -> None:
        super().__init__("Banner of the panel")
        self.event_id = event.id
        field = discord.ui.FileUpload[SafeModal](required=False, min_values=0, max_values=1)
        self.file = self.add_field("Picture", field, HINT)

    async def submit(self, interaction: Interaction) -> None:
        given = uploads_of(self.file.values)
        if given:
            await interaction.client.services.banners.give(self.event_id, given[0], actor_of(interaction))
        else:
            await interaction.client.services.banners.take_back(self.event_id, actor_of(interaction))
        await show_settings(interaction, self.event_id)


async def press_banner(interaction: Interaction, event_id: int) -> None:
    await open_form(interaction, BannerForm(await event_to_run(interaction, event_id)))


async def give_banner(interaction: Interaction, event_id: int, upload: Upload) -> None:
    """For an event that was just planned: it stays, whatever becomes of the picture."""
    try:
        await interaction.client.services.banners.give(event_id, upload, actor_of(interaction))
    except UserError as error:
        await say(interaction, f"The event is planned without its banner. {error}")
