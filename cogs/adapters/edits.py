"""Edits of messages with the files that they list, as Discord drops all others."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import discord

from bot.client import DarkroomBot
from bot.events.banner import banner_name
from bot.records.event import Event
from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.adapters.identity import finish
from cogs.adapters.kept_files import KeptFile, kept_files, named_files
from cogs.events.posts import banner_file, panel_view, render_panel
from cogs.ui.replies import attached

log = logging.getLogger(__name__)

REFUSALS = (400, 403, 413)
"""The file is not there any more (or something else is wrong), may not be attached, is too large."""


async def edit_panel(bot: DarkroomBot, post: Post, message: discord.PartialMessage, *, may_attach: bool) -> None:
    """Show the event as it is now, with the best of its files that Discord takes.

    `may_attach`: whether a new file can be sent. A banner that is there already is neither read nor sent again.
    """
    view = await panel_view(bot.services, post)
    async for files in _banners(bot.services, post, view.event, may_attach=may_attach):
        card = render_panel(view, has_banner=bool(files))
        await finish(bot, post, card)
        try:
            edited = await message.edit(view=card, attachments=files, allowed_mentions=discord.AllowedMentions.none())
        except discord.HTTPException as error:
            if not files or not refuses_banner(post, error):
                raise
        else:
            await note_banner(bot.services, post, edited, card)
            return


def refuses_banner(post: Post, error: discord.HTTPException) -> bool:
    """Whether a panel may be taken without its banner."""
    return post.kind is PostKind.EVENT_PANEL and error.status in REFUSALS


async def note_banner(services: Services, post: Post, message: discord.Message, card: discord.ui.LayoutView) -> None:
    """Which file of its message a panel shows, for its next edits; nothing for other posts."""
    if post.kind is not PostKind.EVENT_PANEL:
        return
    files = kept_files(message.attachments, message.components, named_files(card))
    name, file_id = (files[0].filename, files[0].id) if files else (None, None)
    if (name, file_id) != (post.banner, post.banner_id):
        await services.banners.note_posted(post.id, name, file_id)


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


async def _banners(services: Services, post: Post, event: Event, *, may_attach: bool) -> AsyncIterator[list[Any]]:
    """What the message's files can be, best first: the one that it has, a new one, none."""
    name = banner_name(event)
    if post.banner == name and post.banner_id is not None:
        yield [KeptFile(post.banner_id, name)]
    if may_attach:
        yield attached([await banner_file(services, event)])
    yield []
