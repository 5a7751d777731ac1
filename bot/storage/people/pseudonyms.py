"""Names for members who were erased: always the same for one member in one server, and nobody can turn them back."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import meta


async def pseudonym(connection: AsyncConnection, guild_id: int, user_id: int) -> int:
    """A negative number, which no Discord id is. Makes the secret behind all of them when there is none yet."""
    return _of(await _secret(connection), guild_id, user_id)


async def ids_of(connection: AsyncConnection, guild_id: int, user_id: int) -> list[int]:
    """The member's id and, once anybody was erased, their pseudonym: what they did before their own erasure counts."""
    secret = await meta.get(connection, meta.PSEUDONYMS)
    return [user_id] if secret is None else [user_id, _of(secret, guild_id, user_id)]


async def guilds_among(connection: AsyncConnection, user_id: int, named: Iterable[tuple[int, int]]) -> set[int]:
    """The guilds of those pairs of a guild and a pseudonym there in which it is this member's."""
    secret = await meta.get(connection, meta.PSEUDONYMS)
    if secret is None:
        return set()
    return {guild_id for guild_id, name in named if name == _of(secret, guild_id, user_id)}


async def fingerprint(connection: AsyncConnection, text: str) -> str:
    """The same for the same text in this installation; it does not show the text."""
    return hmac.digest(await _secret(connection), text.encode(), hashlib.sha256).hex()


async def _secret(connection: AsyncConnection) -> bytes:
    secret = await meta.get(connection, meta.PSEUDONYMS)
    if secret is None:
        secret = secrets.token_bytes(32)
        await meta.put(connection, meta.PSEUDONYMS, secret)
    return secret


def _of(secret: bytes, guild_id: int, user_id: int) -> int:
    digest = hmac.digest(secret, f"{guild_id}:{user_id}".encode(), hashlib.sha256)
    return -1 - (int.from_bytes(digest[:8], "big") >> 2)
