"""The poster: renders an outbox row as a card and hands it to Discord. Nothing else posts results."""

import asyncio
import contextlib
import io
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import aiohttp
import discord

from bot.client import DarkroomBot
from bot.generation.service import GenerationView
from bot.models import Place, PlaceKind, Post, PostKind
from bot.outbox import DELIVERIES, NotNow, PlaceRefused
from bot.services import Services
from cogs.ui import cards

log = logging.getLogger(__name__)

CALL_DEADLINE_S = 90
REQUEST_MAX_BYTES = 25 * 1024 * 1024
"""A whole message request (Discord /docs/resources/message)."""
TOO_LARGE = (40005, 50045)
UNKNOWN_MESSAGE = 10008
HISTORY_LOOKED_AT = 5000
"""Messages since the interrupted try, in pages of 100; an event's channel can take hundreds a minute."""
BANNED_FOR = timedelta(minutes=2)


class DiscordPoster:
    """Implements bot.outbox.Poster on the bot token; interactions and their tokens play no part."""

    bot: DarkroomBot | None = None
    """The present bot; a new one is set whenever the gateway has to start afresh."""

    def is_ready(self) -> bool:
        return self.bot is not None and self.bot.is_ready() and not self.bot.is_closed()

    @property
    def _bot(self) -> DarkroomBot:
        if self.bot is None:
            raise NotNow("not connected yet")
        return self.bot

    @property
    def _services(self) -> Services:
        return self._bot.services

    async def send(self, post: Post, place: Place) -> int:
        async with _mapped_errors():
            channel = await self._open(post, place)
            if post.kind is PostKind.PICTURES:
                return await self._send_pictures(channel, post)
            return await self._send_card(channel, post, await self._card(post), [])

    async def edit(self, post: Post, place: Place) -> None:
        assert post.message_id is not None  # noqa: S101 - the outbox edits only what was posted
        async with _mapped_errors():
            channel = await self._open(post, place)
            message = channel.get_partial_message(post.message_id)
            await message.edit(view=await self._card(post), allowed_mentions=discord.AllowedMentions.none())

    async def find(self, post: Post, place: Place) -> int | None:
        if post.sending_at is None or self._bot.user is None:
            return None
        async with _mapped_errors():
            channel = await self._open(post, place)
            start = discord.Object(discord.utils.time_snowflake(post.sending_at - timedelta(minutes=1)))
            try:
                async for message in channel.history(limit=HISTORY_LOOKED_AT, after=start, oldest_first=True):
                    if message.author.id == self._bot.user.id and _holds_line(message, cards.footer(post)):
                        return message.id
            except discord.Forbidden:
                log.info("The history of a channel may not be read; the post is sent again under its nonce")
        return None

    async def _open(self, post: Post, place: Place) -> discord.PartialMessageable | discord.DMChannel:
        if place.kind is PlaceKind.USER:
            return await self._bot.create_dm(discord.Object(place.id))
        return self._bot.get_partial_messageable(place.id, guild_id=post.guild_id)

    async def _card(self, post: Post) -> discord.ui.LayoutView:
        guild = self._bot.get_guild(post.guild_id)
        return await render(self._services, post, guild_name=guild.name if guild else "your server")

    async def _send_pictures(self, channel: discord.abc.Messageable, post: Post) -> int:
        """The originals byte for byte when they fit; else smaller copies; else links."""
        view = await _generation(self._services, post)
        async for files, links, note in versions(self._services, view, self._size_limit(post)):
            card = cards.pictures_card(view, cards.footer(post), [name for name, _ in files], links, note)
            try:
                return await self._send_card(channel, post, card, files)
            except discord.HTTPException as error:
                if not files or not _is_too_large(error):
                    raise
        raise AssertionError("the last version has no files and so always fits")

    async def _send_card(
        self,
        channel: discord.abc.Messageable,
        post: Post,
        card: discord.ui.LayoutView,
        files: Sequence[tuple[str, bytes]],
    ) -> int:
        # A File can be sent only once (Rapptz/discord.py#4022), so each try gets new ones.
        attachments = [discord.File(io.BytesIO(data), filename=name) for name, data in files]
        try:
            message = await channel.send(
                view=card,
                files=attachments,
                nonce=post.nonce,
                allowed_mentions=_mentions(post),
            )
        except discord.NotFound as error:
            # Discord answers this when the nonce's message was posted and then deleted (Rapptz/discord.py#10116).
            if error.code == UNKNOWN_MESSAGE:
                return 0
            raise
        return message.id

    def _size_limit(self, post: Post) -> int:
        guild = self._bot.get_guild(post.guild_id)
        return guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES


async def render(services: Services, post: Post, *, guild_name: str) -> discord.ui.LayoutView:
    """The card that shows the subject's present state; PlaceRefused when the subject has been erased."""
    line = cards.footer(post)
    if post.kind is PostKind.KEY_PAUSED:
        key = await services.keys.get(post.subject_id)
        if key is None:
            raise PlaceRefused("the key is gone")
        return cards.key_paused_card(key, guild_name, line)
    if post.kind is PostKind.PICTURES_FAILED:
        return cards.pictures_failed_card(await _generation(services, post), line)
    training = await services.trainings.view(post.subject_id)
    if training is None:
        raise PlaceRefused("the training is gone")
    if post.kind is PostKind.TRAINING_READY:
        return cards.training_ready_card(training, line)
    if post.kind is PostKind.TRAINING_FAILED:
        return cards.training_failed_card(training, line)
    return cards.training_status_card(training, line)


async def versions(
    services: Services, view: GenerationView, limit: int
) -> AsyncIterator[tuple[list[tuple[str, bytes]], list[str], str]]:
    """(files, links, note) from the best version to the one that always fits."""
    paths = [file for file in view.files if file is not None]
    if paths and _fit(paths, limit):
        originals = [await asyncio.to_thread(path.read_bytes) for path in paths]
        yield _named(view, originals, view.generation.settings.format), [], ""
    if paths:
        share = min(limit, REQUEST_MAX_BYTES // len(paths)) * 9 // 10
        copies = [await services.desk.smaller_copy(path, share) for path in paths]
        yield _named(view, copies, "jpg"), [], "These are smaller copies; the originals are too large for this server."
    note = "The pictures are too large to attach here; the links work for about a day."
    yield [], [picture.url for picture in view.pictures], note


async def _generation(services: Services, post: Post) -> GenerationView:
    view = await services.generations.view(post.subject_id)
    if view is None:
        raise PlaceRefused("the pictures are gone")
    return view


async def render_kept(
    services: Services, post: Post, limit: int
) -> tuple[discord.ui.LayoutView, list[tuple[str, bytes]]]:
    """(card, files) of a post that no place would take, for its owner to see privately; `limit` in bytes a file."""
    if post.kind is not PostKind.PICTURES:
        return await render(services, post, guild_name=""), []
    view = await _generation(services, post)
    async for files, links, note in versions(services, view, limit):
        return cards.pictures_card(view, cards.footer(post), [name for name, _ in files], links, note), files
    raise AssertionError("there is always a version")


@contextlib.asynccontextmanager
async def _mapped_errors() -> AsyncIterator[None]:
    """Discord's answers in the outbox's two words."""
    try:
        async with asyncio.timeout(CALL_DEADLINE_S):
            yield
    except (discord.Forbidden, discord.NotFound) as error:
        raise PlaceRefused(f"{error.status} / {error.code}") from error
    except discord.RateLimited as error:
        raise NotNow("rate limited", retry_after=timedelta(seconds=error.retry_after)) from error
    except discord.HTTPException as error:
        if error.status == 429:
            # A 429 that discord.py does not wait for comes from Discord's edge: stop calling for a while.
            raise NotNow("Discord refuses calls from this address", retry_after=BANNED_FOR) from error
        if error.status in (400, 413):
            log.error("Discord rejects a post's content: %s / %s", error.status, error.code)
            raise PlaceRefused(f"{error.status} / {error.code}") from error
        raise NotNow(f"{error.status} / {error.code}") from error
    except (TimeoutError, OSError, aiohttp.ClientError, discord.ConnectionClosed) as error:
        raise NotNow(type(error).__name__) from error


def _mentions(post: Post) -> discord.AllowedMentions:
    """An outcome tells its member; a status message tells nobody."""
    told = [discord.Object(post.user_id)] if post.kind in DELIVERIES else []
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=told)


def _named(view: GenerationView, contents: Sequence[bytes], suffix: str) -> list[tuple[str, bytes]]:
    """ASCII names of our own, so that attachment:// finds them."""
    return [(f"darkroom-{view.generation.id}-{number}.{suffix}", data) for number, data in enumerate(contents, start=1)]


def _fit(files: Sequence[Path], limit: int) -> bool:
    sizes = [file.stat().st_size for file in files]
    return all(size <= limit for size in sizes) and sum(sizes) <= REQUEST_MAX_BYTES * 9 // 10


def _is_too_large(error: discord.HTTPException) -> bool:
    return error.status == 413 or error.code in TOO_LARGE


def _holds_line(message: discord.Message, line: str) -> bool:
    """Whether one of the message's text displays, nested or not, holds this line."""
    texts = [item for component in message.components for item in _text_displays(component)]
    return any(line in text.content.splitlines() for text in texts)


def _text_displays(component: discord.Component) -> Iterator[discord.TextDisplay]:
    if isinstance(component, discord.TextDisplay):
        yield component
    elif isinstance(component, discord.components.Container):
        for child in component.children:
            yield from _text_displays(child)
