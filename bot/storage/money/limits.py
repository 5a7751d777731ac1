"""SQL of limits: what a server, its members and its roles may spend in a month."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.limit import Limit, LimitKind
from bot.storage import guilds
from bot.storage.policy_tables import limits
from bot.storage.reader import asked_once
from bot.storage.rows import columns_of, fetch_all, insert_row

FIRST_CREDITS = 300
"""What each member may spend in a month until an admin says otherwise."""


@asked_once
async def of_guild(connection: AsyncConnection, guild_id: int) -> list[Limit]:
    """The server's, the members', then those of roles."""
    theirs = sa.select(limits).where(limits.c.guild_id == guild_id)
    found = await fetch_all(connection, Limit, theirs.order_by(limits.c.id))
    return sorted(found, key=lambda limit: list(LimitKind).index(limit.who))


async def put(connection: AsyncConnection, limit: Limit) -> None:
    """Store it instead of the one for the same members."""
    await clear(connection, limit.guild_id, limit.who, limit.role_id)
    if limit.who is LimitKind.MEMBER:
        await guilds.change(connection, limit.guild_id, limited_at=limit.set_at)
    await insert_row(connection, limits, **columns_of(limit))


async def clear(connection: AsyncConnection, guild_id: int, who: LimitKind, role_id: int = 0) -> bool:
    """False when there was no such limit."""
    its = (limits.c.guild_id == guild_id, limits.c.who == who, limits.c.role_id == role_id)
    return bool((await connection.execute(sa.delete(limits).where(*its))).rowcount)


async def begin(connection: AsyncConnection, guild_id: int, *, set_by: int, now: datetime) -> bool:
    """Limit each member to FIRST_CREDITS, once in a server's life; False when members had a limit before."""
    guild = await guilds.get(connection, guild_id)
    if guild is not None and guild.limited_at is not None:
        return False
    await put(connection, Limit(0, guild_id, LimitKind.MEMBER, 0, FIRST_CREDITS, None, None, set_by, now))
    return True
