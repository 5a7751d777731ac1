"""What everybody passes who uses a command, a button, a choice or a form: do they moderate?"""

import discord

from bot.client import DarkroomBot
from cogs.ui.replies import MODERATES, Interaction


async def admit(interaction: Interaction) -> None:
    """Note whether the member has the moderators' role; asked anew for each press and each form that is sent."""
    user = interaction.user
    if interaction.guild_id is None or not isinstance(user, discord.Member):
        return
    role_ids = frozenset(role.id for role in user.roles)
    if await interaction.client.services.moderation.is_moderator(interaction.guild_id, role_ids):
        interaction.extras[MODERATES] = True


async def setup(bot: DarkroomBot) -> None:
    bot.admit = admit
