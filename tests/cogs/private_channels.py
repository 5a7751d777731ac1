"""A channel that the bot and some members see, and nobody else."""

from typing import Any

import discord
import simcord

from tests.cogs.simulated_guild import Stage


def private_channel(stage: Stage, *members: simcord.MemberActor) -> simcord.ChannelHandle:
    """Nobody else sees it; the bot does."""
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    assert bot.user is not None
    guild = bot.get_guild(stage.world.guild.id)
    assert guild is not None
    seen = discord.PermissionOverwrite(view_channel=True, send_messages=True)
    hidden = discord.PermissionOverwrite(view_channel=False)
    overwrites: dict[Any, discord.PermissionOverwrite] = {guild.default_role: hidden, bot.user: seen}
    return stage.world.guild.create_text_channel("private", overwrites=overwrites | dict.fromkeys(members, seen))
