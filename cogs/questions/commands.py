"""/me: what this member prefers, and what they were asked, answered here by who wants no private questions."""

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot, Press
from cogs.questions.cards import answerable, me_card, question_card
from cogs.ui.access import obeying
from cogs.ui.layout import Layout
from cogs.ui.replies import Interaction, defer, guild_of, show


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
    await show(interaction, card, files)


async def press_mute(interaction: Interaction, _: int) -> None:
    await defer(interaction, thinking=False)
    await interaction.client.services.questions.mute(guild_of(interaction), interaction.user.id)
    await show(interaction, await _page(interaction))


async def press_unmute(interaction: Interaction, _: int) -> None:
    await defer(interaction, thinking=False)
    await interaction.client.services.questions.unmute(guild_of(interaction), interaction.user.id)
    await show(interaction, await _page(interaction))


def _choosing(**values: bool) -> Press:
    """A press that changes what the member prefers, and shows the page anew."""

    async def press(interaction: Interaction, _: int) -> None:
        await defer(interaction, thinking=False)
        await interaction.client.services.preferences.change(guild_of(interaction), interaction.user.id, **values)
        await show(interaction, await _page(interaction))

    return press


async def _page(interaction: Interaction) -> Layout:
    services = interaction.client.services
    guild_id, user_id = guild_of(interaction), interaction.user.id
    inbox = await services.questions.inbox(guild_id, user_id)
    claims = await services.likeness.of_member(guild_id, user_id)
    posted = await services.takedowns.of_member(guild_id, user_id)
    prefers = await services.preferences.get(guild_id, user_id)
    return me_card(inbox, await answerable(services, inbox.questions), claims, posted, prefers)


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(MeCog())
    presses = {
        "private": _choosing(is_private=True),
        "public": _choosing(is_private=False),
        "quiet": _choosing(is_quiet=True),
        "loud": _choosing(is_quiet=False),
    }
    bot.add_buttons("me", **obeying("me", show=press_show, mute=press_mute, unmute=press_unmute, **presses))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("me")
