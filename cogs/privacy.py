"""/privacy: what is kept about me here, and erasing it."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.ui.cards import card
from cogs.ui.replies import Interaction, defer, guild_of, say, show
from cogs.ui.views import SafeView
from cogs.ui.words import count

CONFIRM_SECONDS = 300
POLICY = (
    "**Photos** are stripped of place and camera data when they arrive, sent to the provider your server chose "
    "when you press *Start training*, and deleted here when it has begun to train, at the latest after 24 hours.\n"
    "**Gender, ethnicity and age** go with the photos, and are shown to nobody but you.\n"
    "**Pictures** are kept here for 7 days after they were posted.\n"
    "**Your consent** (who, when, which photos by checksum) is kept as proof that you asked for it."
)


class EraseView(SafeView):
    """Lives five minutes on a private message."""

    @discord.ui.button(label="Erase my data here", style=discord.ButtonStyle.danger)
    async def erase(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["EraseView"]
    ) -> None:
        await defer(interaction)
        self.stop()
        unreached = await interaction.client.services.privacy.forget_member(
            guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        done = "Your photos, jobs, LoRAs and pictures in this server are erased."
        rest = f" The provider could not delete {count(unreached, 'LoRA')} just now; an admin can in its dashboard."
        await say(interaction, done + (rest if unreached else ""))


class PrivacyCog(commands.GroupCog, group_name="privacy", group_description="What is kept about you, and erasing it"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="show", description="What is kept about you in this server")
    async def show_holdings(self, interaction: Interaction) -> None:
        await defer(interaction)
        held = await self.bot.services.privacy.holdings(guild_id=guild_of(interaction), user_id=interaction.user.id)
        lines = (
            f"{count(held.datasets, 'dataset')} with {count(held.photos_on_disk, 'photo')} on our disk",
            f"{count(held.trainings, 'training')} and {count(held.loras, 'LoRA')}",
            f"{count(held.generations, 'picture order')}",
            f"{count(held.consents, 'consent record')}",
        )
        text = "### Kept about you here\n" + "\n".join(f"• {line}" for line in lines)
        await show(interaction, card(text, POLICY, colour=discord.Colour.blurple()))

    @app_commands.command(description="Erase everything of yours in this server")
    async def erase(self, interaction: Interaction) -> None:
        await interaction.response.send_message(
            "This deletes your photos, jobs, LoRAs and pictures in this server, and asks the provider to delete your "
            "LoRAs. A training under way is no longer followed, and its credits are spent. It cannot be undone.",
            view=EraseView(self.bot, seconds=CONFIRM_SECONDS),
            ephemeral=True,
        )


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(PrivacyCog(bot))
