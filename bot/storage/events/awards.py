"""SQL of the roles that winners are given."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.ballot import Award, AwardStatus
from bot.records.event import Event, EventStatus
from bot.storage.due import make_due
from bot.storage.events.tables import awards, events, honours
from bot.storage.rows import build, fetch_all, fetch_first, fetch_values, has_row, insert_row

FIRST = (honours.c.place == 1, honours.c.label.is_(None))
IS_WON = sa.exists().where(honours.c.event_id == awards.c.event_id, honours.c.user_id == awards.c.user_id, *FIRST)
"""Whether its member is still among the winners: who was erased is not."""


async def begin(connection: AsyncConnection, event: Event, *, now: datetime) -> None:
    """Note that those who won the event are to be given its role. What a bake-off compared is nobody."""
    known = sa.select(awards.c.user_id).where(awards.c.event_id == event.id)
    won = {"event_id": event.id, "guild_id": event.guild_id, "role_id": event.winner_role_id, "given_at": now}
    for user_id in await fetch_values(connection, _winners(event).where(honours.c.user_id.not_in(known))):
        await insert_row(connection, awards, **won, user_id=user_id, status=AwardStatus.PENDING)


async def to_give(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those that Discord has not answered for, without what has gone on to somebody else meanwhile."""
    gone_on = [each.id for each in await to_pass_on(connection, event)]
    pending = sa.select(awards).where(_is_pending(event.id), IS_WON, awards.c.id.not_in(gone_on))
    return await fetch_all(connection, Award, pending)


async def to_take_back(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those of members who were erased: they may have been given the role before."""
    return await fetch_all(connection, Award, sa.select(awards).where(_is_pending(event.id), sa.not_(IS_WON)))


async def is_pending(connection: AsyncConnection, event_id: int) -> bool:
    """Whether a role of the event's is still to be given or taken back."""
    return await has_row(connection, sa.select(awards.c.id).where(_is_pending(event_id)))


async def to_pass_on(connection: AsyncConnection, event: Event) -> Sequence[Award]:
    """Those with the event's role that it has gone on from: somebody else has won a later event, this one or another.

    Of events that are given their roles at the same time each looks at what the other has noted.
    """
    newest = await _newest_passing(connection, event)
    if newest is None:
        return []
    same = sa.and_(awards.c.guild_id == event.guild_id, awards.c.role_id == event.winner_role_id)
    before = sa.select(events.c.id).where(events.c.guild_id == event.guild_id, events.c.ended_at < newest.ended_at)
    is_open = awards.c.status.in_([AwardStatus.GIVEN, AwardStatus.PENDING])
    won_since = sa.select(awards.c.user_id).where(same, is_open, awards.c.event_id.not_in(before))
    earlier = sa.select(awards).where(
        same,
        sa.or_(awards.c.status == AwardStatus.GIVEN, _is_pending(event.id)),
        awards.c.event_id.in_(before),
        awards.c.user_id.not_in(_winners(newest)),
        awards.c.user_id.not_in(won_since),
    )
    return await fetch_all(connection, Award, earlier)


async def _newest_passing(connection: AsyncConnection, event: Event) -> Event | None:
    """The newest event that was won and whose role, the same as this one's, goes on."""
    won = sa.select(honours.c.event_id).where(honours.c.guild_id == event.guild_id, *FIRST)
    passing = sa.select(events).where(
        events.c.guild_id == event.guild_id,
        events.c.winner_role_id == event.winner_role_id,
        events.c.passes_role,
        events.c.status == EventStatus.FINISHED,
        events.c.id.in_(won),
    )
    return await fetch_first(connection, Event, passing.order_by(events.c.ended_at.desc(), events.c.id.desc()))


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


async def note(connection: AsyncConnection, award_id: int, status: AwardStatus, *, now: datetime) -> None:
    """What came of giving it. It stays pending when they were erased meanwhile."""
    asked = sa.update(awards).where(awards.c.id == award_id, IS_WON)
    await connection.execute(asked.values(status=status, given_at=now))


async def forget(connection: AsyncConnection, award_id: int) -> None:
    await connection.execute(sa.delete(awards).where(awards.c.id == award_id))


async def note_taken(connection: AsyncConnection, award_id: int) -> None:
    taken = sa.update(awards).where(awards.c.id == award_id, IS_WON)
    await connection.execute(taken.values(status=AwardStatus.TAKEN))


def _is_pending(event_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(awards.c.event_id == event_id, awards.c.status == AwardStatus.PENDING)


def _winners(event: Event) -> sa.Select[tuple[int]]:
    return sa.select(honours.c.user_id).where(honours.c.event_id == event.id, *FIRST).order_by(honours.c.user_id)
