"""Keeps what admins chose under Server settings -> Integrations fresh, for the buttons and forms that obey it."""

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.ui.access import CommandAccess


class PermissionsCog(commands.Cog):
    def __init__(self, access: CommandAccess) -> None:
        self.access = access

    @commands.Cog.listener()
    async def on_raw_app_command_permissions_update(self, changed: discord.RawAppCommandPermissionsUpdateEvent) -> None:
        self.access.forget(changed.guild.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """A new session: what changed since the last one ended was told to nobody."""
        self.access.forget_all()


async def setup(bot: DarkroomBot) -> None:
    access = CommandAccess(bot)
    bot.check_command = access.check
    await bot.add_cog(PermissionsCog(access))
