"""Whose photos a message shows: who has to be asked before somebody else uses them, and what the asker is told."""

import asyncio
from collections.abc import Sequence
from typing import Final

import discord

from bot.errors import UserError
from bot.records.dataset import Upload
from bot.records.post import PostKind
from bot.requests.service import RequestView
from cogs.requests.cards import asked_sentence
from cogs.ui.layout import SHEET_FILE
from cogs.ui.replies import Interaction, say

LOOK_S: Final = 1.5
"""Seconds to look for the message behind a forwarded one; an interaction has to be answered within 3."""
A_BOT: Final = (
    "A bot or an app posted these, so nobody can be asked whether you may use them. "
    "If they are yours, please upload them with `/dataset add` or `/imagine`."
)
A_SHEET: Final = (
    "This sheet of mine shows photos that members gave, so nothing is made from it. "
    "Please pick the message with the photos themselves."
)
UNKNOWN: Final = (
    "This was forwarded from a place that Darkroom cannot see, so it cannot ask whose photos these are. "
    "If they are yours, please upload them with `/dataset add` or `/imagine`."
)


async def say_asked(interaction: Interaction, view: RequestView) -> None:
    """Tell the asker that the author is asked now."""
    questions = interaction.client.services.questions
    notes = await questions.notes(PostKind.PHOTO_REQUEST, [view.request.id])
    await say(interaction, " ".join([asked_sentence(view), *notes]))


async def author_to_ask(interaction: Interaction, message: discord.Message, uploads: Sequence[Upload]) -> int | None:
    """The member to ask about these pictures of the message; None when it is the one who acts, or when Darkroom made
    them.

    UserError when nobody can be asked. Of a forwarded message the first author counts, not who has forwarded it.
    """
    if message.message_snapshots:
        message = await _original(interaction, message)
    if message.author.id == interaction.user.id:
        return None
    if _is_ours(interaction, message):
        if any(upload.name == SHEET_FILE for upload in uploads):
            raise UserError(A_SHEET)
        return None
    if message.author.bot or message.webhook_id is not None:
        raise UserError(A_BOT)
    return message.author.id


def _is_ours(interaction: Interaction, message: discord.Message) -> bool:
    """What the bot posted, or answered with, which Discord sends as a webhook of the application."""
    own = interaction.client.user
    return own is not None and message.author.id == own.id and message.webhook_id in {None, interaction.application_id}


async def _original(interaction: Interaction, forwarded: discord.Message) -> discord.Message:
    """A forwarded message does not tell who wrote it (Discord /docs/resources/message, message snapshot)."""
    reference = forwarded.reference
    if reference is None or reference.message_id is None:
        raise UserError(UNKNOWN)
    channel = interaction.client.get_partial_messageable(reference.channel_id, guild_id=reference.guild_id)
    try:
        async with asyncio.timeout(LOOK_S):
            found = await channel.fetch_message(reference.message_id)
    except (discord.HTTPException, OSError, TimeoutError) as error:
        raise UserError(UNKNOWN) from error
    return found if not found.message_snapshots else await _original(interaction, found)
