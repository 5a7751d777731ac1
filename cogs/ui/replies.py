"""The one error door, and short private answers."""

import logging
import secrets

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.models import Channel

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]

ALREADY_ANSWERED = 40060
INTERACTION_GONE = (10062, 10015, 50027)
"""Unknown interaction, unknown webhook (its token), invalid token (Discord /docs/topics/opcodes-and-status-codes)."""


def guild_of(interaction: Interaction) -> int:
    """The guild this was used in; every command is for guilds only, so there is one."""
    if interaction.guild_id is None:
        raise UserError("This works only inside a server.")
    return interaction.guild_id


def channel_of(interaction: Interaction) -> Channel:
    channel = interaction.channel
    if channel is None or interaction.channel_id is None:
        raise UserError("This works only inside a channel.")
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    return Channel(interaction.channel_id, parent_id)


def is_admin(interaction: Interaction) -> bool:
    """Manage Server, or the owner."""
    owner = interaction.guild is not None and interaction.guild.owner_id == interaction.user.id
    return owner or interaction.permissions.manage_guild


async def defer(interaction: Interaction, *, thinking: bool = True) -> None:
    """Acknowledge within 3 seconds. An answer that our own repeated call already gave counts as given."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=thinking)
    except discord.HTTPException as error:
        if error.code != ALREADY_ANSWERED:
            raise


async def say(interaction: Interaction, text: str) -> None:
    """One private sentence, whatever has been answered before."""
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True)
    else:
        await interaction.response.send_message(text, ephemeral=True)


async def show(interaction: Interaction, view: discord.ui.LayoutView, files: list[discord.File] | None = None) -> None:
    """A private card: answers the interaction, or fills in the answer it is still waiting for."""
    if interaction.response.is_done():
        await interaction.edit_original_response(view=view, attachments=files or [])
    else:
        await interaction.response.send_message(view=view, files=files or [], ephemeral=True)


async def show_error(interaction: Interaction, error: Exception) -> None:
    """Answer the person: expected errors with their sentence, others with a number that is in the log."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.HTTPException) and cause.code in (ALREADY_ANSWERED, *INTERACTION_GONE):
        # discord.py repeats an answer that got a 5xx; when Discord had taken the first one, the second is refused.
        log.info("An answer was given already or came too late for its interaction (%s)", cause.code)
        return
    if isinstance(cause, UserError):
        sentence = str(cause)
    elif isinstance(cause, app_commands.CheckFailure):
        sentence = "You need the **Manage Server** permission for this."
    else:
        incident = secrets.token_hex(3)
        log.error("Incident %s", incident, exc_info=cause)
        sentence = f"Something went wrong on our side, and nothing was lost. If it happens again, mention `{incident}`."
    try:
        await say(interaction, sentence)
    except discord.HTTPException as failure:
        log.info("An error could not be shown: %s", failure.code)
