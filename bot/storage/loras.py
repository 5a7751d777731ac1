"""SQL of LoRAs and who owns them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Lora, ProviderName, SubjectKind
from bot.storage.tables import loras


def build(row: sa.Row[Any]) -> Lora:
    return Lora(
        id=row.id,
        guild_id=row.guild_id,
        owner_id=row.owner_id,
        provider=ProviderName(row.provider),
        request_id=row.request_id,
        name=row.name,
        trigger_word=row.trigger_word,
        subject_kind=SubjectKind(row.subject_kind),
        training_id=row.training_id,
        created_at=row.created_at,
        archived_at=row.archived_at,
    )


async def insert(connection: AsyncConnection, **values: Any) -> int:
    result = await connection.execute(sa.insert(loras).values(**values).returning(loras.c.id))
    return int(result.scalar_one())


async def get(connection: AsyncConnection, lora_id: int) -> Lora | None:
    row = (await connection.execute(sa.select(loras).where(loras.c.id == lora_id))).first()
    return None if row is None else build(row)


async def owned_by(connection: AsyncConnection, guild_id: int, owner_id: int) -> list[Lora]:
    """The member's LoRAs of this guild that are not archived, newest first."""
    rows = await connection.execute(
        sa.select(loras)
        .where(loras.c.guild_id == guild_id, loras.c.owner_id == owner_id, loras.c.archived_at.is_(None))
        .order_by(loras.c.id.desc())
    )
    return [build(row) for row in rows]


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[Lora]:
    rows = await connection.execute(
        sa.select(loras).where(loras.c.guild_id == guild_id, loras.c.archived_at.is_(None)).order_by(loras.c.id.desc())
    )
    return [build(row) for row in rows]


async def archive(connection: AsyncConnection, lora_id: int, *, now: datetime) -> bool:
    result = await connection.execute(
        sa.update(loras).where(loras.c.id == lora_id, loras.c.archived_at.is_(None)).values(archived_at=now)
    )
    return result.rowcount == 1
