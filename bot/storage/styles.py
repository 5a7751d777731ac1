"""SQL of the styles that a guild's keys may use, as the provider last listed them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.storage.tables import styles

TEXT_MAX = 120
"""Characters of a name or a slug."""
REQUEST_ID_MAX = 80


def build(row: sa.Row[Any]) -> Style:
    return Style(
        id=row.id,
        guild_id=row.guild_id,
        provider=ProviderName(row.provider),
        request_id=row.request_id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        preview_url=row.preview_url,
        denoise=row.denoise,
        guidance=row.guidance,
        steps=row.steps,
        has_template=row.has_template,
        is_public=row.is_public,
        retired_at=row.retired_at,
    )


async def get(connection: AsyncConnection, style_id: int) -> Style | None:
    row = (await connection.execute(sa.select(styles).where(styles.c.id == style_id))).first()
    return None if row is None else build(row)


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[Style]:
    """By name; retired ones, too."""
    rows = await connection.execute(
        sa.select(styles).where(styles.c.guild_id == guild_id).order_by(sa.func.lower(styles.c.name), styles.c.id)
    )
    return [build(row) for row in rows]


async def replace_all(
    connection: AsyncConnection,
    guild_id: int,
    provider: ProviderName,
    listed: Mapping[str, Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Take over what the provider lists (columns by request id): known styles keep their ids, missing ones retire."""
    known = {style.request_id: style for style in await of_guild(connection, guild_id) if style.provider is provider}
    for request_id, columns in listed.items():
        style = known.pop(request_id, None)
        if style is None:
            identity = {"guild_id": guild_id, "provider": provider, "request_id": request_id}
            await connection.execute(sa.insert(styles).values(**identity, **columns))
        else:
            change = sa.update(styles).where(styles.c.id == style.id)
            await connection.execute(change.values(**columns, retired_at=None))
    gone = [style.id for style in known.values() if style.retired_at is None]
    await connection.execute(sa.update(styles).where(styles.c.id.in_(gone)).values(retired_at=now))
