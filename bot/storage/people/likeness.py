"""SQL of members' claims to be seen in what a LoRA makes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import Place, PlaceKind
from bot.records.likeness import LikenessClaim, LikenessStatus
from bot.records.post import PostKind
from bot.storage.database import note_due
from bot.storage.jobs import posts
from bot.storage.question_tables import likeness_claims
from bot.storage.rows import changes_row, count_rows, fetch_all, fetch_first, insert_record
from bot.storage.tables import loras

CARDS = (PostKind.LIKENESS_OWNER, PostKind.LIKENESS_MODERATORS)
"""The posts with the buttons that decide."""
IS_OPEN = likeness_claims.c.status == LikenessStatus.OPEN


async def insert(connection: AsyncConnection, **values: Any) -> LikenessClaim:
    return await insert_record(connection, LikenessClaim, likeness_claims, status=LikenessStatus.OPEN, **values)


async def get(connection: AsyncConnection, claim_id: int) -> LikenessClaim | None:
    return await fetch_first(
        connection, LikenessClaim, sa.select(likeness_claims).where(likeness_claims.c.id == claim_id)
    )


async def newest(connection: AsyncConnection, lora_id: int, user_ids: Collection[int]) -> LikenessClaim | None:
    """What this member, under one of these ids, said last of the LoRA."""
    theirs = sa.select(likeness_claims).where(likeness_claims.c.lora_id == lora_id, _by(user_ids))
    return await fetch_first(connection, LikenessClaim, theirs.order_by(likeness_claims.c.id.desc()).limit(1))


async def count_open_of(connection: AsyncConnection, guild_id: int, user_ids: Collection[int]) -> int:
    return await count_rows(connection, likeness_claims, likeness_claims.c.guild_id == guild_id, _by(user_ids), IS_OPEN)


async def of_member(connection: AsyncConnection, guild_id: int, user_id: int) -> list[LikenessClaim]:
    """What they have claimed, newest first."""
    theirs = sa.select(likeness_claims).where(likeness_claims.c.guild_id == guild_id, _by([user_id]))
    return await fetch_all(connection, LikenessClaim, theirs.order_by(likeness_claims.c.id.desc()))


async def open_of(connection: AsyncConnection, lora_id: int) -> list[LikenessClaim]:
    """Those that are not decided, oldest first."""
    waiting = sa.select(likeness_claims).where(likeness_claims.c.lora_id == lora_id, IS_OPEN)
    return await fetch_all(connection, LikenessClaim, waiting.order_by(likeness_claims.c.id))


async def end(
    connection: AsyncConnection,
    claim: LikenessClaim,
    status: LikenessStatus,
    *,
    reason: str | None = None,
    now: datetime,
    kept_for: timedelta,
) -> bool:
    """Store what was decided and tell the claimant; False when that was done before."""
    note_due(connection, likeness_claims)
    ended = sa.update(likeness_claims).where(likeness_claims.c.id == claim.id, IS_OPEN)
    values = {"status": status, "reason": reason, "decided_at": now, "due_at": now + kept_for}
    if not await changes_row(connection, ended.values(wakes=likeness_claims.c.wakes + 1, **values)):
        return False
    await tell(connection, claim, now=now)
    return True


async def tell(connection: AsyncConnection, claim: LikenessClaim, *, now: datetime) -> None:
    """It is decided: the claimant hears of it, unless they were erased, and the cards that asked show it."""
    if claim.user_id > 0:
        await posts.add(
            connection,
            PostKind.LIKENESS_DECIDED,
            claim.id,
            guild_id=claim.guild_id,
            user_id=claim.user_id,
            places=[Place(PlaceKind.USER, claim.user_id)],
            now=now,
        )
    await _renew_cards(connection, claim, now)


async def end_all(connection: AsyncConnection, lora_id: int, *, now: datetime, kept_for: timedelta) -> None:
    """The LoRA was archived, or is about to be erased."""
    for claim in await open_of(connection, lora_id):
        await end(connection, claim, LikenessStatus.GONE, now=now, kept_for=kept_for)


async def forget(
    connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime, kept_for: timedelta
) -> None:
    """The member is about to be erased: claims on their LoRAs end, and cards that name them are drawn anew.

    What they have claimed themselves is decided as before, without their id.
    """
    owned = sa.select(likeness_claims).where(
        likeness_claims.c.lora_id.in_(sa.select(loras.c.id).where(loras.c.owner_id == user_id)),
        likeness_claims.c.guild_id == guild_id,
        IS_OPEN,
    )
    for claim in await fetch_all(connection, LikenessClaim, owned):
        await end(connection, claim, LikenessStatus.GONE, now=now, kept_for=kept_for)
    for claim in await of_member(connection, guild_id, user_id):
        await _renew_cards(connection, claim, now)


async def _renew_cards(connection: AsyncConnection, claim: LikenessClaim, now: datetime) -> None:
    for kind in CARDS:
        await posts.renew(connection, kind, claim.id, due_at=now)


def _by(user_ids: Collection[int]) -> sa.ColumnElement[bool]:
    return likeness_claims.c.user_id.in_(user_ids)
