"""The yearbook as everybody reads it: its sheet and its PDF in one message, made when it is sent."""

import asyncio

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.events.yearbook.service import BookChanged, Yearbook
from bot.ports import NotNow, PlaceRefused
from bot.records.post import Post
from cogs.events.member.yearbook import SHEET_FILE, public_card
from cogs.events.people import people_of
from cogs.events.posts import GONE, Draft
from cogs.ui.replies import UPLOAD_MAX, File

SHEET_ROOM = 1_000_000
"""Most bytes of the sheet, which goes with the PDF."""


async def yearbook_draft(bot: DarkroomBot, post: Post) -> Draft:
    """(card, files) as things are now; PlaceRefused when there is no yearbook any more."""
    services, guild = bot.services, bot.get_guild(post.guild_id)
    view = await services.events.view(post.subject_id)
    if view is None or guild is None:
        raise PlaceRefused(GONE)
    people = await people_of(bot, guild, {view.event.host_id, *(each.user_id for each in view.entrants)})
    names, handles = {each.id: each.display_name for each in people}, {each.id: each.name for each in people}
    limit = min(guild.filesize_limit, UPLOAD_MAX - SHEET_ROOM)
    try:
        yearbook = await services.yearbooks.make_for_all(view.event.id, names, limit, handles)
    except BookChanged as error:
        raise NotNow("somebody in the yearbook has changed their mind meanwhile") from error
    except UserError as error:
        raise PlaceRefused(str(error)) from error
    try:
        files = await asyncio.to_thread(_files, yearbook)
    finally:
        services.yearbooks.discard(yearbook)
    return public_card(view.event, yearbook, has_web=services.galleries.is_offered), files


def _files(yearbook: Yearbook) -> list[File]:
    found = [(SHEET_FILE, yearbook.sheet)]
    return found if yearbook.pdf is None else [*found, (yearbook.pdf.name, yearbook.pdf.path.read_bytes())]
