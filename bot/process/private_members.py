"""Members of libraries that are not public and are used all the same. They may be missing in any other version."""

import sqlite3
from collections.abc import Callable
from importlib import metadata
from operator import attrgetter
from typing import Final, NamedTuple

import aiosqlite
import discord
from PIL import Image, WebPImagePlugin

from bot.errors import StartupError


class PrivateMember(NamedTuple):
    """`path` leads to it from what `owner` returns; `why` completes "Darkroom needs it to"."""

    library: str
    owner: Callable[[], object]
    path: str
    why: str


def _client() -> discord.Client:
    return discord.Client(intents=discord.Intents(guilds=True))


def _connection() -> aiosqlite.Connection:
    return aiosqlite.Connection(lambda: sqlite3.connect(":memory:"), iter_chunk_size=1)


LISTENING: Final = "notice forms and buttons that nobody listens to"
ONE_TRIP: Final = "send a statement to the database's thread in one trip"
PRIVATE_MEMBERS: Final = (
    PrivateMember(
        "discord.py", _client, "_connection.store_view", "listen to a form that Discord shows after an error"
    ),
    PrivateMember("discord.py", _client, "_connection._view_store._views", LISTENING),
    PrivateMember("discord.py", _client, "_connection._view_store._modals", LISTENING),
    PrivateMember("discord.py", _client, "_connection._ready_task", "end the wait for guilds with the connection"),
    PrivateMember(
        "discord.py", _client, "_connection.parse_interaction_create", "work on interactions that come over HTTP"
    ),
    PrivateMember("aiosqlite", _connection, "_thread", ONE_TRIP),
    PrivateMember("aiosqlite", _connection, "_execute", ONE_TRIP),
    PrivateMember("aiosqlite", lambda: aiosqlite.Connection, "_conn", ONE_TRIP),
    PrivateMember("Pillow", lambda: Image, "core.set_blocks_max", "bound the memory that photos take"),
    PrivateMember("Pillow", lambda: WebPImagePlugin, "_webp.WebPAnimDecoder", "decode a WebP in little memory"),
)


def check_private_members() -> None:
    """StartupError when an installed library lacks one."""
    for member in PRIVATE_MEMBERS:
        try:
            attrgetter(member.path)(member.owner())
        except AttributeError as error:
            raise StartupError(
                f"{member.library} {metadata.version(member.library)} has no `{member.path}`, which Darkroom needs to "
                f"{member.why}; please install the version in requirements.lock."
            ) from error
