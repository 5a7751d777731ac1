"""Small facts about this installation: the master key's check value, the command tree, its own name, its guilds."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.reader import asked_once
from bot.storage.tables import meta

MASTER_KEY_CHECK = "master_key_check"
COMMAND_TREE = "command_tree"
COMMAND_IDS = "command_ids"
"""Discord's ids of the commands, as it gave them when they were sent last."""
INSTALLATION = "installation"
JOINED = "joined_guilds"
SEALING = "sealing"
"""What secrets are bound to, as a version."""
IDENTITIES = "identities"
"""The secret that the identities of events' orders are derived from."""
PSEUDONYMS = "pseudonyms"
"""The secret behind the names of erased members."""
POLICY = "policy"
"""The version of the privacy policy that is in force."""
PROBED_AT = "probed_at"
"""When health last tried whether rows can be written."""


@asked_once
async def get(connection: AsyncConnection, key: str) -> bytes | None:
    value: bytes | None = (await connection.execute(sa.select(meta.c.value).where(meta.c.key == key))).scalar()
    return value


async def put(connection: AsyncConnection, key: str, value: bytes) -> None:
    await connection.execute(sa.delete(meta).where(meta.c.key == key))
    await connection.execute(sa.insert(meta).values(key=key, value=value))


async def put_once(connection: AsyncConnection, key: str, value: bytes) -> None:
    """Unless there is a value already."""
    if await get(connection, key) is None:
        await put(connection, key, value)
