"""SQL of what is to be removed at the providers. Whatever is to go there gets its row here, whoever wants it gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import NOBODY
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.records.lora import Lora
from bot.records.removal import Removal, RemovalKind, RemovalReason, RemovalStatus
from bot.records.training import Training, TrainingStatus
from bot.storage.due import make_due
from bot.storage.money import spends
from bot.storage.people import takedowns
from bot.storage.policy_tables import removals
from bot.storage.rows import count_rows, fetch_all, fetch_first, fetch_values, has_row, insert_row
from bot.storage.tables import api_keys, generations, loras, reference_pictures, timeline, trainings

CAN_BE_ASKED = removals.c.due_at.is_not(None)
UPLOADS_LIVE = timedelta(hours=24)
"""A reference picture is at the provider for so long at the most (Aurous Labs /files)."""
WAITING = removals.c.status == RemovalStatus.WAITING
UNDER_WAY = [status for status in TrainingStatus if status.is_in_flight]
SENT = [each for each in GenerationStatus if not each.is_terminal and each is not GenerationStatus.QUEUED]
KEPT_BY_RECEIPT = 100
"""Most receipts that are shown."""


async def of_lora(
    connection: AsyncConnection,
    lora: Lora,
    why: RemovalReason,
    *,
    user_id: int,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """The LoRA is to go at its provider. `user_id` gets the receipt; NOBODY when somebody asked before, or nobody."""
    found = await _of_subject(connection, SubjectTable.TRAINING, lora.training_id)
    mine = [each for each in found if each.user_id == user_id or NOBODY in {each.user_id, user_id}]
    if mine:
        await _repeat(connection, mine[0], why, user_id=user_id, now=now)
        return
    await _add(
        connection,
        guild_id=lora.guild_id,
        user_id=user_id,
        provider=lora.provider,
        account=await _account_of(connection, lora),
        kind=RemovalKind.CHARACTER if lora.is_character else RemovalKind.LORA,
        subject_table=SubjectTable.TRAINING,
        subject_id=lora.training_id,
        remote_id=lora.remote_id,
        why=why,
        sent_at=lora.created_at,
        created_at=now,
        due_at=due_at or now,
    )


async def of_training(
    connection: AsyncConnection, training: Training, why: RemovalReason, *, user_id: int, now: datetime
) -> None:
    """What this training makes, or has made at the provider without our knowledge, is to go."""
    if any(each.user_id == user_id for each in await _of_subject(connection, SubjectTable.TRAINING, training.id)):
        return
    await _add(
        connection,
        guild_id=training.guild_id,
        user_id=user_id,
        provider=training.provider,
        account=await _account(connection, training.key_id),
        kind=RemovalKind.TRAINING,
        subject_table=SubjectTable.TRAINING,
        subject_id=training.id,
        remote_id=training.request_id,
        marker=training.marker,
        why=why,
        sent_at=training.submitting_at or now,
        created_at=now,
        due_at=now,
    )


async def of_member(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """All that exists of this member at the providers is to go; what of theirs was never sent has cost nothing.

    What they had wanted gone before, and is not yet, belongs to their erasure from now on.
    """
    asked = sa.and_(removals.c.guild_id == guild_id, removals.c.user_id == user_id, WAITING)
    await connection.execute(sa.update(removals).where(asked).values(why=RemovalReason.ERASED))
    owned = sa.select(loras).where(loras.c.guild_id == guild_id, loras.c.owner_id == user_id)
    for lora in await fetch_all(connection, Lora, owned.order_by(loras.c.id)):
        await takedowns.offer(connection, lora, but=user_id, now=now)
        if lora.archived_at is None:
            await of_lora(connection, lora, RemovalReason.ERASED, user_id=user_id, now=now)
    theirs = sa.and_(trainings.c.guild_id == guild_id, trainings.c.user_id == user_id)
    unclear = sa.select(timeline.c.subject_id).where(
        timeline.c.subject_table == SubjectTable.TRAINING, timeline.c.what == "unclear"
    )
    may_be_there = sa.or_(
        trainings.c.status.in_(UNDER_WAY),
        sa.and_(
            trainings.c.status == TrainingStatus.FAILED,
            sa.or_(trainings.c.request_id.is_not(None), trainings.c.id.in_(unclear)),
        ),
    )
    for training in await fetch_all(connection, Training, sa.select(trainings).where(theirs, may_be_there)):
        await of_training(connection, training, RemovalReason.ERASED, user_id=user_id, now=now)
    await _of_orders(connection, guild_id, user_id, now=now)
    for table, subject, queued in (
        (trainings, SubjectTable.TRAINING, TrainingStatus.QUEUED),
        (generations, SubjectTable.GENERATION, GenerationStatus.QUEUED),
    ):
        own = sa.and_(table.c.guild_id == guild_id, table.c.user_id == user_id, table.c.status == queued)
        for job_id in await fetch_values(connection, sa.select(table.c.id).where(own)):
            await spends.settle(connection, subject, job_id, Amount(), now=now)


async def _of_orders(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """Pictures that are being made, and reference pictures that the provider may still have."""
    own = sa.and_(generations.c.guild_id == guild_id, generations.c.user_id == user_id)
    for row in (await connection.execute(sa.select(generations).where(own, generations.c.status.in_(SENT)))).all():
        await _add_order(connection, row, RemovalKind.PICTURES, row.request_id, row.submitting_at or now, now=now)
    uploaded = sa.select(
        *(generations.c[name] for name in ("id", "guild_id", "user_id", "provider", "key_id")),
        reference_pictures.c.remote_id,
        reference_pictures.c.uploaded_at,
    ).join(reference_pictures, reference_pictures.c.generation_id == generations.c.id)
    there = sa.and_(reference_pictures.c.remote_id.is_not(None), reference_pictures.c.uploaded_at > now - UPLOADS_LIVE)
    for row in (await connection.execute(uploaded.where(own, there))).all():
        await _add_order(connection, row, RemovalKind.UPLOAD, row.remote_id, row.uploaded_at, now=now)


async def of_late_upload(connection: AsyncConnection, generation: Generation, remote_id: str, *, now: datetime) -> None:
    """This reference picture of an order has reached the provider after its member was erased."""
    await _add_order(connection, generation, RemovalKind.UPLOAD, remote_id, now, now=now)


async def _add_order(
    connection: AsyncConnection, row: Any, kind: RemovalKind, remote_id: str | None, sent_at: datetime, *, now: datetime
) -> None:
    await _add(
        connection,
        guild_id=row.guild_id,
        user_id=row.user_id,
        provider=row.provider,
        account=await _account(connection, row.key_id),
        kind=kind,
        subject_table=SubjectTable.GENERATION,
        subject_id=row.id,
        remote_id=remote_id,
        why=RemovalReason.ERASED,
        sent_at=sent_at,
        created_at=now,
        due_at=now,
    )


async def key_for(connection: AsyncConnection, removal: Removal) -> int | None:
    """The server's newest key, in use or not yet deleted, of the team that has it; None without any."""
    fitting = sa.select(api_keys.c.id).where(_fits(removal.guild_id, removal.provider, removal.account))
    newest: int | None = await connection.scalar(fitting.order_by(api_keys.c.retired_at.is_not(None), -api_keys.c.id))
    return newest


async def open_on_key(connection: AsyncConnection, key_id: int) -> int:
    """How many removals need this key."""
    key = (await connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id))).first()
    if key is None:
        return 0
    theirs = sa.and_(removals.c.guild_id == key.guild_id, removals.c.provider == key.provider, WAITING)
    account = removals.c.account
    fits = sa.true() if key.account is None else sa.or_(account.is_(None), account == key.account)
    return await count_rows(connection, removals, theirs, fits)


async def keys_needed(connection: AsyncConnection, guild_id: int) -> list[int]:
    """The guild's keys without which something could not be removed."""
    theirs = await fetch_values(connection, sa.select(api_keys.c.id).where(api_keys.c.guild_id == guild_id))
    return [key_id for key_id in theirs if await open_on_key(connection, key_id)]


async def wake(connection: AsyncConnection, guild_id: int, provider: ProviderName, *, now: datetime) -> None:
    """The server has another key, or its key works again."""
    its = sa.and_(removals.c.guild_id == guild_id, removals.c.provider == provider)
    await make_due(connection, removals, its, WAITING, at=now)


async def of_person(connection: AsyncConnection, user_id: int, guild_id: int | None = None) -> list[Removal]:
    """The member's receipts in this server, None: everywhere; the newest first."""
    theirs = sa.select(removals).where(removals.c.user_id == user_id)
    if guild_id is not None:
        theirs = theirs.where(removals.c.guild_id == guild_id)
    return await fetch_all(connection, Removal, theirs.order_by(removals.c.id.desc()).limit(KEPT_BY_RECEIPT))


async def get(connection: AsyncConnection, removal_id: int) -> Removal | None:
    return await fetch_first(connection, Removal, sa.select(removals).where(removals.c.id == removal_id))


async def count_waiting(connection: AsyncConnection, guild_id: int, user_id: int) -> int:
    theirs = sa.and_(removals.c.guild_id == guild_id, removals.c.user_id == user_id, WAITING)
    return await count_rows(connection, removals, theirs)


async def is_through(connection: AsyncConnection, removal: Removal) -> bool:
    """Whether nothing of the member is waited for; what nobody can be asked for is not."""
    theirs = sa.and_(removals.c.guild_id == removal.guild_id, removals.c.user_id == removal.user_id)
    return not await has_row(connection, sa.select(removals.c.id).where(theirs, WAITING, CAN_BE_ASKED))


async def _of_subject(connection: AsyncConnection, subject: SubjectTable, subject_id: int) -> Sequence[Removal]:
    about = sa.and_(removals.c.subject_table == subject, removals.c.subject_id == subject_id)
    return await fetch_all(connection, Removal, sa.select(removals).where(about).order_by(removals.c.id))


async def _repeat(
    connection: AsyncConnection, removal: Removal, why: RemovalReason, *, user_id: int, now: datetime
) -> None:
    """It was to go before: at once now, and for whoever asks now when nobody had asked."""
    if removal.status is RemovalStatus.WAITING:
        whose = {"user_id": removal.user_id or user_id, "why": why}
        await make_due(connection, removals, removals.c.id == removal.id, at=now, **whose)


async def _add(connection: AsyncConnection, **values: Any) -> None:
    await insert_row(connection, removals, status=RemovalStatus.WAITING, **values)


async def _account(connection: AsyncConnection, key_id: int) -> str | None:
    account: str | None = await connection.scalar(sa.select(api_keys.c.account).where(api_keys.c.id == key_id))
    return account


async def _account_of(connection: AsyncConnection, lora: Lora) -> str | None:
    """The team that trained it; for one of unknown origin that of the server's key."""
    known = sa.select(loras.c.account).where(loras.c.id == lora.id)
    trained = sa.select(api_keys.c.account).join(trainings, trainings.c.key_id == api_keys.c.id)
    current = sa.select(api_keys.c.account).where(
        api_keys.c.guild_id == lora.guild_id, api_keys.c.provider == lora.provider, api_keys.c.retired_at.is_(None)
    )
    for statement in (known, trained.where(trainings.c.id == lora.training_id), current):
        account: str | None = await connection.scalar(statement)
        if account is not None:
            return account
    return None


def _fits(guild_id: int, provider: ProviderName, account: str | None) -> sa.ColumnElement[bool]:
    its = sa.and_(api_keys.c.guild_id == guild_id, api_keys.c.provider == provider)
    if account is None:
        return its
    return sa.and_(its, sa.or_(api_keys.c.account.is_(None), api_keys.c.account == account))
