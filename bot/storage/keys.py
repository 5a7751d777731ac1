"""SQL of the API keys: one current key for each guild and provider, and retired ones until their jobs end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ApiKeyRow, ProviderName
from bot.storage.database import note_due
from bot.storage.rows import build
from bot.storage.tables import api_keys, generations, trainings

ACTIVE, RETIRED = "active", "retired"


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A stored key with its sealed secrets."""

    row: ApiKeyRow
    sealed: bytes
    endpoint_secret: bytes | None
    """What signs deliveries to the registered webhook endpoint, sealed."""
    endpoint_token: str | None
    """The last part of that endpoint's address."""


def build_sealed(row: sa.Row[Any]) -> SealedKey:
    return SealedKey(build(ApiKeyRow, row), row.sealed, row.endpoint_secret, row.endpoint_token)


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
    note_due(connection, api_keys)
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
            due_at=now,
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
    return None if row is None else build_sealed(row)


async def get(connection: AsyncConnection, key_id: int) -> SealedKey | None:
    row = (await connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id))).first()
    return None if row is None else build_sealed(row)


async def for_signatures(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[SealedKey]:
    """Every key of the guild that may have signed a delivery: the current one and those not yet shredded."""
    rows = await connection.execute(
        sa.select(api_keys)
        .where(api_keys.c.guild_id == guild_id, api_keys.c.provider == provider)
        .order_by(api_keys.c.id.desc())
    )
    return [build_sealed(row) for row in rows]


async def retire(
    connection: AsyncConnection, guild_id: int, provider: ProviderName, *, now: datetime, shred_at: datetime
) -> int | None:
    """Take the current key out of use; the engine shreds it at `shred_at`. Its id, or None when there was none."""
    note_due(connection, api_keys)
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


async def make_due(connection: AsyncConnection, guild_id: int, *, now: datetime, checked_before: datetime) -> bool:
    """Make the guild's usable keys due that were not checked since then; not those that are due or back off."""
    note_due(connection, api_keys)
    result = await connection.execute(
        sa.update(api_keys)
        .where(
            api_keys.c.guild_id == guild_id,
            api_keys.c.retired_at.is_(None),
            api_keys.c.paused_at.is_(None),
            api_keys.c.attempt == 0,
            sa.or_(api_keys.c.due_at.is_(None), api_keys.c.due_at > now),
            sa.or_(api_keys.c.checked_at.is_(None), api_keys.c.checked_at <= checked_before),
        )
        .values(due_at=now)
    )
    return result.rowcount > 0


async def all_sealed(connection: AsyncConnection) -> list[SealedKey]:
    rows = await connection.execute(sa.select(api_keys).order_by(api_keys.c.id))
    return [build_sealed(row) for row in rows]


async def reseal(connection: AsyncConnection, old: SealedKey, *, sealed: bytes, endpoint_secret: bytes | None) -> bool:
    """Compare-and-set, so that what was set meanwhile is never overwritten."""
    result = await connection.execute(
        sa.update(api_keys)
        .where(
            api_keys.c.id == old.row.id,
            api_keys.c.sealed == old.sealed,
            api_keys.c.endpoint_secret.is_not_distinct_from(old.endpoint_secret),
        )
        .values(sealed=sealed, endpoint_secret=endpoint_secret)
    )
    return result.rowcount == 1


async def by_endpoint_token(connection: AsyncConnection, token: str) -> SealedKey | None:
    row = (await connection.execute(sa.select(api_keys).where(api_keys.c.endpoint_token == token))).first()
    return None if row is None else build_sealed(row)


async def put_endpoint(
    connection: AsyncConnection, old: ApiKeyRow, *, endpoint_id: str, url: str, token: str, secret: bytes
) -> bool:
    """False when the key was retired or has another endpoint than `old` by now; `secret` is sealed."""
    result = await connection.execute(
        sa.update(api_keys)
        .where(
            api_keys.c.id == old.id,
            api_keys.c.retired_at.is_(None),
            api_keys.c.endpoint_id.is_not_distinct_from(old.endpoint_id),
        )
        .values(
            endpoint_id=endpoint_id,
            endpoint_url=url,
            endpoint_token=token,
            endpoint_secret=secret,
            endpoint_heard_at=None,
        )
    )
    return result.rowcount == 1


async def drop_endpoint(connection: AsyncConnection, old: ApiKeyRow) -> None:
    await connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == old.id, api_keys.c.endpoint_id == old.endpoint_id)
        .values(endpoint_id=None, endpoint_url=None, endpoint_token=None, endpoint_secret=None, endpoint_heard_at=None)
    )


async def note_heard(connection: AsyncConnection, token: str, *, now: datetime) -> ApiKeyRow | None:
    """Store that a verified delivery came to this endpoint; its key, None when no key has this endpoint."""
    result = await connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.endpoint_token == token)
        .values(endpoint_heard_at=now)
        .returning(*api_keys.c)
    )
    row = result.first()
    return None if row is None else build(ApiKeyRow, row)


async def note_heard_of_job(connection: AsyncConnection, token: str, *, now: datetime, unless_since: datetime) -> None:
    """A signed delivery came to the address of one job: its guild's key of that provider was heard of."""
    jobs = [
        sa.select(table.c.guild_id, table.c.provider).where(table.c.webhook_token == token)
        for table in (trainings, generations)
    ]
    job = (await connection.execute(sa.union_all(*jobs))).first()
    if job is None:
        return
    await connection.execute(
        sa.update(api_keys)
        .where(
            api_keys.c.guild_id == job.guild_id,
            api_keys.c.provider == job.provider,
            api_keys.c.retired_at.is_(None),
            api_keys.c.endpoint_id.is_(None),
            sa.or_(api_keys.c.endpoint_heard_at.is_(None), api_keys.c.endpoint_heard_at < unless_since),
        )
        .values(endpoint_heard_at=now)
    )


async def job_of(
    connection: AsyncConnection, table: sa.Table, guild_id: int, provider: ProviderName, request_id: str
) -> int | None:
    """The guild's training or generation, by `table`, with this id at the provider."""
    row = (
        await connection.execute(
            sa.select(table.c.id).where(
                table.c.guild_id == guild_id, table.c.provider == provider, table.c.request_id == request_id
            )
        )
    ).first()
    return None if row is None else int(row.id)
