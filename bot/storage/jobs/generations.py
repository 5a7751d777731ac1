"""SQL of generations, the pictures they start from and the pictures they made."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation, GenerationStatus, Picture, Reference
from bot.records.key import ProviderName
from bot.records.moderation import ApprovalStatus
from bot.storage.changes import change_state
from bot.storage.database import note_due
from bot.storage.due import make_due
from bot.storage.policy_tables import approvals
from bot.storage.rows import (
    changes_row,
    columns_of,
    count_rows,
    drop_files,
    fetch_all,
    fetch_first,
    fetch_values,
    has_row,
    insert_row,
)
from bot.storage.tables import generations, picture_reports, pictures, reference_pictures

TRIES_OF_PACK = 2
"""How often a picture of a pack is ordered when the provider takes the order and then does not make it."""
OPEN = [status for status in GenerationStatus if not status.is_terminal]


async def insert(connection: AsyncConnection, **values: Any) -> int:
    return await insert_row(connection, generations, status=GenerationStatus.QUEUED, image_urls=(), late=(), **values)


async def request_ids(connection: AsyncConnection) -> set[str]:
    """Of all orders that are known to be at a provider."""
    return set(await fetch_values(connection, sa.select(generations.c.request_id)))


async def get(connection: AsyncConnection, generation_id: int) -> Generation | None:
    return await fetch_first(connection, Generation, sa.select(generations).where(generations.c.id == generation_id))


async def by_webhook_token(connection: AsyncConnection, token: str) -> Generation | None:
    return await fetch_first(connection, Generation, sa.select(generations).where(generations.c.webhook_token == token))


async def open_on_key(connection: AsyncConnection, key_id: int) -> int:
    return await count_rows(connection, generations, generations.c.key_id == key_id, generations.c.status.in_(OPEN))


async def wake_waiting(connection: AsyncConnection, *conditions: sa.ColumnElement[bool], now: datetime) -> None:
    """Orders that wait for a slot find out now that their key is gone or paused."""
    is_waiting = sa.and_(generations.c.status == GenerationStatus.QUEUED, generations.c.due_at.is_(None))
    await make_due(connection, generations, is_waiting, *conditions, at=now)


async def wake_queued_with(connection: AsyncConnection, lora_id: int, *, now: datetime) -> None:
    """Orders with this LoRA that were not sent find out now that it may not be used."""
    queued = sa.and_(generations.c.status == GenerationStatus.QUEUED, generations.c.lora_id == lora_id)
    await make_due(connection, generations, queued, at=now)


async def move_queued(connection: AsyncConnection, *, guild_id: int, provider: ProviderName, key_id: int) -> None:
    """Orders that wait for a slot wait for one of the guild's new key."""
    theirs = sa.and_(generations.c.guild_id == guild_id, generations.c.provider == provider)
    is_waiting = sa.and_(generations.c.status == GenerationStatus.QUEUED, generations.c.due_at.is_(None))
    await connection.execute(sa.update(generations).where(theirs, is_waiting).values(key_id=key_id))


async def pictures_of(connection: AsyncConnection, generation_id: int) -> list[Picture]:
    made = sa.select(pictures).where(pictures.c.generation_id == generation_id)
    return await fetch_all(connection, Picture, made.order_by(pictures.c.position))


async def add_picture(connection: AsyncConnection, picture: Picture) -> None:
    await insert_row(connection, pictures, **columns_of(picture))


async def forget_files(connection: AsyncConnection, generation_id: int) -> list[str]:
    """Record that the pictures have left the disk; their spool names, for the caller to free."""
    return await drop_files(connection, pictures, pictures.c.generation_id == generation_id)


async def get_picture(connection: AsyncConnection, picture_id: int) -> Picture | None:
    return await fetch_first(connection, Picture, sa.select(pictures).where(pictures.c.id == picture_id))


async def add_reference(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(sa.insert(reference_pictures).values(**values))


async def references_of(connection: AsyncConnection, generation_id: int) -> list[Reference]:
    used = sa.select(reference_pictures).where(reference_pictures.c.generation_id == generation_id)
    return await fetch_all(connection, Reference, used.order_by(reference_pictures.c.position))


async def note_upload(connection: AsyncConnection, reference_id: int, remote_id: str, *, at: datetime) -> bool:
    """False when its row has been erased meanwhile."""
    uploaded = sa.update(reference_pictures).where(reference_pictures.c.id == reference_id)
    return await changes_row(connection, uploaded.values(remote_id=remote_id, uploaded_at=at))


async def forget_uploads(connection: AsyncConnection, generation_id: int) -> None:
    """Uploads under another key are of no use; what is still in the spool is uploaded again."""
    mine = sa.and_(reference_pictures.c.generation_id == generation_id, reference_pictures.c.file.is_not(None))
    await connection.execute(sa.update(reference_pictures).where(mine).values(remote_id=None))


async def forget_reference_files(connection: AsyncConnection, generation_id: int) -> list[str]:
    """Record that the references have left the disk; their spool names, for the caller to free."""
    return await drop_files(connection, reference_pictures, reference_pictures.c.generation_id == generation_id)


async def files_in_use(connection: AsyncConnection) -> set[str]:
    """Spool names of pictures that were made and of those that orders start from."""
    files = sa.union_all(sa.select(pictures.c.file), sa.select(reference_pictures.c.file))
    return set(await fetch_values(connection, files))


async def end_early(
    connection: AsyncConnection,
    generation_id: int,
    *,
    from_: GenerationStatus,
    error: str,
    now: datetime,
    due_at: datetime,
) -> bool:
    """End the order if it is still in this status, whoever works on it; their step is dropped when it would store."""
    note_due(connection, generations)
    ended = {"status": GenerationStatus.FAILED, "error": error, "finished_at": now}
    its = sa.update(generations).where(generations.c.id == generation_id, generations.c.status == from_)
    ended_now = its.values(due_at=due_at, lease_owner=None, lease_until=None, **ended)
    return await change_state(connection, ended_now, GenerationStatus.FAILED, at=now) == 1


async def own_in_event(connection: AsyncConnection, event_id: int, user_id: int) -> int:
    """How many orders of this member for the event count: those of the pack and failed ones do not."""
    own = sa.and_(generations.c.event_id == event_id, generations.c.user_id == user_id)
    counts = sa.and_(generations.c.pack_index.is_(None), generations.c.status != GenerationStatus.FAILED)
    return await count_rows(connection, generations, own, counts)


async def ordered_of_pack(connection: AsyncConnection, event_id: int) -> set[tuple[int, int]]:
    """(LoRA, number in the pack) of the pictures that are not ordered again."""
    rows = await connection.execute(_settled_of_pack(event_id))
    return {(row.lora_id, row.pack_index) for row in rows}


async def is_ordered_of_pack(connection: AsyncConnection, event_id: int, lora_id: int | None, pack_index: int) -> bool:
    statement = _settled_of_pack(event_id).where(
        generations.c.lora_id == lora_id, generations.c.pack_index == pack_index
    )
    return await has_row(connection, statement)


def _settled_of_pack(event_id: int) -> sa.Select[Any]:
    """Made, under way, of unknown outcome, refused, or twice not made; whatever was never sent may be ordered again."""
    failed = generations.c.status == GenerationStatus.FAILED
    is_final = sa.and_(generations.c.submitting_at.is_not(None), generations.c.request_id.is_(None))
    return (
        sa.select(generations.c.lora_id, generations.c.pack_index)
        .where(generations.c.event_id == event_id, generations.c.pack_index.is_not(None))
        .group_by(generations.c.lora_id, generations.c.pack_index)
        .having(
            sa.or_(
                sa.func.sum(sa.case((sa.or_(sa.not_(failed), is_final), 1), else_=0)) > 0,
                sa.func.count(generations.c.request_id) >= TRIES_OF_PACK,
            )
        )
    )


def objected() -> sa.ColumnElement[bool]:
    """Orders whose pictures are reported, which nobody has dismissed, or of which a moderator has declined one."""
    reported = sa.and_(picture_reports.c.generation_id == generations.c.id, picture_reports.c.dismissed_at.is_(None))
    declined = sa.and_(approvals.c.generation_id == generations.c.id, approvals.c.status == ApprovalStatus.DECLINED)
    return sa.or_(sa.exists().where(reported), sa.exists().where(declined))


async def has_sample(connection: AsyncConnection, training_id: int) -> bool:
    """Whether a first picture with this training's LoRA is there, or in the making."""
    its = sa.and_(generations.c.sample_of == training_id, generations.c.status != GenerationStatus.FAILED)
    return await has_row(connection, sa.select(generations.c.id).where(its))


async def of_lora(connection: AsyncConnection, lora_id: int) -> int:
    """How many generations were ordered with this LoRA."""
    return await count_rows(connection, generations, generations.c.lora_id == lora_id)
