"""/about: what this bot is and how to begin."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import __version__
from bot.client import DarkroomBot
from cogs.ui.layout import card
from cogs.ui.replies import Interaction, show

TEXT = """### Darkroom {version}
Trains a LoRA from your photos and makes pictures with it, right here.
1. An admin stores the server's API key with `/keys set`.
2. You send 15 to 30 photos with `/train` and press **Start training**.
3. When it is ready you are told here. `/imagine` makes pictures; `/jobs` shows where everything is.
Once you see *Accepted #…*, the job survives restarts, is paid at most once, and its result is posted once.
`/privacy show` says what is kept and for how long. Every picture is marked as AI-generated."""


class AboutCog(commands.Cog):
    @app_commands.command(description="What this bot does and how to begin")
    async def about(self, interaction: Interaction) -> None:
        await show(interaction, card(TEXT.format(version=__version__), colour=discord.Colour.blurple()))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(AboutCog())
