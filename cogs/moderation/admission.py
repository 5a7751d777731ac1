"""What everybody passes who uses a command, button, choice or form: are they blocked, do they moderate or host?"""

import discord

from bot.client import DarkroomBot
from bot.errors import NotAllowed
from bot.moderation.service import BLOCKED
from cogs.ui.replies import FOR_EVERYBODY, HOSTS, IS_BLOCKED, MODERATES, Interaction

RIGHTS_OF_EVERYBODY = frozenset({"privacy", "me"})
"""Commands that a blocked member can still use: what is kept about them, and questions about their own photos and face,
stay theirs."""


async def admit(interaction: Interaction) -> None:
    """NotAllowed for a blocked member; notes whether the member has the role of moderators, or of hosts of events.

    It is asked anew for each press and each form that is sent. In a private message the services decide.
    """
    user, guild = interaction.user, interaction.guild
    if interaction.guild_id is None:
        return
    role_ids = frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset[int]()
    standing = await interaction.client.services.moderation.standing(interaction.guild_id, user.id, role_ids)
    if standing.is_moderator:
        interaction.extras[MODERATES] = True
    if standing.is_event_host:
        interaction.extras[HOSTS] = True
    is_owner = guild is not None and guild.owner_id == user.id
    if standing.is_blocked and not is_owner:
        if not _is_for_everybody(interaction):
            raise NotAllowed(BLOCKED)
        interaction.extras[IS_BLOCKED] = True


def _is_for_everybody(interaction: Interaction) -> bool:
    command = interaction.command
    return FOR_EVERYBODY in interaction.extras or (
        command is not None and command.qualified_name.partition(" ")[0] in RIGHTS_OF_EVERYBODY
    )


async def setup(bot: DarkroomBot) -> None:
    bot.admit = admit
