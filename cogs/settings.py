"""/settings: where a server's gallery and its moderators' reports are."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot, fleeting_id
from bot.errors import UserError
from bot.records.guild import Guild
from cogs.ui.replies import Interaction, defer, guild_of, is_admin

SETTINGS_SECONDS = 900
Choose = Callable[[int, int | None], Awaitable[None]]


def admins_only(interaction: Interaction) -> bool:
    return is_admin(interaction)


class ChannelChoice(discord.ui.ChannelSelect["SettingsView"]):
    """Choosing nothing takes the choice back."""

    def __init__(self, chosen: int | None, placeholder: str, choose: Choose) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            channel_types=[discord.ChannelType.text, discord.ChannelType.news],
            placeholder=placeholder,
            min_values=0,
            max_values=1,
            default_values=[] if chosen is None else [discord.Object(chosen)],
        )
        self.choose = choose

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        if not is_admin(interaction):
            raise UserError("You need the **Manage Server** permission for this.")
        await self.choose(guild_of(interaction), self.values[0].id if self.values else None)
        await interaction.edit_original_response(view=await settings_view(interaction))


class SettingsView(discord.ui.LayoutView):
    def __init__(self, bot: DarkroomBot, chosen: Guild | None) -> None:
        super().__init__(timeout=SETTINGS_SECONDS)
        gallery = chosen.gallery_channel_id if chosen else None
        reports = chosen.reports_channel_id if chosen else None
        guilds = bot.services.guilds
        box: discord.ui.Container[SettingsView] = discord.ui.Container(accent_colour=discord.Colour.blurple())
        box.add_item(
            discord.ui.TextDisplay(
                f"### Settings of this server\n**Gallery:** {_where(gallery, 'none')}\n"
                "*To gallery* below a picture posts it there."
            )
        )
        box.add_item(discord.ui.ActionRow(ChannelChoice(gallery, "Choose the gallery channel", guilds.choose_gallery)))
        box.add_item(
            discord.ui.TextDisplay(
                f"**Reports:** {_where(reports, 'a private message to whoever set the API key')}\n"
                "What members report about pictures goes there. Choose a channel that only moderators see."
            )
        )
        box.add_item(discord.ui.ActionRow(ChannelChoice(reports, "Choose the reports channel", guilds.choose_reports)))
        self.add_item(box)

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[DarkroomBot], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.error_door(interaction, error)


class SettingsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Where the gallery and the reports of this server are (admins only)")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(admins_only)
    async def settings(self, interaction: Interaction) -> None:
        await defer(interaction)
        await interaction.edit_original_response(view=await settings_view(interaction))


async def settings_view(interaction: Interaction) -> SettingsView:
    return SettingsView(interaction.client, await interaction.client.services.guilds.get(guild_of(interaction)))


def _where(channel_id: int | None, otherwise: str) -> str:
    return otherwise if channel_id is None else f"<#{channel_id}>"


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(SettingsCog(bot))
