"""SQL of the roles that winners are given."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.ballot import Award, AwardStatus
from bot.records.event import Event
from bot.storage.due import make_due
from bot.storage.events.tables import awards, events, honours
from bot.storage.rows import build, fetch_all, fetch_values, has_row, insert_row


async def begin(connection: AsyncConnection, event: Event, *, now: datetime) -> None:
    """Note that those who won the event are to be given its role. What a bake-off compared is nobody."""
    known = sa.select(awards.c.user_id).where(awards.c.event_id == event.id)
    won = {"event_id": event.id, "guild_id": event.guild_id, "role_id": event.winner_role_id, "given_at": now}
    for user_id in await fetch_values(connection, _winners(event).where(honours.c.user_id.not_in(known))):
        await insert_row(connection, awards, **won, user_id=user_id, status=AwardStatus.PENDING)


async def to_give(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those that Discord has not answered for."""
    pending = sa.select(awards).where(_is_pending(event.id), awards.c.user_id.in_(_winners(event)))
    return await fetch_all(connection, Award, pending)


async def to_take_back(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those of members who were erased: they may have been given the role before."""
    pending = sa.select(awards).where(_is_pending(event.id), awards.c.user_id.not_in(_winners(event)))
    return await fetch_all(connection, Award, pending)


async def is_pending(connection: AsyncConnection, event_id: int) -> bool:
    """Whether a role of the event's is still to be given or taken back."""
    return await has_row(connection, sa.select(awards.c.id).where(_is_pending(event_id)))


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


async def lose(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> Sequence[Award]:
    """What this member has won is to be taken from them, as they are erased; what they hold.

    Rows that are pending outlive the erasure until Discord has answered; the events' next steps see to it.
    """
    theirs = sa.and_(awards.c.guild_id == guild_id, awards.c.user_id == user_id)
    given = sa.update(awards).where(theirs, awards.c.status == AwardStatus.GIVEN).values(status=AwardStatus.PENDING)
    held = [build(Award, row) for row in await connection.execute(given.returning(*awards.c))]
    its = sa.select(awards.c.event_id).where(theirs, awards.c.status == AwardStatus.PENDING)
    await make_due(connection, events, events.c.id.in_(its), at=now)
    return held


async def note(connection: AsyncConnection, event: Event, award_id: int, status: AwardStatus, *, now: datetime) -> None:
    """What came of giving it. It stays pending when they were erased meanwhile."""
    asked = sa.update(awards).where(awards.c.id == award_id, awards.c.user_id.in_(_winners(event)))
    await connection.execute(asked.values(status=status, given_at=now))


async def forget(connection: AsyncConnection, award_id: int) -> None:
    await connection.execute(sa.delete(awards).where(awards.c.id == award_id))


async def note_taken(connection: AsyncConnection, award_id: int) -> None:
    await connection.execute(sa.update(awards).where(awards.c.id == award_id).values(status=AwardStatus.TAKEN))


def _is_pending(event_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(awards.c.event_id == event_id, awards.c.status == AwardStatus.PENDING)


def _winners(event: Event) -> sa.Select[tuple[int]]:
    first = sa.and_(honours.c.event_id == event.id, honours.c.place == 1, honours.c.label.is_(None))
    return sa.select(honours.c.user_id).where(first).order_by(honours.c.user_id)
