"""What the bot may do where an event is to be, told before it is opened."""

from collections.abc import Iterable, Sequence

import discord

from bot.ports import ReadinessCheck
from bot.records.event import Event

NEEDED = ("view_channel", "send_messages", "attach_files", "read_message_history")
IN_A_THREAD = ("view_channel", "send_messages_in_threads", "attach_files", "read_message_history")
PINS_MAX = 250
"""Of one channel (discord.py 2.7, Message.pin)."""
FOR_A_PIN = ("pin_messages", "read_message_history")
"""Manage Messages does not include it since 2026-01-12 (Discord /developers/change-log, 2025-08-20)."""
FOR_A_THREAD = ("create_public_threads", "send_messages_in_threads")
MIB = 1024 * 1024

Place = discord.abc.GuildChannel | discord.Thread


async def are_pins_taken(event: Event, guild: discord.Guild) -> bool:
    """Whether the channel has as many pins as it can have; False when Discord does not say."""
    place = guild.get_channel_or_thread(event.channel_id)
    if not isinstance(place, discord.abc.Messageable):
        return False
    try:
        return len([each async for each in place.pins(limit=PINS_MAX)]) == PINS_MAX
    except discord.HTTPException:
        return False


def checks_of(event: Event, guild: discord.Guild, *, are_pins_taken: bool) -> Sequence[ReadinessCheck]:
    place = guild.get_channel_or_thread(event.channel_id)
    checks = [_posting(event, place, guild)]
    if event.wants_thread and place is not None:
        checks.append(_thread(place, guild))
    if place is not None:
        checks.append(_pin(place, guild, are_taken=are_pins_taken))
    if event.wants_calendar:
        checks.append(_calendar(guild))
    if event.winner_role_id is not None:
        checks.append(_winner_role(event.winner_role_id, guild))
    return [
        *checks,
        ReadinessCheck(f"Files of up to {guild.filesize_limit // MIB} MB each", is_ok=True, is_optional=True),
    ]


def _posting(event: Event, place: Place | None, guild: discord.Guild) -> ReadinessCheck:
    what = f"Posting in <#{event.channel_id}>"
    if place is None:
        return ReadinessCheck(
            what, is_ok=False, fix=f"Let Darkroom see <#{event.channel_id}>, or make the event elsewhere."
        )
    needed = IN_A_THREAD if isinstance(place, discord.Thread) else NEEDED
    missing = _missing(place.permissions_for(guild.me), needed)
    return ReadinessCheck(
        what, is_ok=not missing, fix=f"In <#{place.id}>, allow Darkroom: {missing}." if missing else ""
    )


def _thread(place: Place, guild: discord.Guild) -> ReadinessCheck:
    if isinstance(place, discord.Thread):
        return ReadinessCheck(
            "This channel is a thread already; everything is posted in it", is_ok=True, is_optional=True
        )
    missing = _missing(place.permissions_for(guild.me), FOR_A_THREAD)
    fix = f"In <#{place.id}>, allow Darkroom: {missing}. Without it, everything is posted in the channel itself."
    return ReadinessCheck("A thread for the event", is_ok=not missing, fix=fix if missing else "", is_optional=True)


def _winner_role(role_id: int, guild: discord.Guild) -> ReadinessCheck:
    role = guild.get_role(role_id)
    if role is None:
        fix = "The role for the winner was deleted. Choose another one under **Settings**, **Result**."
        return ReadinessCheck("The winner's role", is_ok=False, fix=fix, is_optional=True)
    is_ok = guild.me.guild_permissions.manage_roles and role.is_assignable()
    fix = (
        f"Allow Darkroom **Manage Roles**, and put its role above <@&{role_id}>. Without it, nobody is given the role."
    )
    what = f"The winner's role <@&{role_id}>"
    return ReadinessCheck(what, is_ok=is_ok, fix="" if is_ok else fix, is_optional=True)


def _pin(place: Place, guild: discord.Guild, *, are_taken: bool) -> ReadinessCheck:
    missing, fix = _missing(place.permissions_for(guild.me), FOR_A_PIN), ""
    if missing:
        fix = f"In <#{place.id}>, allow Darkroom: {missing}. Without it, the panel is not pinned."
    elif are_taken:
        fix = f"All {PINS_MAX} pins of <#{place.id}> are taken. Unpin something there, or the panel is not pinned."
    return ReadinessCheck("A pin for the panel", is_ok=not fix, fix=fix, is_optional=True)


def _calendar(guild: discord.Guild) -> ReadinessCheck:
    allowed = guild.me.guild_permissions
    is_ok = allowed.create_events or allowed.manage_events
    fix = "Allow Darkroom in this server: **Create Events**. Without it, the event is not on the calendar."
    return ReadinessCheck("An entry in the server's calendar", is_ok=is_ok, fix="" if is_ok else fix, is_optional=True)


def _missing(permissions: discord.Permissions, needed: Iterable[str]) -> str:
    """As Discord's own settings call them."""
    lacking = [name for name in needed if not getattr(permissions, name)]
    names = [name.replace("_", " ").title().replace(" In ", " in ") for name in lacking]
    return ", ".join(f"**{name}**" for name in names)
