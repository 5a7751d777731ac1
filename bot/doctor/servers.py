"""What each server lets the bot do: everywhere, and in the channels that its settings name."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.doctor.discord import DiscordApi, Unanswered
from bot.doctor.findings import Finding, fail, ok, warn
from bot.records.guild import Guild
from cogs.adapters.inspection import TO_POST, VITAL, in_channel, lacking

SERVERS_MAX = 200
"""As many as Discord lists at once."""
AT_ONCE = 5
GONE = (403, 404)


async def servers(api: DiscordApi, bot_id: str, chosen: Sequence[Guild]) -> Sequence[Finding]:
    """A line for each server of the bot, and for each channel of `chosen` in which it cannot post."""
    name = "servers"
    try:
        listed: Sequence[Mapping[str, Any]] = await api.get(f"/users/@me/guilds?limit={SERVERS_MAX}")
    except Unanswered as error:
        return [fail(name, error.words, error.what_to_do)]
    if not listed:
        return [warn(name, "The bot is in no server.", "Open the install link.")]
    choices, turn = {each.guild_id: each for each in chosen}, asyncio.Semaphore(AT_ONCE)

    async def look(server: Mapping[str, Any]) -> Sequence[Finding]:
        async with turn:
            choice = choices.get(int(server["id"]))
            return [_granted(server), *(await _channels(api, bot_id, server, choice) if choice else ())]

    found = [each for one in await asyncio.gather(*map(look, listed)) for each in one]
    if len(listed) == SERVERS_MAX:
        found.append(ok(name, f"The first {SERVERS_MAX} were looked at."))
    return found


def _granted(server: Mapping[str, Any]) -> Finding:
    name = _name(server)
    granted = int(server["permissions"])
    missing = lacking(granted)
    if not missing:
        return ok(name, "The bot may do all that it asks for.")
    vital = [each for each in missing if each in lacking(granted, VITAL)]
    words, what_to_do = (
        f"The bot may not: {', '.join(missing)}.",
        "Allow it to the bot's role, or open the install link again.",
    )
    if vital:
        return fail(name, words, what_to_do)
    return warn(name, f"{words} Events do without.", what_to_do)


async def _channels(api: DiscordApi, bot_id: str, server: Mapping[str, Any], choice: Guild) -> Sequence[Finding]:
    named = {
        "gallery": choice.gallery_channel_id,
        "reports": choice.reports_channel_id,
        "log": choice.log_channel_id,
    }
    used = {what: channel_id for what, channel_id in named.items() if channel_id}
    if not used:
        return []
    try:
        member = await api.get(f"/guilds/{server['id']}/members/{bot_id}")
    except Unanswered as error:
        return [warn(_name(server), f"Its channels were not looked at: {error.words}", error.what_to_do)]
    roles = frozenset(member["roles"])
    return [
        each
        for what, channel_id in used.items()
        if (each := await _channel(api, bot_id, server, roles, what, channel_id))
    ]


async def _channel(
    api: DiscordApi, bot_id: str, server: Mapping[str, Any], roles: frozenset[str], what: str, channel_id: int
) -> Finding | None:
    name = f"{_name(server)}, channel for {what}"
    again = "Choose another one with `/settings`, or let the bot see it."
    try:
        channel = await api.get(f"/channels/{channel_id}")
    except Unanswered as error:
        if error.status in GONE:
            return fail(name, f"The channel {channel_id} is gone, or hidden from the bot.", again)
        return warn(name, f"It was not looked at: {error.words}", error.what_to_do)
    granted = in_channel(
        int(server["permissions"]), channel.get("permission_overwrites") or (), server["id"], roles, bot_id
    )
    missing = lacking(granted, TO_POST)
    where = f"#{channel.get('name') or channel_id}"
    if missing:
        return fail(name, f"In {where} the bot may not: {', '.join(missing)}.", "Allow it in that channel's settings.")
    return ok(name, f"The bot can post in {where}.")


def _name(server: Mapping[str, Any]) -> str:
    return f"server {server['name']} ({server['id']})"
