"""Offering a member to delete what is posted of pictures whose LoRA was erased; works in a private message, too."""

import discord

from bot.client import DarkroomBot
from bot.records.guild import Actor
from bot.text import quote
from cogs.pictures.forms import removal_sentence
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.replies import Interaction, actor_of, ask, say
from cogs.ui.views import ConfirmView
from cogs.ui.words import count

WHY = "A LoRA that made pictures of yours was deleted, because somebody wanted what was made of them gone."


def takedown_card(generation_id: int, guild_name: str) -> SafeLayout:
    text = (
        f"### May your pictures of it go, too?\n{WHY} What I posted for you with it in {quote(guild_name)} is "
        "still there. If you like, I delete these messages and our copies. You do not have to."
    )
    return card(text, colour=discord.Colour.orange(), buttons=[takedown_button(generation_id)])


def takedown_button(generation_id: int) -> ActionButton:
    return ActionButton("takedown", "ask", generation_id, label="Delete these pictures")


async def press_ask(interaction: Interaction, generation_id: int) -> None:
    """`generation_id` tells the server when it is pressed in a private message."""
    services = interaction.client.services
    found = await services.takedowns.check(await _maker(interaction, generation_id))

    async def delete(answered: Interaction) -> None:
        outcomes = await services.takedowns.delete(await _maker(answered, generation_id))
        await say(answered, removal_sentence(outcomes))

    question = (
        f"Delete {count(len(found), 'order')} of pictures? Their messages and copies in the gallery go, and so do our "
        "files. This cannot be undone."
    )
    await ask(interaction, question, ConfirmView("Delete for good", delete))


async def _maker(interaction: Interaction, generation_id: int) -> Actor:
    if interaction.guild_id is not None:
        return actor_of(interaction)
    return await interaction.client.services.pictures.owner_of(generation_id, interaction.user.id)


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("takedown", ask=press_ask)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("takedown")
