"""SQL of the ledger: what every job reserves when it is stored, and what it really took when it has ended."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import EventStatus
from bot.records.job import SubjectTable
from bot.records.limit import Amount, Spend
from bot.storage.changes import note_spent
from bot.storage.events.tables import events
from bot.storage.people.pseudonyms import pseudonym
from bot.storage.policy_tables import spends
from bot.storage.reader import asked_once
from bot.storage.rows import columns_of, fetch_all, fetch_first, fetch_values, insert_row

AMOUNT = [sa.func.coalesce(sa.func.sum(spends.c[unit]), 0).label(unit) for unit in ("credits", "trainings", "pictures")]

_OF_MEMBER = sa.select(*AMOUNT).where(
    spends.c.guild_id == sa.bindparam("guild_id"),
    sa.or_(spends.c.user_id == sa.bindparam("user_id"), spends.c.user_id == sa.bindparam("name")),
    spends.c.event_id.is_(None),
    spends.c.created_at >= sa.bindparam("since"),
)
"""Made once: it is asked before every upload and every order."""


async def reserve(connection: AsyncConnection, spend: Spend) -> None:
    """Store what the job may take, in the transaction that stores the job."""
    await insert_row(connection, spends, **columns_of(spend))


async def settle(
    connection: AsyncConnection, subject: SubjectTable, subject_id: int, took: Amount | None, *, now: datetime
) -> Spend | None:
    """Store what the job really took, None: as much as was reserved; asking twice settles once, and gives None."""
    its = sa.and_(spends.c.subject_table == subject, spends.c.subject_id == subject_id, spends.c.settled_at.is_(None))
    values = {} if took is None else asdict(took)
    settled = sa.update(spends).where(its).values(settled_at=now, **values).returning(*spends.c)
    spend = await fetch_first(connection, Spend, settled)
    if spend is not None:
        note_spent(connection, spend)
    return spend


async def of_job(connection: AsyncConnection, subject: SubjectTable, subject_id: int) -> Spend | None:
    its = sa.select(spends).where(spends.c.subject_table == subject, spends.c.subject_id == subject_id)
    return await fetch_first(connection, Spend, its)


async def of_event(connection: AsyncConnection, event_id: int) -> list[Spend]:
    its = sa.select(spends).where(spends.c.event_id == event_id)
    return await fetch_all(connection, Spend, its.order_by(spends.c.id))


async def total(connection: AsyncConnection, event_id: int) -> int:
    """Credits that an event has spent or reserved."""
    its = sa.select(sa.func.coalesce(sa.func.sum(spends.c.credits), 0)).where(spends.c.event_id == event_id)
    return int((await connection.execute(its)).scalar_one())


async def is_settled(connection: AsyncConnection, event_id: int) -> bool:
    """Whether every job of the event has ended."""
    open_ones = sa.select(spends.c.id).where(spends.c.event_id == event_id, spends.c.settled_at.is_(None)).limit(1)
    return not await fetch_values(connection, open_ones)


@asked_once
async def used_by_guild(connection: AsyncConnection, guild_id: int, since: datetime) -> Amount:
    """What a server's jobs since then take, those of its events as well."""
    return await _sum(connection, spends.c.guild_id == guild_id, spends.c.created_at >= since)


async def used_by_member(
    connection: AsyncConnection, guild_id: int, user_ids: Sequence[int], since: datetime
) -> Amount:
    """What a member's own jobs since then take, without those of events. `user_ids`: the member's id and pseudonym."""
    parameters = {"guild_id": guild_id, "user_id": user_ids[0], "name": user_ids[-1], "since": since}
    return _amount((await connection.execute(_OF_MEMBER, parameters)).one())


async def last_training(connection: AsyncConnection, guild_id: int, user_ids: Sequence[int]) -> datetime | None:
    """When the member's newest training of their own was ordered, of those that run or were paid."""
    theirs = (spends.c.guild_id == guild_id, spends.c.user_id.in_(user_ids), spends.c.event_id.is_(None))
    newest = sa.select(spends.c.created_at).where(*theirs, spends.c.trainings > 0).order_by(spends.c.created_at.desc())
    return next(iter(await fetch_values(connection, newest.limit(1))), None)


async def spenders(connection: AsyncConnection, guild_id: int, since: datetime, *, limit: int) -> list[tuple[int, int]]:
    """(member, credits) of those who spent the most since then, outside events; the largest first."""
    credits_ = sa.func.sum(spends.c.credits)
    theirs = (spends.c.guild_id == guild_id, spends.c.event_id.is_(None), spends.c.created_at >= since)
    statement = sa.select(spends.c.user_id, credits_).where(*theirs).group_by(spends.c.user_id)
    most = statement.having(credits_ > 0).order_by(credits_.desc(), spends.c.user_id).limit(limit)
    return [(int(user_id), int(spent)) for user_id, spent in await connection.execute(most)]


async def of_guild(connection: AsyncConnection, guild_id: int, since: datetime | None = None) -> list[Spend]:
    """Oldest first."""
    theirs = sa.select(spends).where(spends.c.guild_id == guild_id)
    if since is not None:
        theirs = theirs.where(spends.c.created_at >= since)
    return await fetch_all(connection, Spend, theirs.order_by(spends.c.id))


async def take_name_out(connection: AsyncConnection, subject: SubjectTable, subject_id: int) -> None:
    """The job's details go: what it took stays under its member's pseudonym, so that it still counts for them."""
    spend = await of_job(connection, subject, subject_id)
    if spend is not None and spend.user_id > 0:
        name = await pseudonym(connection, spend.guild_id, spend.user_id)
        await connection.execute(sa.update(spends).where(spends.c.id == spend.id).values(user_id=name))


async def forget(connection: AsyncConnection, guild_id: int, before: datetime) -> datetime | None:
    """Delete what a server's jobs of before then took; when the oldest of the others was ordered, None without any.

    What is not settled stays, and what counts for an event that still goes on.
    """
    theirs = spends.c.guild_id == guild_id
    going_on = sa.select(events.c.id).where(events.c.status.in_([each for each in EventStatus if each.is_live]))
    is_over = sa.or_(spends.c.event_id.is_(None), spends.c.event_id.not_in(going_on))
    old = sa.and_(spends.c.created_at <= before, spends.c.settled_at.is_not(None), is_over)
    await connection.execute(sa.delete(spends).where(theirs, old))
    oldest: datetime | None = await connection.scalar(sa.select(sa.func.min(spends.c.created_at)).where(theirs))
    return oldest


async def _sum(connection: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> Amount:
    return _amount((await connection.execute(sa.select(*AMOUNT).where(*conditions))).one())


def _amount(row: sa.Row[Any]) -> Amount:
    return Amount(int(row.credits), int(row.trainings), int(row.pictures))
