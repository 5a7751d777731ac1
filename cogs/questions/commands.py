"""/me: what this member prefers, and what they were asked, answered here by who wants no private questions."""

import contextlib

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot, Press
from bot.errors import UserError
from cogs.questions.cards import News, answerable, me_card, question_card
from cogs.ui.access import obeying
from cogs.ui.layout import Layout
from cogs.ui.news_role import chosen_role, has_role_now, switch_news
from cogs.ui.replies import Interaction, defer, guild_of, show
from cogs.ui.words import ONLY_YOU


class MeCog(commands.Cog):
    @app_commands.command(description="Where your pictures come, pings, and what members here ask you")
    async def me(self, interaction: Interaction) -> None:
        await defer(interaction)
        await show(interaction, await _page(interaction))


async def press_show(interaction: Interaction, question_id: int) -> None:
    await defer(interaction)
    services, guild = interaction.client.services, interaction.guild
    question = await services.questions.get_for(question_id, guild_of(interaction), interaction.user.id)
    card, files = await question_card(services, question, "this server" if guild is None else guild.name)
    card.add_text(ONLY_YOU)
    await show(interaction, card, files)


async def press_mute(interaction: Interaction, _: int) -> None:
    await defer(interaction, thinking=False)
    await interaction.client.services.questions.mute(guild_of(interaction), interaction.user.id)
    await show(interaction, await _page(interaction))


async def press_unmute(interaction: Interaction, _: int) -> None:
    await defer(interaction, thinking=False)
    await interaction.client.services.questions.unmute(guild_of(interaction), interaction.user.id)
    await show(interaction, await _page(interaction))


async def press_quiet(interaction: Interaction, _: int) -> None:
    """No pings at all: the role for event news goes, too, as far as the bot may take it."""
    await defer(interaction, thinking=False)
    await interaction.client.services.preferences.change(guild_of(interaction), interaction.user.id, is_quiet=True)
    role = await chosen_role(interaction)
    has_role = role is not None and has_role_now(interaction, role)
    if has_role:
        with contextlib.suppress(UserError):
            await switch_news(interaction)
            has_role = False
    await show(interaction, await _page(interaction, has_role=has_role))


async def press_news(interaction: Interaction, _: int) -> None:
    await defer(interaction, thinking=False)
    role = await chosen_role(interaction)
    had_role = role is not None and has_role_now(interaction, role)
    await switch_news(interaction)
    await show(interaction, await _page(interaction, has_role=not had_role))


def _choosing(**values: bool) -> Press:
    """A press that changes what the member prefers, and shows the page anew."""

    async def press(interaction: Interaction, _: int) -> None:
        await defer(interaction, thinking=False)
        await interaction.client.services.preferences.change(guild_of(interaction), interaction.user.id, **values)
        await show(interaction, await _page(interaction))

    return press


async def _page(interaction: Interaction, *, has_role: bool | None = None) -> Layout:
    """`has_role`: whether they have the role for event news since this press; None: as they had it then."""
    services = interaction.client.services
    guild_id, user_id = guild_of(interaction), interaction.user.id
    inbox = await services.questions.inbox(guild_id, user_id)
    claims = await services.likeness.of_member(guild_id, user_id)
    posted = await services.takedowns.of_member(guild_id, user_id)
    prefers = await services.preferences.get(guild_id, user_id)
    role, news = await chosen_role(interaction), None
    if role is not None:
        news = News(role.id, has_role_now(interaction, role) if has_role is None else has_role)
    return me_card(inbox, await answerable(services, inbox.questions), claims, posted, prefers, news)


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(MeCog())
    presses = {
        "private": _choosing(is_private=True),
        "public": _choosing(is_private=False),
        "quiet": press_quiet,
        "loud": _choosing(is_quiet=False),
        "news": press_news,
    }
    bot.add_buttons("me", **obeying("me", show=press_show, mute=press_mute, unmute=press_unmute, **presses))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("me")
