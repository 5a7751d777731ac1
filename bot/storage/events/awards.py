"""SQL of the roles that winners are given."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.ballot import Award, AwardStatus
from bot.records.event import Event
from bot.storage.events.tables import awards, events, honours
from bot.storage.rows import fetch_all, fetch_values, insert_row


async def to_give(connection: AsyncConnection, event: Event) -> Sequence[int]:
    """Members who won the event and were not given its role yet. What a bake-off compared is nobody."""
    known = sa.select(awards.c.user_id).where(awards.c.event_id == event.id)
    return await fetch_values(connection, _winners(event).where(honours.c.user_id.not_in(known)))


async def to_take(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those of earlier winners, once somebody else has won: the role goes on to them."""
    winners = await fetch_values(connection, _winners(event))
    earlier = sa.select(events.c.id).where(events.c.guild_id == event.guild_id, events.c.ended_at < event.ended_at)
    held = sa.and_(
        awards.c.guild_id == event.guild_id,
        awards.c.role_id == event.winner_role_id,
        awards.c.status == AwardStatus.GIVEN,
        awards.c.event_id.in_(earlier),
        awards.c.user_id.not_in(winners),
    )
    return await fetch_all(connection, Award, sa.select(awards).where(held)) if winners else []


async def held_by(connection: AsyncConnection, guild_id: int, user_id: int) -> Sequence[Award]:
    theirs = sa.and_(awards.c.guild_id == guild_id, awards.c.user_id == user_id)
    return await fetch_all(connection, Award, sa.select(awards).where(theirs, awards.c.status == AwardStatus.GIVEN))


async def note(connection: AsyncConnection, event: Event, user_id: int, status: AwardStatus, *, now: datetime) -> bool:
    """What came of giving it; False when they were erased meanwhile, so that nothing is noted."""
    if user_id not in await fetch_values(connection, _winners(event)):
        return False
    given = {"event_id": event.id, "guild_id": event.guild_id, "role_id": event.winner_role_id}
    await insert_row(connection, awards, **given, user_id=user_id, status=status, given_at=now)
    return True


async def note_taken(connection: AsyncConnection, award_id: int) -> None:
    await connection.execute(sa.update(awards).where(awards.c.id == award_id).values(status=AwardStatus.TAKEN))


def _winners(event: Event) -> sa.Select[tuple[int]]:
    first = sa.and_(honours.c.event_id == event.id, honours.c.place == 1, honours.c.label.is_(None))
    return sa.select(honours.c.user_id).where(first).order_by(honours.c.user_id)
