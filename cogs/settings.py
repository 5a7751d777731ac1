"""/settings: who moderates, where the gallery and the reports are, and the pause between trainings."""

from collections.abc import Awaitable, Callable, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.ui.choices import ChannelChoice, Chosen, RoleChoice, StringChoice
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, check_admin, defer, guild_of, is_admin

Choose = Callable[[int, int | None], Awaitable[None]]
PAUSES = {0: "no pause", 1: "1 hour", 6: "6 hours", 24: "1 day", 72: "3 days", 168: "7 days"}
"""Hours between two trainings of one member."""

APPROVAL = {False: "not needed", True: "by a moderator"}
ADULT = {False: "off", True: "only in age-restricted channels"}


class SettingsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Moderators, gallery, reports and more of this server (admins only)")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(is_admin)
    async def settings(self, interaction: Interaction) -> None:
        await defer(interaction)
        await interaction.edit_original_response(view=await settings_view(interaction))


async def settings_view(interaction: Interaction) -> SafeLayout:
    """Choosing nothing takes a choice back."""
    guilds = interaction.client.services.guilds
    chosen = await guilds.get(guild_of(interaction))
    gallery = chosen.gallery_channel_id if chosen else None
    reports = chosen.reports_channel_id if chosen else None
    view = SafeLayout(discord.Colour.blurple(), seconds=PANEL_SECONDS)
    view.add_text(
        f"### Settings of this server\n**Gallery:** {_where(gallery, 'none')}\n"
        "*To gallery* below a picture posts it there."
    )
    view.add_row(ChannelChoice("Choose the gallery channel", gallery, _storing(guilds.choose_gallery)))
    view.add_text(
        f"**Reports:** {_where(reports, 'a private message to whoever set the API key')}\n"
        "What members report about pictures goes there. Choose a channel that only moderators see."
    )
    view.add_row(ChannelChoice("Choose the reports channel", reports, _storing(guilds.choose_reports)))
    log = chosen.log_channel_id if chosen else None
    view.add_text(
        f"**Log:** {_where(log, 'none')}\n"
        "A line there for all that is paid, shared, deleted, moderated or erased. `/moderation log` has everything."
    )
    view.add_row(ChannelChoice("Choose the log channel", log, _storing(guilds.choose_log)))
    moderators = chosen.moderator_role_id if chosen else None
    view.add_text(
        f"**Moderators:** {'only admins' if moderators is None else f'<@&{moderators}>, and admins'}\n"
        "They delete pictures, close reports and use `/moderation`."
    )
    view.add_row(
        RoleChoice(
            "Choose the moderators' role",
            [] if moderators is None else [moderators],
            _storing(guilds.choose_moderators),
            most=1,
        )
    )
    is_adult = chosen is not None and chosen.is_adult_allowed
    view.add_text(
        f"**Adult content:** {ADULT[is_adult]}\nExplicit prompts are refused{' elsewhere' * is_adult}; what stands in "
        "`/moderation words` is refused everywhere."
    )
    options = [
        discord.SelectOption(label=words, value=str(int(each)), default=each is is_adult)
        for each, words in ADULT.items()
    ]
    view.add_row(StringChoice("Adult content", options, _choose_adult, least=1))
    needs_approval = chosen is not None and chosen.needs_approval
    view.add_text(
        f"**Approval before gallery and votes:** {APPROVAL[needs_approval]}\n"
        "If it is needed, moderators decide with two buttons in the reports channel."
    )
    options = [
        discord.SelectOption(label=words, value=str(int(each)), default=each is needs_approval)
        for each, words in APPROVAL.items()
    ]
    view.add_row(StringChoice("Approval before gallery and votes", options, _choose_approval, least=1))
    pause = (chosen.training_pause_h if chosen else None) or 0
    view.add_text(
        f"**Between two trainings of one member:** {PAUSES.get(pause, f'{pause} hours')}\n"
        "What each may spend is set with `/budget set`."
    )
    options = [
        discord.SelectOption(label=words, value=str(hours), default=hours == pause) for hours, words in PAUSES.items()
    ]
    view.add_row(StringChoice("Choose the pause", options, _choose_pause, least=1))
    return view


async def _choose_adult(interaction: Interaction, values: Sequence[str]) -> None:
    await defer(interaction, thinking=False)
    check_admin(interaction)
    guilds = interaction.client.services.guilds
    await guilds.choose_adult(guild_of(interaction), is_allowed=values[0] == "1")
    await interaction.edit_original_response(view=await settings_view(interaction))


async def _choose_approval(interaction: Interaction, values: Sequence[str]) -> None:
    await defer(interaction, thinking=False)
    check_admin(interaction)
    guilds = interaction.client.services.guilds
    await guilds.choose_approval(guild_of(interaction), is_needed=values[0] == "1")
    await interaction.edit_original_response(view=await settings_view(interaction))


async def _choose_pause(interaction: Interaction, values: Sequence[str]) -> None:
    await defer(interaction, thinking=False)
    check_admin(interaction)
    limits = interaction.client.services.limits
    await limits.choose_training_pause(guild_of(interaction), int(values[0]) or None)
    await interaction.edit_original_response(view=await settings_view(interaction))


def _storing(choose: Choose) -> Chosen:
    async def chosen(interaction: Interaction, chosen_ids: Sequence[int]) -> None:
        await defer(interaction, thinking=False)
        check_admin(interaction)
        await choose(guild_of(interaction), chosen_ids[0] if chosen_ids else None)
        await interaction.edit_original_response(view=await settings_view(interaction))

    return chosen


def _where(channel_id: int | None, otherwise: str) -> str:
    return otherwise if channel_id is None else f"<#{channel_id}>"


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(SettingsCog(bot))
