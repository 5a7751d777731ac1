"""SQL of pictures that wait for a moderator."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Picture
from bot.records.guild import Actor
from bot.records.moderation import Approval, ApprovalStatus, Purpose
from bot.storage.policy_tables import approvals
from bot.storage.rows import changes_row, fetch_first, fetch_values, insert_row


async def find(connection: AsyncConnection, picture_id: int, purpose: Purpose) -> Approval | None:
    asked = sa.select(approvals).where(approvals.c.picture_id == picture_id, approvals.c.purpose == purpose)
    return await fetch_first(connection, Approval, asked)


async def get(connection: AsyncConnection, approval_id: int) -> Approval | None:
    return await fetch_first(connection, Approval, sa.select(approvals).where(approvals.c.id == approval_id))


async def add(
    connection: AsyncConnection,
    picture: Picture,
    purpose: Purpose,
    actor: Actor,
    status: ApprovalStatus,
    *,
    now: datetime,
) -> int:
    about = {"generation_id": picture.generation_id, "picture_id": picture.id, "purpose": purpose}
    asked = {"guild_id": actor.guild_id, "user_id": actor.user_id, "status": status, "asked_at": now}
    return await insert_row(connection, approvals, **about, **asked)


async def decide(connection: AsyncConnection, approval_id: int, status: ApprovalStatus) -> bool:
    """False when it does not wait any more."""
    waiting = sa.update(approvals).where(approvals.c.id == approval_id, approvals.c.status == ApprovalStatus.WAITING)
    return await changes_row(connection, waiting.values(status=status))


async def approved(connection: AsyncConnection, guild_id: int, purpose: Purpose) -> frozenset[int]:
    """Ids of the guild's pictures that moderators have approved for this."""
    here = sa.select(approvals.c.picture_id).where(approvals.c.guild_id == guild_id, approvals.c.purpose == purpose)
    return frozenset(await fetch_values(connection, here.where(approvals.c.status == ApprovalStatus.APPROVED)))
