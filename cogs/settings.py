"""/settings: who moderates, who hosts events, where gallery and reports are, and the pause between trainings."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.guilds import GuildService
from bot.records.guild import Guild
from bot.services import Services
from cogs.ui.choices import ChannelChoice, Chosen, RoleChoice, StringChoice
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.news_role import TELL_ME, told_to_admins
from cogs.ui.replies import Interaction, check_admin, defer, guild_of, is_admin

Choose = Callable[[int, int | None], Awaitable[None]]
PAUSES = {0: "no pause", 1: "1 hour", 6: "6 hours", 24: "1 day", 72: "3 days", 168: "7 days"}
"""Hours between two trainings of one member."""

APPROVAL = {0: "not needed", 1: "by a moderator"}
SAMPLES = {1: "made by itself", 0: "off"}
ADULT = {0: "off", 1: "only in age-restricted channels"}


EVERYBODY = "I never mention everybody. Please choose a role that members can take or leave."


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
    services = interaction.client.services
    chosen = await services.guilds.get(guild_of(interaction))
    view = SafeLayout(discord.Colour.blurple(), seconds=PANEL_SECONDS)
    _add_channels(view, services.guilds, chosen)
    _add_moderators(view, services.guilds, chosen)
    _add_hosts(view, services.guilds, chosen)
    await _add_news(view, services.guilds, chosen, interaction.guild)
    _add_rules(view, services.guilds, chosen)
    _add_trainings(view, services, chosen)
    return view


def _add_channels(view: SafeLayout, guilds: GuildService, chosen: Guild | None) -> None:
    gallery = chosen.gallery_channel_id if chosen else None
    view.add_text(
        f"### Settings of this server\n**Gallery:** {_where(gallery, 'none')}\n"
        "*More* and *To gallery* below a picture post it there."
    )
    view.add_row(ChannelChoice("Choose the gallery channel", gallery, _storing(guilds.choose_gallery)))
    reports = chosen.reports_channel_id if chosen else None
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


def _add_moderators(view: SafeLayout, guilds: GuildService, chosen: Guild | None) -> None:
    role_id = chosen.moderator_role_id if chosen else None
    view.add_text(f"**Moderators:** {_who(role_id)}\nThey delete pictures, close reports and use `/moderation`.")
    view.add_row(_one_role("Choose the moderators' role", role_id, _storing(guilds.choose_moderators)))


def _add_hosts(view: SafeLayout, guilds: GuildService, chosen: Guild | None) -> None:
    role_id = chosen.host_role_id if chosen else None
    view.add_text(f"**Event hosts:** {_who(role_id)}\nThey plan events and run every event here.")
    view.add_row(_one_role("Choose the role for event hosts", role_id, _storing(guilds.choose_hosts)))


def _one_role(placeholder: str, role_id: int | None, chosen: Chosen) -> RoleChoice:
    return RoleChoice(placeholder, [] if role_id is None else [role_id], chosen, most=1)


def _who(role_id: int | None) -> str:
    """Who has a right that admins have, and one role beside them if they chose one."""
    return "only admins" if role_id is None else f"<@&{role_id}>, and admins"


async def _add_news(view: SafeLayout, guilds: GuildService, chosen: Guild | None, guild: discord.Guild | None) -> None:
    role_id = chosen.news_role_id if chosen else None
    text = (
        f"**Event news:** {'no role' if role_id is None else f'<@&{role_id}>'}\n"
        "I mention this role when an event opens, before its parts end, and when its vote or a run-off opens. Members "
        f"take it or give it back with **{TELL_ME}**."
    )
    if chosen is not None and role_id is not None and guild is not None:
        text = "\n".join([text, *(f"⚠️ {sentence}" for sentence in await told_to_admins(guilds, guild, chosen))])
    view.add_text(text)

    async def choose(interaction: Interaction, chosen_ids: Sequence[int]) -> None:
        if not chosen_ids and interaction.data is not None and interaction.data.get("values"):
            raise UserError(EVERYBODY)
        await _storing(guilds.choose_news)(interaction, chosen_ids)

    view.add_row(_one_role("Choose the role for event news", role_id, choose))


def _add_rules(view: SafeLayout, guilds: GuildService, chosen: Guild | None) -> None:
    is_adult = chosen is not None and chosen.is_adult_allowed
    view.add_text(
        f"**Adult content:** {ADULT[is_adult]}\nExplicit prompts are refused{' elsewhere' * is_adult}; what stands in "
        "`/moderation words` is refused everywhere."
    )
    view.add_row(
        _word_choice(
            "Adult content", ADULT, is_adult, lambda guild, key: guilds.choose_adult(guild, is_allowed=key == 1)
        )
    )
    needs_approval = chosen is not None and chosen.needs_approval
    view.add_text(
        f"**Approval before gallery and votes:** {APPROVAL[needs_approval]}\n"
        "If it is needed, moderators decide with two buttons in the reports channel."
    )
    view.add_row(
        _word_choice(
            "Approval before gallery and votes",
            APPROVAL,
            needs_approval,
            lambda guild, key: guilds.choose_approval(guild, is_needed=key == 1),
        )
    )


def _add_trainings(view: SafeLayout, services: Services, chosen: Guild | None) -> None:
    guilds, limits = services.guilds, services.limits
    makes_samples = chosen is None or chosen.makes_samples
    view.add_text(
        f"**A first picture with each new LoRA:** {SAMPLES[makes_samples]}\n"
        "It takes 2 credits, within everybody's limits; events have their own pictures."
    )
    view.add_row(
        _word_choice(
            "A first picture with each new LoRA",
            SAMPLES,
            makes_samples,
            lambda guild, key: guilds.choose_samples(guild, are_made=key == 1),
        )
    )
    pause = (chosen.training_pause_h if chosen else None) or 0
    view.add_text(
        f"**Between two trainings of one member:** {PAUSES.get(pause, f'{pause} hours')}\n"
        "What each may spend is set with `/budget set`."
    )
    view.add_row(
        _word_choice(
            "Choose the pause", PAUSES, pause, lambda guild, hours: limits.choose_training_pause(guild, hours or None)
        )
    )


def _word_choice(
    placeholder: str, words: Mapping[int, str], current: int, choose: Callable[[int, int], Awaitable[None]]
) -> StringChoice:
    """One of these words; `choose` is given the guild's id and the word's key."""
    options = [discord.SelectOption(label=word, value=str(key), default=key == current) for key, word in words.items()]

    async def chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await _store(interaction, partial(choose, guild_of(interaction), int(values[0])))

    return StringChoice(placeholder, options, chosen, least=1)


def _storing(choose: Choose) -> Chosen:
    async def chosen(interaction: Interaction, chosen_ids: Sequence[int]) -> None:
        await _store(interaction, partial(choose, guild_of(interaction), chosen_ids[0] if chosen_ids else None))

    return chosen


async def _store(interaction: Interaction, store: Callable[[], Awaitable[None]]) -> None:
    await defer(interaction, thinking=False)
    check_admin(interaction)
    await store()
    await interaction.edit_original_response(view=await settings_view(interaction))


def _where(channel_id: int | None, otherwise: str) -> str:
    return otherwise if channel_id is None else f"<#{channel_id}>"


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(SettingsCog(bot))
