"""The link that invites the bot: the one place that knows what it asks a server to allow."""

import base64
import binascii

import discord

from bot.errors import StartupError

SCOPES = ("bot", "applications.commands")
ALLOWED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    create_public_threads=True,
    create_events=True,
    pin_messages=True,
)
"""Events do without the last three: they stay in their channel, off the calendar and unpinned."""


def invitation(application_id: int) -> str:
    """The address to open in a browser."""
    return discord.utils.oauth_url(application_id, permissions=ALLOWED, scopes=SCOPES)


def application_of(token: str) -> int:
    """The application's id: a bot token begins with it, in base64 (Discord /developers/reference, Authentication).

    Raises StartupError when it does not.
    """
    first, _, rest = token.strip().partition(".")
    try:
        number = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        number = ""
    if not rest or not (number.isdecimal() and 15 <= len(number) <= 20):
        raise StartupError("DISCORD_TOKEN is not a bot token. Copy it again from the developer portal, under Bot.")
    return int(number)
