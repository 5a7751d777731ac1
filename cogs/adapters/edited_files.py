"""The files that the edit of a message has to list, as Discord drops all others."""

import logging
from typing import Any

import discord

from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.adapters.kept_files import kept_files, named_files
from cogs.events.posts import new_files
from cogs.ui.replies import attached

log = logging.getLogger(__name__)


async def edited_files(
    services: Services, channel: discord.abc.Messageable, post: Post, view: discord.ui.LayoutView
) -> Any:
    """Those that the card shows: the message has them; a panel's banner comes anew when it is another one."""
    assert post.message_id is not None  # the outbox edits only what was posted
    kept = await _kept_files(channel, post.message_id, view)
    there = set() if kept is discord.utils.MISSING else {each.filename for each in kept}
    if post.kind is not PostKind.EVENT_PANEL or there >= named_files(view):
        return kept
    return attached(await new_files(services, post))


async def _kept_files(channel: discord.abc.Messageable, message_id: int, view: discord.ui.LayoutView) -> Any:
    names = named_files(view)
    if not names:
        return []
    try:
        message = await channel.fetch_message(message_id)
    except discord.Forbidden:
        log.info("A message may not be read again; its edit does not list the files that stay")
        return discord.utils.MISSING
    return kept_files(message.attachments, message.components, names)
