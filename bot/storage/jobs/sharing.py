"""SQL of sharing LoRAs and handing them over."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import Actor
from bot.records.lora import Audience, Lora, Offer, OfferStatus, Share
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.storage.events.entrants import entered_by
from bot.storage.jobs import posts
from bot.storage.people import moderation_log, questions
from bot.storage.rows import changes_row, fetch_all, fetch_first, insert_record, insert_row
from bot.storage.tables import lora_offers, lora_shares, loras

AUDIENCES = {
    Audience.MEMBER: "a member",
    Audience.ROLE: "a role",
    Audience.EVENT: "everybody in an event",
    Audience.GUILD: "everyone here",
}


def _reaches(guild_id: int, user_id: int, role_ids: Collection[int]) -> sa.ColumnElement[bool]:
    """A share of this guild whose audience holds the member."""
    share = lora_shares.c
    return sa.and_(
        share.guild_id == guild_id,
        sa.or_(
            share.audience == Audience.GUILD,
            sa.and_(share.audience == Audience.MEMBER, share.audience_id == user_id),
            sa.and_(share.audience == Audience.ROLE, share.audience_id.in_(sorted(role_ids))),
            sa.and_(share.audience == Audience.EVENT, share.audience_id.in_(entered_by(guild_id, user_id))),
        ),
    )


async def usable_by(connection: AsyncConnection, actor: Actor) -> list[Lora]:
    """LoRAs of this guild that are the member's own or shared with them, newest first; archived ones never."""
    shared = sa.select(lora_shares.c.lora_id).where(_reaches(actor.guild_id, actor.user_id, actor.role_ids))
    usable = sa.or_(loras.c.owner_id == actor.user_id, loras.c.id.in_(shared))
    here = sa.select(loras).where(loras.c.guild_id == actor.guild_id, loras.c.archived_at.is_(None), usable)
    return await fetch_all(connection, Lora, here.order_by(loras.c.id.desc()))


async def shares_of(connection: AsyncConnection, lora_id: int) -> list[Share]:
    shares = sa.select(lora_shares).where(lora_shares.c.lora_id == lora_id)
    return await fetch_all(connection, Share, shares.order_by(lora_shares.c.id))


async def share(
    connection: AsyncConnection,
    lora: Lora,
    audience: Audience,
    audience_id: int | None,
    *,
    by: int,
    now: datetime,
    known_as: str | None = None,
) -> None:
    """Sharing twice with the same audience is sharing once.

    `known_as` names what a database that was put back does again by itself, see `posts.add`.
    """
    if any((old.audience, old.audience_id) == (audience, audience_id) for old in await shares_of(connection, lora.id)):
        return
    reached = {"audience": audience, "audience_id": audience_id, "granted_by": by, "granted_at": now}
    await insert_row(connection, lora_shares, guild_id=lora.guild_id, lora_id=lora.id, **reached)
    member_id = audience_id if audience is Audience.MEMBER else None
    what = f"LoRA #{lora.id}, with {AUDIENCES[audience]}"
    await moderation_log.note(
        connection, lora.guild_id, Act.SHARED, by, what, member_id=member_id, now=now, known_as=known_as
    )


async def unshare(connection: AsyncConnection, share_id: int, *, lora_id: int) -> bool:
    its = sa.and_(lora_shares.c.id == share_id, lora_shares.c.lora_id == lora_id)
    return await changes_row(connection, sa.delete(lora_shares).where(its))


async def unshare_all(connection: AsyncConnection, lora_id: int) -> None:
    await connection.execute(sa.delete(lora_shares).where(lora_shares.c.lora_id == lora_id))


async def insert_offer(connection: AsyncConnection, **values: Any) -> Offer:
    """The caller ends an open offer of the same LoRA first."""
    return await insert_record(connection, Offer, lora_offers, status=OfferStatus.OPEN, **values)


async def open_offer_of(connection: AsyncConnection, lora_id: int) -> Offer | None:
    """There is one at most."""
    its = sa.select(lora_offers).where(lora_offers.c.lora_id == lora_id, lora_offers.c.status == OfferStatus.OPEN)
    return await fetch_first(connection, Offer, its)


async def get_offer(connection: AsyncConnection, offer_id: int) -> Offer | None:
    return await fetch_first(connection, Offer, sa.select(lora_offers).where(lora_offers.c.id == offer_id))


async def end_offer(connection: AsyncConnection, lora_id: int, *, now: datetime) -> None:
    """Withdraw the open offer of this LoRA, if there is one, and let its message say so."""
    offer = await open_offer_of(connection, lora_id)
    if offer is not None:
        await answer_offer(connection, offer.id, OfferStatus.WITHDRAWN, now=now)


async def answer_offer(connection: AsyncConnection, offer_id: int, status: OfferStatus, *, now: datetime) -> bool:
    """True for the one answer that counts; the offer's message shows it soon."""
    is_open = sa.and_(lora_offers.c.id == offer_id, lora_offers.c.status == OfferStatus.OPEN)
    if not await changes_row(connection, sa.update(lora_offers).where(is_open).values(status=status)):
        return False
    if status is OfferStatus.ACCEPTED:
        await questions.answer_yes(connection, PostKind.LORA_OFFER, offer_id, now=now)
    else:
        await questions.withdraw(connection, PostKind.LORA_OFFER, [offer_id])
    await posts.renew(connection, PostKind.LORA_OFFER, offer_id, due_at=now)
    return True
