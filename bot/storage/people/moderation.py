"""SQL of moderation: who is blocked."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import EventStatus
from bot.records.generation import GenerationStatus
from bot.records.lora import OfferStatus
from bot.records.question import RequestStatus
from bot.records.training import TrainingStatus
from bot.storage.due import make_due
from bot.storage.events import ballots
from bot.storage.events.tables import events, runoff_votes, votes
from bot.storage.jobs import sharing
from bot.storage.people import pseudonyms
from bot.storage.policy_tables import blocks
from bot.storage.question_tables import photo_requests
from bot.storage.reader import asked_once
from bot.storage.rows import changes_row, fetch_values, has_row, insert_row
from bot.storage.tables import generations, lora_offers, trainings

_BLOCK = sa.select(blocks.c.id).where(
    blocks.c.guild_id == sa.bindparam("guild_id"),
    sa.or_(blocks.c.user_id == sa.bindparam("user_id"), blocks.c.user_id == sa.bindparam("name")),
)
"""Made once: it is asked for whatever a member does."""


async def block(connection: AsyncConnection, guild_id: int, user_id: int, *, by: int, now: datetime) -> bool:
    """False when the member is blocked already."""
    if await is_blocked(connection, guild_id, user_id):
        return False
    await insert_row(connection, blocks, guild_id=guild_id, user_id=user_id, blocked_by=by, blocked_at=now)
    return True


async def unblock(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    """False when the member was not blocked."""
    ids = await pseudonyms.ids_of(connection, guild_id, user_id)
    theirs = sa.delete(blocks).where(blocks.c.guild_id == guild_id, blocks.c.user_id.in_(ids))
    return await changes_row(connection, theirs)


async def is_blocked(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    """Also a member who had everything about them erased since."""
    if not await _blocks_anybody(connection, guild_id):
        return False
    name = (await pseudonyms.ids_of(connection, guild_id, user_id))[-1]
    theirs = {"guild_id": guild_id, "user_id": user_id, "name": name}
    return (await connection.execute(_BLOCK, theirs)).first() is not None


@asked_once
async def _blocks_anybody(connection: AsyncConnection, guild_id: int) -> bool:
    return await has_row(connection, sa.select(blocks.c.id).where(blocks.c.guild_id == guild_id).limit(1))


async def end_what_waits(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """The member's open offers and votes go, and what they asked authors of photos for ends.

    The next step of each waiting job finds out that it must not be sent.
    """
    to_or_from = sa.or_(lora_offers.c.from_id == user_id, lora_offers.c.to_id == user_id)
    offers = sa.select(lora_offers.c.id).where(lora_offers.c.guild_id == guild_id, to_or_from)
    for offer_id in await fetch_values(connection, offers.where(lora_offers.c.status == OfferStatus.OPEN)):
        await sharing.answer_offer(connection, offer_id, OfferStatus.WITHDRAWN, now=now)
    voting = sa.select(events.c.id).where(events.c.guild_id == guild_id, events.c.status == EventStatus.VOTING)
    for table in (votes, runoff_votes):
        cast = sa.delete(table).where(table.c.voter_id == user_id, table.c.event_id.in_(voting))
        for event_id in await fetch_values(connection, cast.returning(table.c.event_id)):
            await ballots.forget_honours(connection, event_id)
    asked = (photo_requests.c.guild_id == guild_id, photo_requests.c.from_id == user_id)
    await make_due(connection, photo_requests, *asked, photo_requests.c.status == RequestStatus.ASKED, at=now)
    for table, queued in ((trainings, TrainingStatus.QUEUED), (generations, GenerationStatus.QUEUED)):
        theirs = (table.c.guild_id == guild_id, table.c.user_id == user_id, table.c.status == queued)
        await make_due(connection, table, *theirs, at=now)
