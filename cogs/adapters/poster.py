"""The poster: hands what an outbox row shows to Discord, and takes it back. Nothing else posts results."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import discord

from bot.client import DarkroomBot
from bot.errors import FileDamaged
from bot.ports import NotNow, PlaceRefused
from bot.records.guild import Place, PlaceKind
from bot.records.post import Post, PostKind
from cogs.adapters import rendering
from cogs.adapters.edits import edit_panel, files_kept, note_banner, refuses_banner
from cogs.adapters.identity import finish, is_of
from cogs.adapters.pings import add_mention, allowed_mentions, pings_of
from cogs.adapters.yearbooks import yearbook_draft
from cogs.events.posts import Draft
from cogs.ui.layout import SafeLayout
from cogs.ui.replies import File, attached, is_too_large
from cogs.ui.sight import Channel, is_for_everybody

log = logging.getLogger(__name__)

CALL_DEADLINE_S = 90
UNKNOWN_MESSAGE = 10008
CANNOT_REPLY = 160002
"""Without Read Message History (Discord /docs/topics/opcodes-and-status-codes)."""
HISTORY_LOOKED_AT = 5000
"""Messages since the interrupted try, in pages of 100; an event's channel can take hundreds a minute."""
BANNED_FOR = timedelta(minutes=2)


class DiscordPoster:
    """Implements bot.ports.Poster on the bot token; interactions and their tokens play no part."""

    bot: DarkroomBot | None = None
    """The present bot; a new one is set whenever the gateway has to start afresh."""

    def is_ready(self) -> bool:
        return self.bot is not None and self.bot.is_reached and not self.bot.is_closed()

    @property
    def _bot(self) -> DarkroomBot:
        if self.bot is None:
            raise NotNow("not connected yet")
        return self.bot

    async def prepare(self, post: Post) -> Draft | None:
        return await yearbook_draft(self._bot, post) if post.kind is PostKind.EVENT_YEARBOOK else None

    async def send(self, post: Post, place: Place, prepared: Draft | None = None) -> int:
        async with _mapped_errors():
            await self._check_restricted(post, place)
            channel = await self._open(post, place)
            if prepared is not None:
                return await self._send_card(channel, post, *prepared, None, place)
            return await self._send(channel, post, place)

    async def edit(self, post: Post, place: Place) -> None:
        assert post.message_id is not None  # the outbox edits only what was posted
        async with _mapped_errors():
            message = (await self._open(post, place)).get_partial_message(post.message_id)
            if post.kind is PostKind.EVENT_PANEL:
                await edit_panel(self._bot, post, message, may_attach=self._may_attach(place))
                return
            view = await self._render(post, place)
            await finish(self._bot, post, view)
            files = await files_kept(message, view)
            await message.edit(view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none())

    async def remove(self, post: Post, place: Place) -> bool:
        if not post.message_id:
            return False
        async with _mapped_errors():
            channel = await self._open(post, place)
            try:
                await channel.get_partial_message(post.message_id).delete()
            except discord.NotFound as error:
                if error.code == UNKNOWN_MESSAGE:
                    return False
                raise
        return True

    async def find(self, post: Post, place: Place) -> int | None:
        """See `bot.ports.Poster`.

        What version 0.2 and older sent has no such id: a post in whose middle one of them was killed is sent again if
        the update takes so long (minutes) that Discord has forgotten the nonce.
        """
        if post.sending_at is None or self._bot.user is None:
            return None
        async with _mapped_errors():
            channel = await self._open(post, place)
            start = discord.Object(discord.utils.time_snowflake(post.sending_at - timedelta(minutes=1)))
            try:
                async for message in channel.history(limit=HISTORY_LOOKED_AT, after=start, oldest_first=True):
                    if message.author.id == self._bot.user.id and is_of(message, post):
                        return message.id
            except discord.Forbidden:
                log.info("The history of a channel may not be read; the post is sent again under its nonce")
        return None

    async def _check_restricted(self, post: Post, place: Place) -> None:
        """PlaceRefused for explicit pictures in a channel whose age restriction has been lifted since."""
        if not self._takes_explicit(place) and await rendering.is_explicit(self._bot.services, post):
            raise PlaceRefused("explicit pictures, and the channel is not age-restricted any more")

    def _takes_explicit(self, place: Place) -> bool:
        """Whether it is private or age-restricted."""
        channel = None if place.kind is PlaceKind.USER else self._bot.get_channel(place.id)
        is_restricted = isinstance(channel, Channel | discord.Thread) and channel.is_nsfw()
        return place.kind is PlaceKind.USER or is_restricted

    def _may_attach(self, place: Place) -> bool:
        """Whether new files may be sent there, as far as Discord has told."""
        channel = None if place.kind is PlaceKind.USER else self._bot.get_channel(place.id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return True
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return True
        return channel.permissions_for(channel.guild.me).attach_files

    async def _open(self, post: Post, place: Place) -> discord.PartialMessageable | discord.DMChannel:
        if place.kind is PlaceKind.USER:
            return await self._bot.create_dm(discord.Object(place.id))
        return self._bot.get_partial_messageable(place.id, guild_id=post.guild_id)

    async def _render(self, post: Post, place: Place) -> SafeLayout:
        return await rendering.render(
            self._bot.services, post, guild_name=self._guild_name(post), is_private=place.kind is PlaceKind.USER
        )

    def _guild_name(self, post: Post) -> str:
        guild = self._bot.get_guild(post.guild_id)
        return guild.name if guild else "your server"

    async def _send(self, channel: discord.abc.Messageable, post: Post, place: Place) -> int:
        """The best version that Discord takes."""
        is_private, name, services = place.kind is PlaceKind.USER, self._guild_name(post), self._bot.services
        guild = self._bot.get_guild(post.guild_id)
        if guild is not None and post.kind is PostKind.GALLERY:
            await self._check_source(guild, post, place)
        before = await services.pictures.answered(post)
        limit = guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        seen: dict[str, bool] = {"is_private": is_private, "takes_explicit": self._takes_explicit(place)}
        async for card, files in rendering.drafts(services, post, limit, guild_name=name, **seen):
            try:
                return await self._send_card(channel, post, card, files, before, place)
            except discord.HTTPException as error:
                if not files or not (is_too_large(error) or refuses_banner(post, error)):
                    raise
        raise PlaceRefused("no version is small enough")

    async def _check_source(self, guild: discord.Guild, post: Post, place: Place) -> None:
        """PlaceRefused when the channel of a picture for the gallery was closed since it was sent there."""
        shown = await self._bot.services.pictures.find_by_picture(post.subject_id)
        source = None if shown is None else guild.get_channel_or_thread(shown[0].generation.channel_id)
        target = guild.get_channel_or_thread(place.id)
        if source is not None and target is not None and source != target and not is_for_everybody(source, target):
            raise PlaceRefused("the picture's channel is not open to everybody any more")

    async def _send_card(
        self,
        channel: discord.abc.Messageable,
        post: Post,
        card: SafeLayout,
        files: Sequence[File],
        before: Post | None,
        place: Place,
    ) -> int:
        """`before`: what it answers, which has told its member already."""
        prefers = await self._bot.services.preferences.get(post.guild_id, post.user_id)
        pings = await pings_of(self._bot, post, place)
        add_mention(card, pings)
        await finish(self._bot, post, card)
        mentions = allowed_mentions(post, pings, is_quiet=prefers.is_quiet or before is not None)
        reply: dict[str, Any] = {} if before is None else _reply_to(before, place)
        said: dict[str, Any] = {"view": card, "nonce": post.nonce, "allowed_mentions": mentions}
        try:
            try:
                message = await channel.send(files=attached(files), **said, **reply)
            except discord.HTTPException as error:
                if error.code != CANNOT_REPLY:
                    raise
                message = await channel.send(files=attached(files), **said)
        except discord.NotFound as error:
            # Discord answers this when the nonce's message was posted and then deleted (Rapptz/discord.py#10116).
            if error.code == UNKNOWN_MESSAGE:
                return 0
            raise
        await note_banner(self._bot.services, post, message, card)
        return message.id


@contextlib.asynccontextmanager
async def _mapped_errors() -> AsyncIterator[None]:
    """Discord's answers in the outbox's two words."""
    try:
        async with asyncio.timeout(CALL_DEADLINE_S):
            yield
    except (discord.Forbidden, discord.NotFound) as error:
        raise PlaceRefused(f"{error.status} / {error.code}", is_closed=error.code != UNKNOWN_MESSAGE) from error
    except FileDamaged as error:
        raise PlaceRefused(str(error)) from error
    except discord.RateLimited as error:
        raise NotNow("rate limited", retry_after=timedelta(seconds=error.retry_after)) from error
    except discord.HTTPException as error:
        if error.status == 429:
            # A 429 that discord.py does not wait for comes from Discord's edge: stop calling for a while.
            raise NotNow("Discord refuses calls from this address", retry_after=BANNED_FOR, is_outage=True) from error
        if error.status in (400, 413):
            log.error("Discord rejects a post's content: %s / %s", error.status, error.code)
            raise PlaceRefused(f"{error.status} / {error.code}") from error
        raise NotNow(f"{error.status} / {error.code}", is_outage=error.status >= 500) from error
    except (TimeoutError, OSError, aiohttp.ClientError, discord.ConnectionClosed) as error:
        raise NotNow(type(error).__name__, is_outage=True) from error


def _reply_to(before: Post, place: Place) -> dict[str, Any]:
    """What makes a message a reply to that one, if it is in the same place; without it when it was deleted."""
    if not before.message_id or before.places[before.place_index] != place:
        return {}
    reference = discord.MessageReference(message_id=before.message_id, channel_id=place.id, fail_if_not_exists=False)
    return {"reference": reference}
