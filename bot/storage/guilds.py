"""SQL of what a guild's admins have chosen, and whether the bot is still there."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import Guild
from bot.records.lora import Audience
from bot.storage import meta
from bot.storage.database import note_due
from bot.storage.events import events
from bot.storage.policy_tables import limits
from bot.storage.reader import asked_once
from bot.storage.rows import changes_row, fetch_all, fetch_first, fetch_values, insert_row
from bot.storage.tables import guilds, lora_shares

PRESENT, LEFT = "present", "left"
TIDIED_EVERY = timedelta(days=1)
"""Least time between two looks for what is too old."""


@asked_once
async def get(connection: AsyncConnection, guild_id: int) -> Guild | None:
    return await fetch_first(connection, Guild, sa.select(guilds).where(guilds.c.guild_id == guild_id))


async def find(connection: AsyncConnection, row_id: int) -> Guild | None:
    return await fetch_first(connection, Guild, sa.select(guilds).where(guilds.c.id == row_id))


async def change(connection: AsyncConnection, guild_id: int, **values: Any) -> None:
    """Store choices; the row is made when there is none yet."""
    if await get(connection, guild_id) is None:
        await insert_row(connection, guilds, **{"guild_id": guild_id, "status": PRESENT} | values)
    else:
        note_due(connection, guilds)
        await connection.execute(sa.update(guilds).where(guilds.c.guild_id == guild_id).values(**values))


async def roles_with_rights(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """Roles whose members may do, use or decide more here than others, and those that are won."""
    chosen = await get(connection, guild_id)
    own = {chosen.moderator_role_id, chosen.host_role_id} if chosen is not None else set()
    limited = sa.select(limits.c.role_id).where(limits.c.guild_id == guild_id)
    shared = sa.select(lora_shares.c.audience_id).where(
        lora_shares.c.guild_id == guild_id, lora_shares.c.audience == Audience.ROLE
    )
    its = await events.coming_of(connection, guild_id)
    named = {role for event in its for role in (*event.role_ids, event.jury_role_id, event.winner_role_id)}
    found = {*own, *named, *await fetch_values(connection, limited), *await fetch_values(connection, shared)}
    return frozenset(role_id for role_id in found if role_id)


async def leave(connection: AsyncConnection, guild_id: int, *, now: datetime, erase_at: datetime) -> None:
    await change(connection, guild_id, status=LEFT, left_at=now, due_at=erase_at)


async def come_back(connection: AsyncConnection, guild_id: int, *, now: datetime) -> bool:
    """True when the bot had left this guild and what was kept is still there."""
    note_due(connection, guilds)
    left = sa.update(guilds).where(guilds.c.guild_id == guild_id, guilds.c.left_at.is_not(None))
    return await changes_row(connection, left.values(status=PRESENT, left_at=None, due_at=now))


async def tidy_later(connection: AsyncConnection, guild_id: int, *, now: datetime) -> None:
    """Something of the guild will be too old one day: its row is looked at from now on."""
    due_at = now + TIDIED_EVERY
    if await get(connection, guild_id) is None:
        await change(connection, guild_id, due_at=due_at)
        return
    note_due(connection, guilds)
    unwatched = sa.update(guilds).where(guilds.c.guild_id == guild_id, guilds.c.due_at.is_(None))
    await connection.execute(unwatched.values(due_at=due_at))


async def present(connection: AsyncConnection) -> list[int]:
    """Guilds with a row that the bot has not left."""
    return await fetch_values(connection, sa.select(guilds.c.guild_id).where(guilds.c.left_at.is_(None)))


async def with_channels(connection: AsyncConnection) -> list[Guild]:
    """Guilds that the bot has not left and whose settings name a channel."""
    named = (guilds.c.gallery_channel_id, guilds.c.reports_channel_id, guilds.c.log_channel_id)
    has_one = sa.or_(*(column.is_not(None) for column in named))
    return await fetch_all(connection, Guild, sa.select(guilds).where(guilds.c.left_at.is_(None), has_one))


async def joined(connection: AsyncConnection) -> frozenset[int]:
    """The guilds that the bot is known to be a member of."""
    return frozenset(json.loads(await meta.get(connection, meta.JOINED) or b"[]"))


async def note_joined(connection: AsyncConnection, guild_ids: Collection[int]) -> None:
    before = await joined(connection)
    if not before.issuperset(guild_ids):
        await _put_joined(connection, before.union(guild_ids))


async def note_not_joined(connection: AsyncConnection, guild_id: int) -> None:
    before = await joined(connection)
    if guild_id in before:
        await _put_joined(connection, before - {guild_id})


async def _put_joined(connection: AsyncConnection, guild_ids: Collection[int]) -> None:
    await meta.put(connection, meta.JOINED, json.dumps(sorted(guild_ids)).encode())
