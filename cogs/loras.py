"""/loras: what this member has trained here."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.loras import choice_value
from bot.models import Lora
from bot.quoting import quote
from cogs.ui.cards import lora_card, loras_card
from cogs.ui.replies import Interaction, defer, guild_of, is_admin, say, show
from cogs.ui.views import SafeView, on_press

CONFIRM_SECONDS = 300


class ArchiveView(SafeView):
    """Lives five minutes on a private message: archiving cannot be undone."""

    def __init__(self, bot: DarkroomBot, lora: Lora) -> None:
        super().__init__(bot, seconds=CONFIRM_SECONDS)
        self.lora = lora

    @discord.ui.button(label="Archive for good", style=discord.ButtonStyle.danger)
    async def confirm(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["ArchiveView"]
    ) -> None:
        await defer(interaction)
        self.stop()
        lora = await interaction.client.services.loras.archive(
            self.lora.id,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
            is_admin=is_admin(interaction),
        )
        await say(interaction, f"{quote(lora.name, 40)} is archived, and {lora.provider.label} was asked to delete it.")


class LorasCog(commands.GroupCog, group_name="loras", group_description="Your trained LoRAs"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("lora", "archive", self.press_archive)

    @app_commands.command(name="list", description="Your LoRAs in this server")
    async def list_mine(self, interaction: Interaction) -> None:
        await defer(interaction)
        loras = await self.bot.services.loras.usable_by(guild_id=guild_of(interaction), user_id=interaction.user.id)
        await show(interaction, loras_card(loras, "Your LoRAs"))

    @app_commands.command(description="One LoRA: trigger word, owner, uses")
    @app_commands.describe(lora="Which one")
    async def show(self, interaction: Interaction, lora: str) -> None:
        await defer(interaction)
        view = await self.bot.services.loras.view(lora, guild_id=guild_of(interaction), user_id=interaction.user.id)
        await show(interaction, lora_card(view))

    @app_commands.command(description="Archive a LoRA: the provider deletes it, and nobody can use it any more")
    @app_commands.describe(lora="Which one")
    async def archive(self, interaction: Interaction, lora: str) -> None:
        chosen = await self._archivable(interaction, lora)
        await self._ask(interaction, chosen)

    @show.autocomplete("lora")
    async def suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await suggest_loras(interaction, current)

    @archive.autocomplete("lora")
    async def suggest_archivable(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        found = await self.bot.services.loras.archivable_choices(
            current, guild_id=guild_of(interaction), user_id=interaction.user.id, is_admin=is_admin(interaction)
        )
        return [app_commands.Choice(name=lora.name, value=choice_value(lora)) for lora in found]

    async def press_archive(self, interaction: Interaction, lora_id: int) -> None:
        lora = await self.bot.services.loras.get_for(
            lora_id, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        await self._ask(interaction, lora)

    async def _archivable(self, interaction: Interaction, value: str) -> Lora:
        return await self.bot.services.loras.pick_archivable(
            value, guild_id=guild_of(interaction), user_id=interaction.user.id, is_admin=is_admin(interaction)
        )

    async def _ask(self, interaction: Interaction, lora: Lora) -> None:
        await interaction.response.send_message(
            f"Archive {quote(lora.name, 40)}? {lora.provider.label} is asked to delete it. This cannot be undone.",
            view=ArchiveView(self.bot, lora),
            ephemeral=True,
        )


async def suggest_loras(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Choices over what this member may use; the value is opaque."""
    found = await interaction.client.services.loras.choices(
        current, guild_id=guild_of(interaction), user_id=interaction.user.id
    )
    return [app_commands.Choice(name=lora.name, value=choice_value(lora)) for lora in found]


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(LorasCog(bot))
