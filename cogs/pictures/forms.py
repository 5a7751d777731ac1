"""What made pictures ask back: really delete them, and why they are reported."""

from collections.abc import Sequence

import discord

from bot.client import DarkroomBot
from bot.pictures.reports import REASON_MAX
from bot.pictures.service import Removal
from cogs.ui.replies import Interaction, actor_of, defer, say
from cogs.ui.views import SafeModal, SafeView

CONFIRM_SECONDS = 300


class DeleteView(SafeView):
    """Lives five minutes on a private message: deleting cannot be undone."""

    def __init__(self, generation_id: int) -> None:
        super().__init__(seconds=CONFIRM_SECONDS)
        self.generation_id = generation_id

    @discord.ui.button(label="Delete for good", style=discord.ButtonStyle.danger)
    async def confirm(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["DeleteView"]
    ) -> None:
        await defer(interaction)
        self.stop()
        pictures = interaction.client.services.pictures
        if interaction.guild_id is None:
            actor = await pictures.owner_of(self.generation_id, interaction.user.id)
        else:
            actor = actor_of(interaction)
        await say(interaction, removal_sentence(self.generation_id, await pictures.delete(self.generation_id, actor)))


class ReportModal(SafeModal):
    def __init__(self, generation_id: int) -> None:
        super().__init__(f"Report pictures #{generation_id}")
        self.generation_id = generation_id
        self.reason: discord.ui.TextInput[SafeModal] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, min_length=1, max_length=REASON_MAX
        )
        description = "The moderators see what you write and who you are; nobody else does."
        self.add_field("What is wrong?", self.reason, description)

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction)
        reports = interaction.client.services.reports
        await reports.report(self.generation_id, self.reason.value, actor_of(interaction))
        await say(interaction, "Thank you. The moderators are told.")


def removal_sentence(generation_id: int, outcomes: Sequence[Removal]) -> str:
    """What became of the set and of each of its messages."""
    said = {
        Removal.GONE: "A message of it was gone already.",
        Removal.REFUSED: "Discord did not let me delete a message of it; somebody who manages messages there can.",
        Removal.LATER: "Discord cannot be reached just now; what is still visible goes as soon as it can.",
    }
    more = [sentence for outcome, sentence in said.items() if outcome in outcomes]
    return " ".join([f"Pictures #{generation_id} are deleted, and so are our copies.", *more])
