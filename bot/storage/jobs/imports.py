"""SQL of LoRAs that were not trained here: which of a team's are known already, and giving one an owner."""

import secrets
from collections.abc import Mapping, Sequence
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

    One that was archived or erased has its row, or that of its removal. One with a marker was trained by a Darkroom: it
    is or was somebody's also when no row tells whose any more.
    """
    found: set[str] = set()
    listed = list(markers.items())
    for start in range(0, len(listed), ASKED_AT_ONCE):
        part = listed[start : start + ASKED_AT_ONCE]
        found |= await _with_rows(connection, provider, [remote_id for remote_id, _ in part])
    return found | {remote_id for remote_id, marker in listed if marker is not None}


async def _with_rows(connection: AsyncConnection, provider: ProviderName, remote_ids: Sequence[str]) -> set[str]:
    columns: tuple[sa.Column[Any], ...] = (loras.c.remote_id, trainings.c.request_id, removals.c.remote_id)
    its = [sa.select(each).where(each.table.c.provider == provider, each.in_(remote_ids)) for each in columns]
    return set(await fetch_values(connection, sa.union_all(*its)))


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
