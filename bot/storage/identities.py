"""What paid orders that nobody presses for are known by at the provider, derived and not drawn by lot.

A copy of the data folder that is put back does not know the orders that were made since, and the event, or the LoRA
that is ready, makes them again. They must be the same orders then: the same marker, the same idempotency key, the same
webhook address.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import meta
from bot.storage.rows import count_rows
from bot.storage.tables import generations, loras, trainings


@dataclass(frozen=True, slots=True)
class Identity:
    """`source` is 64 bytes that nobody can guess and that the same order always gets in this installation."""

    source: bytes

    @property
    def idempotency_key(self) -> str:
        return str(uuid.UUID(bytes=self.source[8:24], version=4))

    @property
    def webhook_token(self) -> str:
        return base64.urlsafe_b64encode(self.source[24:48]).decode()


FIRST_NAME = 2**62
"""Beyond every id of a row."""


def number_of(name: str) -> int:
    """A number for what has this name, the same in every life of the database; below 2**63, and the id of no row."""
    return FIRST_NAME + int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])


def drawn() -> Identity:
    """Of an order that a member makes."""
    return Identity(secrets.token_bytes(64))


async def of_training(connection: AsyncConnection, event_id: int | None, dataset_id: int) -> Identity:
    """Of the next training of this dataset."""
    if event_id is None:
        return drawn()
    tried = await count_rows(connection, trainings, trainings.c.dataset_id == dataset_id)
    return await _derived(connection, "training", event_id, dataset_id, tried)


async def of_generation(
    connection: AsyncConnection, event_id: int | None, lora_id: int | None, pack_index: int | None
) -> Identity:
    """Of the next order of this picture; only those of a pack are made by an event."""
    if event_id is None or pack_index is None:
        return drawn()
    columns = generations.c
    same = sa.and_(columns.event_id == event_id, columns.lora_id == lora_id, columns.pack_index == pack_index)
    # A LoRA that is taken over again has another id here; the provider's stays.
    remote_id = await connection.scalar(sa.select(loras.c.remote_id).where(loras.c.id == lora_id))
    return await _derived(
        connection, "picture", event_id, remote_id, pack_index, await count_rows(connection, generations, same)
    )


async def of_sample(connection: AsyncConnection, marker: str) -> Identity:
    """Of the first picture with the LoRA of the training with this marker."""
    return await _derived(connection, "sample", marker)


async def _derived(connection: AsyncConnection, *parts: object) -> Identity:
    secret = await meta.get(connection, meta.IDENTITIES)
    assert secret is not None  # made at the first start
    return Identity(hmac.digest(secret, ":".join(map(str, parts)).encode(), hashlib.sha512))
