"""What a post looks like: its card, and for pictures the files with it, from the best version to the smallest."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.errors import FileDamaged
from bot.moderation import texts
from bot.pictures.service import PictureSet
from bot.ports import PlaceRefused
from bot.records.generation import Picture
from bot.records.guild import PlaceKind
from bot.records.post import OF_A_SET, Post, PostKind
from bot.services import Services
from cogs.adapters.asking import ASKING, render_asking
from cogs.adapters.staff import draft_of_approval, render_for_admin, render_for_moderators
from cogs.events.posts import (
    EVENT_POSTS,
    Draft,
    banner_file,
    panel_view,
    render_event_edit,
    render_event_post,
    render_panel,
)
from cogs.pictures import cards as picture_cards
from cogs.pictures.files import REQUEST_MAX_BYTES, file_name, fits, originals
from cogs.pictures.takedowns import takedown_card
from cogs.removals.cards import receipts_card
from cogs.training import cards
from cogs.ui.layout import SafeLayout
from cogs.ui.replies import File

SMALLER = "These are smaller copies; **Save original** gives what fits."
LARGE = "too large to attach here"
LIVE = "the links work for about a day."
ENDED = "the provider's links have ended."
COPY_LEAST_BYTES = 100_000

Version = tuple[Mapping[int, File], Sequence[Picture], str]
"""Files by the number of their picture, pictures that are not among them, and a note."""


async def drafts(
    services: Services, post: Post, limit: int, *, guild_name: str, is_private: bool, takes_explicit: bool
) -> AsyncIterator[Draft]:
    """(card, files) from the best version to one that always fits; `limit` in bytes a file.

    `takes_explicit`: it goes where explicit pictures may be. PlaceRefused when what it shows has been erased.
    """
    if post.kind in OF_A_SET:
        found, is_rest = await _pictures(services, post), post.kind is PostKind.PICTURES_LATE
        can_show = post.places[0].kind is PlaceKind.USER
        line = picture_cards.last_line(post)
        async for draft in drafts_of(
            services, found, line, limit, is_rest=is_rest, is_private=is_private, can_show=can_show
        ):
            yield draft
    elif post.kind is PostKind.GALLERY:
        async for draft in _gallery(services, post, limit):
            yield draft
    elif post.kind is PostKind.APPROVAL:
        yield await draft_of_approval(services, post, takes_explicit=takes_explicit)
    elif post.kind is PostKind.EVENT_PANEL:
        view = await panel_view(services, post)
        yield render_panel(view), [await banner_file(services, view.event)]
        yield render_panel(view, has_banner=False), []
    elif post.kind in EVENT_POSTS:
        yield await render_event_post(services, post, guild_name=guild_name, is_private=is_private)
    else:
        yield await render(services, post, guild_name=guild_name, is_private=is_private), []


async def drafts_of(
    services: Services,
    found: PictureSet,
    line: str,
    limit: int,
    *,
    is_rest: bool = False,
    is_private: bool = False,
    can_show: bool = False,
) -> AsyncIterator[Draft]:
    """The same of made pictures; `is_rest`: of those alone that came after the others."""
    can_enter = await services.ballots.can_enter(found.generation)
    found = _only_late(found) if is_rest else found
    make = picture_cards.late_card if is_rest else picture_cards.pictures_card
    async for files, linked, note in versions(services, found, limit):
        links = linked if services.pictures.has_live_links(found) else []
        names = {number: name for number, (name, _) in files.items()}
        card = make(found, line, names, links, note, is_private=is_private, can_enter=can_enter, can_show=can_show)
        yield card, list(files.values())


async def render(services: Services, post: Post, *, guild_name: str, is_private: bool = False) -> SafeLayout:
    """The card alone, as things are now; files that a message has stay. PlaceRefused when nothing is left to show."""
    if post.kind in EVENT_POSTS:
        return await render_event_edit(services, post, guild_name=guild_name)
    if post.kind in ASKING:
        return await render_asking(services, post, guild_name, is_private=is_private)
    match post.kind:
        case PostKind.KEY_PAUSED | PostKind.LEFT | PostKind.WELCOME:
            return await render_for_admin(services, post, guild_name)
        case PostKind.PICTURE_REPORT | PostKind.LOG_LINE | PostKind.APPROVAL:
            return await render_for_moderators(services, post, is_private=is_private)
        case PostKind.RECEIPT:
            return await _receipts(services, post, guild_name)
        case PostKind.TAKEDOWN:
            return takedown_card(post.subject_id, guild_name)
        case PostKind.PICTURES_FAILED:
            return picture_cards.pictures_failed_card(await _pictures(services, post), picture_cards.last_line(post))
        case PostKind.TRAINING_STATUS | PostKind.TRAINING_READY | PostKind.TRAINING_FAILED:
            return await _training(services, post)
    raise PlaceRefused("what it shows is gone, or are pictures, which are never changed once they are posted")


async def versions(services: Services, found: PictureSet, limit: int) -> AsyncIterator[Version]:
    """From the best version to one that always fits, each picture for itself: its original, else a smaller copy, else
    a link.
    """
    here = {
        picture.position: path
        for picture, path in zip(found.view.pictures, found.view.files, strict=True)
        if path is not None and path.is_file()
    }
    whole = {number: path for number, path in here.items() if fits([path], limit)}
    for kept in (whole, {}) if whole else ({},):
        files = await _files(services, found, here, kept, limit)
        if files:
            yield files, _left(found, files), _note(services, found, files, has_copies=len(files) > len(kept))
    yield {}, found.view.pictures, _note(services, found, {}, has_copies=False)


def _only_late(found: PictureSet) -> PictureSet:
    """The set with the pictures alone that came after the others."""
    late = [picture for picture in found.view.pictures if picture.position in found.generation.late]
    files = tuple(found.view.file_of(picture.position) for picture in late)
    return replace(found, view=replace(found.view, pictures=tuple(late), files=files))


async def _files(
    services: Services, found: PictureSet, here: Mapping[int, Path], kept: Mapping[int, Path], limit: int
) -> dict[int, File]:
    """The originals of `kept` and smaller copies of what else is here, by number; nothing when they do not fit."""
    room = REQUEST_MAX_BYTES - sum(path.stat().st_size for path in kept.values())
    others = {number: path for number, path in here.items() if number not in kept}
    share = min(limit, room // max(len(others), 1)) * 9 // 10
    if room < 0 or (others and share < COPY_LEAST_BYTES):
        return {}
    files = dict(zip(kept, await originals(found, list(kept), list(kept.values())), strict=True))
    for number, path in others.items():
        with contextlib.suppress(FileDamaged, FileNotFoundError):
            copy = await services.pool.smaller_copy(path, share)
            files[number] = (file_name(found, number, "jpg"), copy)
    return dict(sorted(files.items()))


def _left(found: PictureSet, files: Mapping[int, File]) -> list[Picture]:
    return [picture for picture in found.view.pictures if picture.position not in files]


def _note(services: Services, found: PictureSet, files: Mapping[int, File], *, has_copies: bool) -> str:
    left = _left(found, files)
    reasons = list(found.linked)
    large = [str(picture.position) for picture in left if picture.file is not None]
    if large:
        reasons.append(f"Picture{'s' if large[1:] else ''} {', '.join(large)} {'are' if large[1:] else 'is'} {LARGE}")
    said = [SMALLER] if has_copies else []
    if left:
        said.append("; ".join([*reasons, LIVE if services.pictures.has_live_links(found) else ENDED]))
    return " ".join(said)


async def _gallery(services: Services, post: Post, limit: int) -> AsyncIterator[Draft]:
    """One picture: the original, else a smaller copy; PlaceRefused when there is none."""
    shown = await services.pictures.find_by_picture(post.subject_id)
    path = None if shown is None else shown[0].view.file_of(shown[1].position)
    if shown is None or path is None or shown[0].generation.deleted_at is not None:
        raise PlaceRefused("the picture is gone")
    found, picture = shown
    if fits([path], limit):
        files = await originals(found, [picture.position], [path])
        yield picture_cards.gallery_card(found, picture, [files[0][0]]), files
    try:
        copy = await services.pool.smaller_copy(path, min(limit, REQUEST_MAX_BYTES) * 9 // 10)
    except FileDamaged as error:
        raise PlaceRefused("no copy of the picture can be made") from error
    file = (file_name(found, picture.position, "jpg"), copy)
    yield picture_cards.gallery_card(found, picture, [file[0]]), [file]


async def _receipts(services: Services, post: Post, guild_name: str) -> SafeLayout:
    receipts = await services.removals.of_erasure(post.subject_id)
    if not receipts:
        raise PlaceRefused("the receipts are kept no longer")
    return receipts_card(receipts, guild_name)


async def _pictures(services: Services, post: Post) -> PictureSet:
    found = await services.pictures.find(post.subject_id)
    if found is None or found.generation.deleted_at is not None:
        raise PlaceRefused("the pictures are gone")
    return found


async def is_explicit(services: Services, post: Post) -> bool:
    """Whether what it shows is for age-restricted channels.

    Posts with pictures of several members, and those that are also a question, come without the explicit ones instead.
    """
    if post.kind is PostKind.GALLERY:
        shown = await services.pictures.find_by_picture(post.subject_id)
        found = None if shown is None else shown[0]
    elif post.kind in OF_A_SET:
        found = await services.pictures.find(post.subject_id)
    else:
        return False
    return found is not None and texts.is_explicit(found.generation.prompt)


async def _training(services: Services, post: Post) -> SafeLayout:
    training = await services.trainings.view(post.subject_id)
    if training is None:
        raise PlaceRefused("the training is gone")
    if post.kind is PostKind.TRAINING_READY:
        return cards.training_ready_card(training)
    if post.kind is PostKind.TRAINING_FAILED:
        return cards.training_failed_card(training)
    return cards.training_status_card(training)
