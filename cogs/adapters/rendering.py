"""What a post looks like: its card, and for pictures the files with it, from the best version to the smallest."""

from collections.abc import AsyncIterator

import discord

from bot.pictures.service import PictureSet
from bot.ports import PlaceRefused
from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.events.posts import EVENT_POSTS, Draft, render_event_edit, render_event_post
from cogs.keys import key_paused_card
from cogs.loras import cards as lora_cards
from cogs.pictures import cards as picture_cards
from cogs.pictures.files import REQUEST_MAX_BYTES, file_name, fits, originals
from cogs.training import cards
from cogs.ui.replies import File

SMALLER = "These are smaller copies; **Save original** gives what fits."
LINKED = "The pictures are too large to attach here; the links work for about a day."


async def drafts(
    services: Services, post: Post, limit: int, *, guild_name: str, is_private: bool
) -> AsyncIterator[Draft]:
    """(card, files) from the best version to one that always fits; `limit` in bytes a file.

    PlaceRefused when what it shows has been erased.
    """
    if post.kind is PostKind.PICTURES:
        found = await _pictures(services, post)
        line = cards.footer(post)
        async for files, links, note in versions(services, found, limit):
            names = [name for name, _ in files]
            yield picture_cards.pictures_card(found, line, names, links, note, is_private=is_private), files
    elif post.kind is PostKind.GALLERY:
        async for draft in _gallery(services, post, limit):
            yield draft
    elif post.kind in EVENT_POSTS:
        yield await render_event_post(services, post, guild_name=guild_name, is_private=is_private)
    else:
        yield await render(services, post, guild_name=guild_name, is_private=is_private), []


async def render(services: Services, post: Post, *, guild_name: str, is_private: bool = False) -> discord.ui.LayoutView:
    """The card alone, as things are now; files that a message has stay. PlaceRefused when nothing is left to show."""
    if post.kind in EVENT_POSTS:
        return await render_event_edit(services, post, guild_name=guild_name)
    line = cards.footer(post)
    match post.kind:
        case PostKind.KEY_PAUSED:
            key = await services.keys.get(post.subject_id)
            if key is not None:
                return key_paused_card(key, guild_name, line)
        case PostKind.LORA_OFFER | PostKind.LORA_OFFER_ANSWERED:
            offer = await services.sharing.view(post.subject_id)
            if offer is not None:
                is_answer = post.kind is PostKind.LORA_OFFER_ANSWERED
                return lora_cards.offer_answered_card(offer, line) if is_answer else lora_cards.offer_card(offer, line)
        case PostKind.PICTURE_REPORT:
            report = await services.reports.view(post.subject_id)
            if report is not None:
                return picture_cards.report_card(report, line, is_private=is_private)
        case PostKind.PICTURES_FAILED:
            return picture_cards.pictures_failed_card(await _pictures(services, post), line)
        case PostKind.TRAINING_STATUS | PostKind.TRAINING_READY | PostKind.TRAINING_FAILED:
            return await _training(services, post, line)
        case PostKind.PICTURES | PostKind.GALLERY:
            raise PlaceRefused("posted pictures are never changed")
    raise PlaceRefused("what it shows is gone")


async def render_kept(services: Services, post: Post, limit: int) -> Draft:
    """(card, files) of a post that no place would take, for its owner to see privately."""
    async for draft in drafts(services, post, limit, guild_name="", is_private=False):
        return draft
    raise AssertionError("there is always a version")


async def versions(
    services: Services, found: PictureSet, limit: int
) -> AsyncIterator[tuple[list[File], list[str], str]]:
    """(files, links, note): the originals byte for byte when they fit; else smaller copies; else links."""
    paths = [file for file in found.view.files if file is not None]
    numbers = [picture.position for picture in found.view.pictures if picture.file is not None]
    if paths and fits(paths, limit):
        yield await originals(found, numbers, paths), [], ""
    if paths:
        share = min(limit, REQUEST_MAX_BYTES // len(paths)) * 9 // 10
        copies = [await services.pool.smaller_copy(path, share) for path in paths]
        yield (
            [(file_name(found, number, "jpg"), data) for number, data in zip(numbers, copies, strict=True)],
            [],
            SMALLER,
        )
    yield [], [picture.url for picture in found.view.pictures], LINKED


async def _gallery(services: Services, post: Post, limit: int) -> AsyncIterator[Draft]:
    """One picture: the original, else a smaller copy."""
    shown = await services.pictures.find_by_picture(post.subject_id)
    path = None if shown is None else shown[0].view.files[shown[1].position - 1]
    if shown is None or path is None or shown[0].generation.deleted_at is not None:
        raise PlaceRefused("the picture is gone")
    found, picture = shown
    line = cards.footer(post)
    if fits([path], limit):
        files = await originals(found, [picture.position], [path])
        yield picture_cards.gallery_card(found, picture, line, [files[0][0]]), files
    copy = await services.pool.smaller_copy(path, min(limit, REQUEST_MAX_BYTES) * 9 // 10)
    file = (file_name(found, picture.position, "jpg"), copy)
    yield picture_cards.gallery_card(found, picture, line, [file[0]]), [file]


async def _pictures(services: Services, post: Post) -> PictureSet:
    found = await services.pictures.find(post.subject_id)
    if found is None or found.generation.deleted_at is not None:
        raise PlaceRefused("the pictures are gone")
    return found


async def _training(services: Services, post: Post, line: str) -> discord.ui.LayoutView:
    training = await services.trainings.view(post.subject_id)
    if training is None:
        raise PlaceRefused("the training is gone")
    if post.kind is PostKind.TRAINING_READY:
        return cards.training_ready_card(training, line)
    if post.kind is PostKind.TRAINING_FAILED:
        return cards.training_failed_card(training, line)
    return cards.training_status_card(training, line)
