"""SQL of LoRAs that were not trained here: which of a team's are known already, and giving one an owner."""

import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.storage.policy_tables import removals
from bot.storage.rows import fetch_first, fetch_values, insert_record, insert_row
from bot.storage.tables import consents, loras, trainings

ASKED_AT_ONCE = 500


async def known(connection: AsyncConnection, provider: ProviderName, markers: Mapping[str, str | None]) -> set[str]:
    """Those of these LoRAs (the markers in their names by id) that are or were somebody's, in whichever guild.

    A LoRA that was archived or erased has its row, or that of its removal; one that is being trained that of its
    training.
    """
    found: set[str] = set()
    listed = list(markers.items())
    for start in range(0, len(listed), ASKED_AT_ONCE):
        part = dict(listed[start : start + ASKED_AT_ONCE])
        named = set(filter(None, part.values()))
        ids = await _among(connection, provider, part, loras.c.remote_id, trainings.c.request_id, removals.c.remote_id)
        ours = await _among(connection, provider, named, trainings.c.marker, removals.c.marker)
        found |= ids | {remote_id for remote_id, marker in part.items() if marker in ours}
    return found


async def _among(
    connection: AsyncConnection, provider: ProviderName, values: Any, *columns: sa.Column[Any]
) -> set[str]:
    """Those of the values that stand in one of the columns."""
    selects = [sa.select(column).where(column.table.c.provider == provider, column.in_(values)) for column in columns]
    return set(await fetch_values(connection, sa.union_all(*selects)))


async def here(connection: AsyncConnection, guild_id: int, provider: ProviderName, remote_id: str) -> Lora | None:
    """The guild's LoRA with this id at the provider, if it is not archived."""
    its = sa.and_(loras.c.guild_id == guild_id, loras.c.provider == provider, loras.c.remote_id == remote_id)
    return await fetch_first(connection, Lora, sa.select(loras).where(its, loras.c.archived_at.is_(None)))


async def insert(connection: AsyncConnection, **values: Any) -> Lora:
    """Store a LoRA that has no training here."""
    return await insert_record(connection, Lora, loras, training_id=-1 - secrets.randbits(62), **values)


async def record_consent(connection: AsyncConnection, lora: Lora, **agreed: Any) -> None:
    """The proof of what an admin said of the people who can be seen in the LoRA."""
    await insert_row(
        connection,
        consents,
        guild_id=lora.guild_id,
        provider=lora.provider,
        photo_hashes=(),
        kind=ConsentKind.IMPORT,
        **agreed,
    )
