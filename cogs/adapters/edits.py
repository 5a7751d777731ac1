"""Edits of messages with the files that they list, as Discord drops all others."""

import logging
from typing import Any

import discord

from bot.client import DarkroomBot
from bot.records.post import Post
from cogs.adapters.kept_files import kept_files, named_files
from cogs.adapters.pings import name_the_quiet
from cogs.events.posts import banner_file, panel_view, render_panel
from cogs.ui.replies import attached

log = logging.getLogger(__name__)


async def edit_panel(bot: DarkroomBot, post: Post, message: discord.PartialMessage) -> None:
    """Show the event as it is now; the banner comes anew when it is another one."""
    view = await panel_view(bot.services, post)
    card = render_panel(view, post)
    await name_the_quiet(bot, post, card)
    files = await files_kept(message, card)
    there = set() if files is discord.utils.MISSING else {each.filename for each in files}
    if not there >= named_files(card):
        files = attached([await banner_file(bot.services, view.event)])
    await message.edit(view=card, attachments=files, allowed_mentions=discord.AllowedMentions.none())


async def files_kept(message: discord.PartialMessage, card: discord.ui.LayoutView) -> Any:
    """Those of the message that the card shows."""
    names = named_files(card)
    if not names:
        return []
    try:
        found = await message.fetch()
    except discord.Forbidden:
        log.info("A message may not be read again; its edit does not list the files that stay")
        return discord.utils.MISSING
    return kept_files(found.attachments, found.components, names)
