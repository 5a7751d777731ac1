"""SQL of requests for photos of somebody else's message."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind
from bot.records.generation import Generation
from bot.records.question import PhotoRequest, RequestStatus
from bot.storage.due import make_due
from bot.storage.question_tables import photo_requests
from bot.storage.rows import fetch_first, insert_record, insert_row
from bot.storage.tables import consents


async def insert(connection: AsyncConnection, **values: Any) -> PhotoRequest:
    return await insert_record(connection, PhotoRequest, photo_requests, status=RequestStatus.ASKED, **values)


async def get(connection: AsyncConnection, request_id: int) -> PhotoRequest | None:
    return await fetch_first(
        connection, PhotoRequest, sa.select(photo_requests).where(photo_requests.c.id == request_id)
    )


async def record_yes_to_pictures(
    connection: AsyncConnection, request: PhotoRequest, generation: Generation, **agreed: Any
) -> None:
    """The proof that the author told us to send exactly these photos to the provider of this order, once."""
    await insert_row(
        connection,
        consents,
        guild_id=request.guild_id,
        user_id=request.to_id,
        generation_id=generation.id,
        provider=generation.provider,
        given_at=request.answered_at,
        kind=ConsentKind.AUTHOR,
        **agreed,
    )


async def answer(connection: AsyncConnection, request_id: int, status: RequestStatus, *, now: datetime) -> None:
    """Store what the author said; the caller has seen that it was asked. What follows is due now."""
    waiting = sa.and_(photo_requests.c.id == request_id, photo_requests.c.status == RequestStatus.ASKED)
    await make_due(connection, photo_requests, waiting, at=now, status=status, answered_at=now)
