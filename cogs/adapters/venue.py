"""What an event needs of Discord besides posts: its thread, its pin, the winner's role, the calendar."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

import aiohttp
import discord

from bot.client import DarkroomBot
from bot.ports import NotNow, ReadinessCheck
from bot.records.event import Event, EventStatus
from bot.text import cite
from cogs.adapters.venue_checks import are_pins_taken, checks_of

log = logging.getLogger(__name__)

CALL_DEADLINE_S = 60
THREAD_EXISTS = 160004
"""The message has a thread already, and a thread has the id of its message (Discord /docs/topics/threads)."""
WEEK_MINUTES: Literal[10080] = 10080
"""The longest time without a message after which Discord archives a thread (Discord /docs/resources/channel)."""
STARTS_IN = timedelta(minutes=1)
"""Discord takes scheduled events of the future only (Discord /docs/resources/guild-scheduled-event)."""
TRAINING_TAKES = timedelta(hours=2)
"""Training has no deadline; the calendar wants an end."""
DESCRIPTION_MAX = 900


class DiscordVenue:
    """Implements bot.ports.Venue."""

    bot: DarkroomBot | None = None
    """The present bot; a new one is set whenever the gateway has to start afresh."""

    async def check(self, event: Event) -> Sequence[ReadinessCheck]:
        guild = self._guild(event.guild_id)
        async with _only_not_now():
            are_taken = await are_pins_taken(event, guild)
        return checks_of(event, guild, are_pins_taken=are_taken)

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        bot = self._connected()
        channel = bot.get_partial_messageable(event.channel_id, guild_id=event.guild_id)
        message = channel.get_partial_message(message_id)
        async with _only_not_now():
            try:
                thread = await message.create_thread(name=_plain(event.name), auto_archive_duration=WEEK_MINUTES)
            except discord.HTTPException as error:
                if error.code == THREAD_EXISTS:
                    return message_id
                _raise_if_passing(error)
                log.info("An event's thread cannot be made: %s / %s", error.status, error.code)
                return None
        return thread.id

    async def set_pinned(self, guild_id: int, channel_id: int, message_id: int, *, is_pinned: bool) -> bool:
        channel = self._connected().get_partial_messageable(channel_id, guild_id=guild_id)
        message = channel.get_partial_message(message_id)
        async with _only_not_now():
            try:
                await (message.pin() if is_pinned else message.unpin())
            except discord.HTTPException as error:
                _raise_if_passing(error)
                log.info("An event's panel cannot be pinned or unpinned: %s / %s", error.status, error.code)
                return False
        return True

    async def set_role(self, guild_id: int, user_id: int, role_id: int, *, is_given: bool) -> bool:
        guild, role = self._guild(guild_id), discord.Object(role_id)
        async with _only_not_now():
            try:
                member = await guild.fetch_member(user_id)
                await (member.add_roles(role) if is_given else member.remove_roles(role))
            except discord.HTTPException as error:
                _raise_if_passing(error)
                log.info("A winner's role cannot be given or taken: %s / %s", error.status, error.code)
                return False
        return True

    async def put_on_calendar(self, event: Event) -> int | None:
        guild = self._guild(event.guild_id)
        async with _only_not_now():
            try:
                entry = await self._find(guild, event)
                entry = await (_schedule(guild, event) if entry is None else _move(entry, event))
            except discord.HTTPException as error:
                _raise_if_passing(error)
                log.info("An event cannot be put on the calendar: %s / %s", error.status, error.code)
                return None
        return entry.id

    async def end_on_calendar(self, event: Event) -> None:
        if event.calendar_id is None:
            return
        guild = self._guild(event.guild_id)
        async with _only_not_now():
            try:
                entry = await guild.fetch_scheduled_event(event.calendar_id, with_counts=False)
                await _end(entry, is_finished=event.status is EventStatus.FINISHED)
            except discord.HTTPException as error:
                _raise_if_passing(error)
                log.info("An event's calendar entry is left as it is: %s / %s", error.status, error.code)

    async def _find(self, guild: discord.Guild, event: Event) -> discord.ScheduledEvent | None:
        """The one that an earlier, interrupted try made: ours, with the event's line in it."""
        own = self._connected().user
        for entry in await guild.fetch_scheduled_events(with_counts=False):
            is_ours = own is not None and entry.creator_id == own.id
            if is_ours and _line(event) in (entry.description or "").splitlines():
                return entry
        return None

    def _connected(self) -> DarkroomBot:
        if self.bot is None:
            raise NotNow("not connected yet")
        return self.bot

    def _guild(self, guild_id: int) -> discord.Guild:
        guild = self._connected().get_guild(guild_id)
        if guild is None:
            raise NotNow("the server is not there yet")
        return guild


async def _schedule(guild: discord.Guild, event: Event) -> discord.ScheduledEvent:
    start = _start(event)
    return await guild.create_scheduled_event(
        name=_plain(event.name),
        description=f"{cite(event.theme, DESCRIPTION_MAX)}\n{_line(event)}" if event.theme.strip() else _line(event),
        start_time=start,
        end_time=_planned_end(event, start),
        entity_type=discord.EntityType.external,
        privacy_level=discord.PrivacyLevel.guild_only,
        location=f"https://discord.com/channels/{event.guild_id}/{event.thread_id or event.channel_id}",
    )


def _start(event: Event) -> datetime:
    soonest = discord.utils.utcnow() + STARTS_IN
    return soonest if event.opens_at is None else max(event.opens_at, soonest)


async def _move(entry: discord.ScheduledEvent, event: Event) -> discord.ScheduledEvent:
    """Give the entry of an event that is not open yet its present name and time."""
    start, name = _start(event), _plain(event.name)
    is_planned = event.opened_at is None and event.opens_at is not None
    if not is_planned or (entry.start_time, entry.name) == (start, name):
        return entry
    return await entry.edit(name=name, start_time=start, end_time=_planned_end(event, start))


def _planned_end(event: Event, start: datetime) -> datetime:
    """As if no stage is closed early or extended; at least what a training takes."""
    return start + timedelta(hours=sum(event.hours.values())) + TRAINING_TAKES


async def _end(entry: discord.ScheduledEvent, *, is_finished: bool) -> None:
    """Discord completes only what is active, and cancels only what has not begun."""
    if entry.status is discord.EventStatus.scheduled and not is_finished:
        await entry.cancel()
    elif entry.status is discord.EventStatus.scheduled:
        await (await entry.start()).end()
    elif entry.status is discord.EventStatus.active:
        await entry.end()


def _line(event: Event) -> str:
    return f"Darkroom #{event.id}"


def _plain(name: str) -> str:
    """A name for a thread or a calendar entry, on one line. Discord shows it as plain text."""
    return " ".join(name.split())


def _raise_if_passing(error: discord.HTTPException) -> None:
    """Raises NotNow for answers that a later try may change: 429 and 5xx."""
    if error.status == 429 or error.status >= 500:
        raise NotNow(f"{error.status} / {error.code}") from error


@contextlib.asynccontextmanager
async def _only_not_now() -> AsyncIterator[None]:
    """Discord cannot be reached, or not in time."""
    try:
        async with asyncio.timeout(CALL_DEADLINE_S):
            yield
    except discord.RateLimited as error:
        raise NotNow("rate limited", retry_after=timedelta(seconds=error.retry_after)) from error
    except (TimeoutError, OSError, aiohttp.ClientError) as error:
        raise NotNow(type(error).__name__) from error
