"""SQL of the API keys: one current key for each guild and provider, and retired ones until their jobs end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import ApiKeyRow, ProviderName
from bot.storage.tables import api_keys

ACTIVE, RETIRED = "active", "retired"


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key as it lies in the database."""

    row: ApiKeyRow
    sealed: bytes


def build(row: sa.Row[Any]) -> ApiKeyRow:
    return ApiKeyRow(
        id=row.id,
        guild_id=row.guild_id,
        provider=ProviderName(row.provider),
        last4=row.last4,
        set_by=row.set_by,
        set_at=row.set_at,
        paused_at=row.paused_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        retired_at=row.retired_at,
    )


async def insert(
    connection: AsyncConnection,
    *,
    guild_id: int,
    provider: ProviderName,
    sealed: bytes,
    last4: str,
    set_by: int,
    now: datetime,
) -> int:
    result = await connection.execute(
        sa.insert(api_keys)
        .values(
            guild_id=guild_id,
            provider=provider,
            status=ACTIVE,
            sealed=sealed,
            last4=last4,
            set_by=set_by,
            set_at=now,
        )
        .returning(api_keys.c.id)
    )
    return int(result.scalar_one())


async def current(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> SealedKey | None:
    row = (
        await connection.execute(
            sa.select(api_keys).where(
                api_keys.c.guild_id == guild_id, api_keys.c.provider == provider, api_keys.c.retired_at.is_(None)
            )
        )
    ).first()
    return None if row is None else SealedKey(build(row), row.sealed)


async def get(connection: AsyncConnection, key_id: int) -> SealedKey | None:
    row = (await connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id))).first()
    return None if row is None else SealedKey(build(row), row.sealed)


async def for_signatures(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[SealedKey]:
    """Every key of the guild that may have signed a delivery: the current one and those not yet shredded."""
    rows = await connection.execute(
        sa.select(api_keys)
        .where(api_keys.c.guild_id == guild_id, api_keys.c.provider == provider)
        .order_by(api_keys.c.id.desc())
    )
    return [SealedKey(build(row), row.sealed) for row in rows]


async def retire(
    connection: AsyncConnection, guild_id: int, provider: ProviderName, *, now: datetime, shred_at: datetime
) -> int | None:
    """Take the current key out of use; the engine shreds it at `shred_at`. Its id, or None when there was none."""
    result = await connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.guild_id == guild_id, api_keys.c.provider == provider, api_keys.c.retired_at.is_(None))
        .values(retired_at=now, status=RETIRED, due_at=shred_at)
        .returning(api_keys.c.id)
    )
    row = result.first()
    return None if row is None else int(row.id)


async def pause(connection: AsyncConnection, key_id: int, *, reason: str, now: datetime) -> bool:
    """True when this call paused it, False when it was paused already or is gone."""
    result = await connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.paused_at.is_(None), api_keys.c.retired_at.is_(None))
        .values(paused_at=now, last_error=reason[:300], last_error_at=now)
    )
    return result.rowcount == 1


async def all_sealed(connection: AsyncConnection) -> list[SealedKey]:
    rows = await connection.execute(sa.select(api_keys).order_by(api_keys.c.id))
    return [SealedKey(build(row), row.sealed) for row in rows]


async def reseal(connection: AsyncConnection, key_id: int, *, old: bytes, new: bytes) -> bool:
    """Compare-and-set, so that a key set meanwhile is never overwritten."""
    result = await connection.execute(
        sa.update(api_keys).where(api_keys.c.id == key_id, api_keys.c.sealed == old).values(sealed=new)
    )
    return result.rowcount == 1
