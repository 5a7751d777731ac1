"""SQL of the styles that a guild's keys may use, as the provider last listed them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.storage.rows import fetch_all, fetch_first
from bot.storage.tables import styles

TEXT_MAX = 120
"""Characters of a name or a slug."""
REMOTE_ID_MAX = 80


async def get(connection: AsyncConnection, style_id: int) -> Style | None:
    return await fetch_first(connection, Style, sa.select(styles).where(styles.c.id == style_id))


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[Style]:
    """By name; retired ones, too."""
    by_name = sa.select(styles).order_by(sa.func.lower(styles.c.name), styles.c.id)
    return await fetch_all(connection, Style, by_name.where(styles.c.guild_id == guild_id))


async def offered(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> set[str]:
    """What the provider calls the styles that it listed last."""
    known = await of_guild(connection, guild_id)
    return {style.remote_id for style in known if style.provider is provider and style.retired_at is None}


async def replace_all(
    connection: AsyncConnection,
    guild_id: int,
    provider: ProviderName,
    listed: Mapping[str, Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Take over what the provider lists (columns by remote id): known styles keep their ids, missing ones retire."""
    known = {style.remote_id: style for style in await of_guild(connection, guild_id) if style.provider is provider}
    for remote_id, columns in listed.items():
        style = known.pop(remote_id, None)
        if style is None:
            identity = {"guild_id": guild_id, "provider": provider, "remote_id": remote_id}
            await connection.execute(sa.insert(styles).values(**identity, **columns))
        else:
            change = sa.update(styles).where(styles.c.id == style.id)
            await connection.execute(change.values(**columns, retired_at=None))
    gone = [style.id for style in known.values() if style.retired_at is None]
    await connection.execute(sa.update(styles).where(styles.c.id.in_(gone)).values(retired_at=now))
