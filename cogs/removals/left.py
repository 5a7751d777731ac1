"""Asking whoever set the key of a server that removed the bot whether its LoRAs are to be removed at the provider."""

import discord

from bot.client import DarkroomBot
from bot.guilds import LeftGuild
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.replies import Interaction, defer, say
from cogs.ui.words import count

ALL_ASKED = "There is nothing left to remove: every LoRA there is gone, or asked for already."


def left_card(left: LeftGuild) -> SafeLayout:
    provider, until = left.key.provider.label, f"<t:{int(left.until.timestamp())}:f>"
    text = (
        f"### A server has removed me\nIts {count(len(left.loras), 'LoRA')} in your {provider} account "
        f"{'is' if len(left.loras) == 1 else 'are'} still there. Shall I have them removed? That cannot be undone.\n"
        f"Until {until} I keep the key ending in `{left.key.last4}` sealed for that, and for members who want theirs "
        "erased; I use it for nothing else, and then delete it. After that you can delete them in your account. "
        "Whatever stays is found again when the server invites me back within 30 days."
    )
    buttons = [ActionButton("left", "remove", left.key.id, label="Have them removed", style=discord.ButtonStyle.danger)]
    return card(text, colour=discord.Colour.orange(), buttons=buttons)


async def press_remove(interaction: Interaction, key_id: int) -> None:
    await defer(interaction)
    asked = await interaction.client.services.guilds.remove_loras(key_id, interaction.user.id)
    told = f"{count(asked, 'LoRA')} will be removed. I ask until it is answered, then send you the receipt."
    await say(interaction, told if asked else ALL_ASKED)


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("left", remove=press_remove)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("left")
