"""The bot seen from outside its gateway, in Discord's plain answers: where to ask, and what a server lets it do."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import discord
from discord.http import Route

from cogs.adapters.invitation import ALLOWED
from cogs.adapters.venue_checks import IN_A_THREAD, NEEDED

USER_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py {discord.__version__})"
"""As the bot itself sends it: others may be refused (Discord /docs/reference, User Agent)."""
VITAL = discord.Permissions(**dict.fromkeys((*NEEDED, *IN_A_THREAD), True))
"""Nothing works without these."""
TO_POST = discord.Permissions(**dict.fromkeys(NEEDED, True))


def api_address() -> str:
    return Route.BASE


def lacking(permissions: int, asked: discord.Permissions = ALLOWED) -> list[str]:
    """What of `asked` is missing, in the words of Discord's own settings."""
    granted = discord.Permissions(permissions)
    if granted.administrator:
        return []
    return [_words(name) for name, is_asked in asked if is_asked and not getattr(granted, name)]


def in_channel(
    permissions: int, overwrites: Sequence[Mapping[str, Any]], guild_id: str, role_ids: Collection[str], user_id: str
) -> int:
    """What of a member's permissions in the server is left, or added, in a channel with these overwrites.

    Everybody's come first, then those of all roles together, then the member's own (Discord /topics/permissions).
    """
    if discord.Permissions(permissions).administrator:
        return permissions
    everybody = [each for each in overwrites if each["id"] == guild_id]
    of_roles = [each for each in overwrites if each["id"] in role_ids and each["id"] != guild_id]
    own = [each for each in overwrites if each["id"] == user_id]
    for layer in (everybody, of_roles, own):
        for each in layer:
            permissions &= ~int(each["deny"])
        for each in layer:
            permissions |= int(each["allow"])
    return permissions


def _words(name: str) -> str:
    return "View Channels" if name == "read_messages" else name.replace("_", " ").title().replace(" In ", " in ")
