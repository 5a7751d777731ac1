"""The posts of events: for each kind its card as things are now, with the files it shows."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.errors import FileDamaged
from bot.events.ballot.charts import draw_votes
from bot.events.ballot.service import BallotEntry
from bot.events.banner import banner_name
from bot.events.views import EventView
from bot.moderation.texts import is_explicit
from bot.photos.sheet import SheetEntry
from bot.pictures.service import PictureSet
from bot.ports import PlaceRefused
from bot.records.ballot import Honour
from bot.records.dataset import Verdict
from bot.records.event import AnnouncementKind, DepictionStatus, Event
from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.events.announcements import announcement_card
from cogs.events.member.ballot import COPY_BYTES, FILES_MAX, SHEET_MAX, ballot_card, shown_files, uses_sheet
from cogs.events.member.depictions import depiction_card, gone_card
from cogs.events.panel import panel_card
from cogs.events.reminders import NOTHING_LEFT, is_too_late, render_vote_reminder
from cogs.events.texts import banner_words
from cogs.pictures.cards import ALT_TEXT_MAX, alt_text, is_of_a_lora
from cogs.ui.layout import SHEET_FILE, SafeLayout
from cogs.ui.replies import File
from cogs.ui.words import count

Draft = tuple[SafeLayout, list[File]]

EVENT_POSTS = frozenset(
    {
        PostKind.EVENT_PANEL,
        PostKind.EVENT_BALLOT,
        PostKind.EVENT_ANNOUNCEMENT,
        PostKind.DEPICTION,
        PostKind.VOTE_REMINDER,
    }
)
GONE = "what it shows is gone"
VOTES_FILE = "votes.jpg"


async def render_event_post(services: Services, post: Post, *, guild_name: str, is_private: bool) -> Draft:
    """(card, files) for a new message of any kind but a panel's; PlaceRefused when what it shows has been erased."""
    if post.kind is PostKind.EVENT_BALLOT:
        view = await _view(services, post.subject_id)
        entries = await services.ballots.shown(post.subject_id)
        files = await _ballot_files(services, view.event, entries)
        return ballot_card(view.event, entries), files
    if post.kind is PostKind.EVENT_ANNOUNCEMENT:
        return await _announcement(services, post, is_private=is_private)
    if post.kind is PostKind.VOTE_REMINDER:
        return await render_vote_reminder(services, post, guild_name), []
    return await _depiction(services, post, guild_name)


async def panel_view(services: Services, post: Post) -> EventView:
    """What a panel's card and its banner are both made of; PlaceRefused when the event has been erased."""
    return await _view(services, post.subject_id)


def render_panel(view: EventView, *, has_banner: bool = True) -> SafeLayout:
    banner = [(banner_name(view.event), banner_words(view.event))] if has_banner else []
    return panel_card(view, banner)


async def banner_file(services: Services, event: Event) -> File:
    """What a panel of this event shows at its head."""
    return banner_name(event), await services.banners.picture(event)


async def render_event_edit(services: Services, post: Post, *, guild_name: str) -> SafeLayout:
    """The card alone, for a message whose files stay as they are."""
    if post.kind is PostKind.EVENT_BALLOT:
        view = await _view(services, post.subject_id)
        return ballot_card(view.event, await services.ballots.shown(post.subject_id))
    if post.kind is not PostKind.DEPICTION:
        raise PlaceRefused(GONE)
    asked = await services.depictions.depiction(post.subject_id)
    return gone_card() if asked is None else depiction_card(asked, guild_name)


async def _depiction(services: Services, post: Post, guild_name: str) -> Draft:
    """The question with a contact sheet of the photos in question."""
    asked = await services.depictions.depiction(post.subject_id)
    if asked is None:
        raise PlaceRefused(GONE)
    is_open = asked.depiction.status is DepictionStatus.PENDING
    sheet = await services.datasets.sheet(asked.photos) if is_open else None
    return depiction_card(asked, guild_name), [] if sheet is None else [(SHEET_FILE, sheet)]


async def _view(services: Services, event_id: int) -> EventView:
    view = await services.events.view(event_id)
    if view is None:
        raise PlaceRefused(GONE)
    return view


async def _announcement(services: Services, post: Post, *, is_private: bool) -> Draft:
    announcement = await services.events.announcement(post.subject_id)
    if announcement is None:
        raise PlaceRefused(GONE)
    view = await _view(services, announcement.event_id)
    if is_too_late(view, announcement):
        raise PlaceRefused(NOTHING_LEFT)
    is_won = announcement.what is AnnouncementKind.WINNER
    shown = await _winning_pictures(services, view.winners) if is_won else []
    plot = await _plot(services, view.event) if is_won else None
    names = [(name, alt_text(found, number)) for name, found, number, _ in shown]
    votes = [] if plot is None else [(VOTES_FILE, plot[0])]
    sets = list(dict.fromkeys(found.generation.id for _, found, _, _ in shown if is_of_a_lora(found)))
    card = announcement_card(view, announcement, names, sets, votes, is_private=is_private)
    files = [(name, data) for name, _, _, data in shown]
    return card, files if plot is None else [*files, (VOTES_FILE, plot[1])]


async def _plot(services: Services, event: Event) -> tuple[str, bytes] | None:
    """(alt text, picture) of the votes; None when nobody voted."""
    counts = await services.results.vote_counts(event.id)
    if not counts:
        return None
    said = [
        f"{'number ' * (each.label is None)}{each.label or each.number}: {count(each.votes, 'vote')}" for each in counts
    ]
    drawn = await asyncio.to_thread(draw_votes, event.name, counts)
    return f"Bars of the votes: {', '.join(said)}"[:ALT_TEXT_MAX], drawn


async def _winning_pictures(services: Services, winners: Sequence[Honour]) -> list[tuple[str, PictureSet, int, bytes]]:
    """(file name, set, number in it, copy) of those that are still on disk, without explicit ones."""
    shown: list[tuple[str, PictureSet, int, bytes]] = []
    for honour in winners[: FILES_MAX - 1]:
        found = None if honour.picture_id is None else await services.pictures.find_by_picture(honour.picture_id)
        path = None if found is None else found[0].view.file_of(found[1].position)
        if found is None or path is None or found[0].generation.deleted_at is not None:
            continue
        if is_explicit(found[0].generation.prompt):
            continue
        try:
            copy = await services.pool.smaller_copy(path, COPY_BYTES)
        except FileDamaged:
            continue
        shown.append((f"winner-{honour.id}.jpg", found[0], found[1].position, copy))
    return shown


async def _ballot_files(services: Services, event: Event, entries: Sequence[BallotEntry]) -> list[File]:
    """Copies, not originals: those could say in their metadata who ordered them."""
    names = [name for name, _ in shown_files(event, entries)]
    if uses_sheet(entries):
        return [(names[0], await _sheet(services, entries[:SHEET_MAX]))]
    numbered = [
        (picture.file, entry.position) for entry in entries for picture in entry.pictures if picture.file is not None
    ]
    copies = [await services.pool.smaller_copy(path, COPY_BYTES, number) for path, number in numbered]
    return list(zip(names, copies, strict=True))


async def _sheet(services: Services, entries: Sequence[BallotEntry]) -> bytes:
    """Contact sheets are drawn from JPEG files."""
    with tempfile.TemporaryDirectory(prefix="darkroom-ballot-") as name:
        tiles = []
        for entry in entries:
            source = next((picture.file for picture in entry.pictures if picture.file is not None), None)
            copy = None if source is None else Path(name) / f"{entry.position}.jpg"
            if source is not None and copy is not None:
                copy.write_bytes(await services.pool.smaller_copy(source, COPY_BYTES))
            tiles.append(SheetEntry(entry.position, copy, Verdict.ACCEPTED))
        return await services.pool.sheet(tiles)
