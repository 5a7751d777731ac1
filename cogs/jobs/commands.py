"""/jobs: my trainings and pictures, results that are kept for me, and for admins what everybody has ordered."""

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.jobs.lists import show_everybodys, show_mine
from cogs.ui.replies import Interaction, defer, guild_of, is_answered, say
from cogs.ui.words import count

log = logging.getLogger(__name__)

KEPT_FOR_YOU = "{} could not be posted earlier and {} kept for you. `/jobs` brings it to you."


class JobsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Your trainings and pictures here: where each one is")
    @app_commands.describe(server="For admins: what everybody in this server has ordered, and what it costs")
    async def jobs(self, interaction: Interaction, server: bool = False) -> None:
        await defer(interaction)
        if server:
            await show_everybodys(interaction, 0)
            return
        await show_mine(interaction, 0)
        await self.bot.services.outbox.tell(guild_id=guild_of(interaction), user_id=interaction.user.id)

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: Interaction, _command: object) -> None:
        """Tell a member once, after something else they did, that a result is kept for them."""
        if interaction.guild_id is None or not is_answered(interaction):
            return
        told = await self.bot.services.outbox.tell(guild_id=interaction.guild_id, user_id=interaction.user.id)
        if told:
            try:
                await say(interaction, KEPT_FOR_YOU.format(count(told, "result"), "is" if told == 1 else "are"))
            except discord.HTTPException as error:
                log.info("A member could not be told of a kept result: %s", error.code)


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(JobsCog(bot))
