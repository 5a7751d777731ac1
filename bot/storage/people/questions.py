"""SQL of private questions: one a day from one member to another, and none to those who do not want any."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import Place
from bot.records.post import PostKind
from bot.records.question import Asked, Question
from bot.storage.database import note_due
from bot.storage.jobs import posts
from bot.storage.people import pseudonyms
from bot.storage.question_tables import mutes, questions
from bot.storage.rows import fetch_all, fetch_first, fetch_values, has_row, insert_row
from bot.storage.tables import posts as post_rows

DAY = timedelta(days=1)
"""How long after a question its asker can send the next one to the same member, if there is no answer."""


async def free_at(
    connection: AsyncConnection, guild_id: int, *, from_id: int, to_id: int, now: datetime
) -> datetime | None:
    """When this member can send that one the next question; None: now."""
    asked_by = questions.c.from_id.in_(await pseudonyms.ids_of(connection, guild_id, from_id))
    theirs = sa.and_(questions.c.guild_id == guild_id, questions.c.to_id == to_id, asked_by)
    recent = sa.select(sa.func.max(questions.c.asked_at)).where(theirs, questions.c.asked_at > now - DAY)
    last = (await connection.execute(recent)).scalar()
    return None if last is None else last + DAY


async def ask(
    connection: AsyncConnection,
    kind: PostKind,
    subject_id: int,
    *,
    guild_id: int,
    from_id: int,
    to_id: int,
    places: Sequence[Place],
    now: datetime,
) -> None:
    """Send the question when the pair's day is over, or the one before is answered. Who has muted the bot finds it
    under /me alone."""
    old = sa.delete(questions).where(questions.c.is_open.is_(False), questions.c.asked_at <= now - DAY)
    await connection.execute(old.where(questions.c.guild_id == guild_id))
    asked_at = await free_at(connection, guild_id, from_id=from_id, to_id=to_id, now=now) or now
    await insert_row(
        connection,
        questions,
        guild_id=guild_id,
        from_id=from_id,
        to_id=to_id,
        kind=kind,
        subject_id=subject_id,
        asked_at=asked_at,
        is_open=True,
    )
    if not await is_muted(connection, guild_id, to_id):
        await posts.add(
            connection, kind, subject_id, guild_id=guild_id, user_id=to_id, places=places, now=now, due_at=asked_at
        )


async def answer_yes(connection: AsyncConnection, kind: PostKind, subject_id: int, *, now: datetime) -> None:
    """The question is out of the way: the next one of the same pair can be sent. After a no it waits for its day."""
    its = (questions.c.kind == kind, questions.c.subject_id == subject_id)
    found = await fetch_first(connection, Question, sa.delete(questions).where(*its).returning(*questions.c))
    if found is not None:
        await _forget_unsent(connection, kind, [subject_id])
        await _send_next(connection, found, now)


async def withdraw(connection: AsyncConnection, kind: PostKind, subject_ids: Sequence[int]) -> None:
    """There is nothing to answer any more; it still counts for the pair's day if its message went out."""
    its = sa.and_(questions.c.kind == kind, questions.c.subject_id.in_(subject_ids))
    await _forget_unsent(connection, kind, subject_ids)
    sent = sa.select(post_rows.c.subject_id).where(posts.about(kind, post_rows.c.subject_id.in_(subject_ids)))
    await connection.execute(sa.delete(questions).where(its, questions.c.subject_id.not_in(sent)))
    await connection.execute(sa.update(questions).where(its).values(is_open=False))


async def forget_asker(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    """The member is about to be erased: what they asked ends, and still counts for the pair's day without their id."""
    asked = sa.and_(questions.c.guild_id == guild_id, questions.c.from_id == user_id)
    for question in await fetch_all(connection, Question, sa.select(questions).where(asked)):
        await withdraw(connection, question.kind, [question.subject_id])
        hidden = await pseudonyms.pseudonym(connection, guild_id, user_id)
        its = sa.update(questions).where(questions.c.id == question.id)
        await connection.execute(its.values(from_id=hidden))


async def open_to(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Question]:
    """What this member has not answered yet, oldest first."""
    theirs = sa.select(questions).where(questions.c.guild_id == guild_id, questions.c.to_id == user_id)
    return await fetch_all(connection, Question, theirs.where(questions.c.is_open.is_(True)).order_by(questions.c.id))


async def asked_about(connection: AsyncConnection, kind: PostKind, subject_ids: Sequence[int]) -> list[Asked]:
    """Who was asked about these rows and has not answered, in the order they were asked."""
    has_muted = sa.and_(mutes.c.guild_id == questions.c.guild_id, mutes.c.user_id == questions.c.to_id)
    found = await connection.execute(
        sa.select(questions.c.to_id, questions.c.asked_at, mutes.c.id)
        .join(mutes, has_muted, isouter=True)
        .where(questions.c.kind == kind, questions.c.subject_id.in_(subject_ids), questions.c.is_open.is_(True))
        .order_by(questions.c.id)
    )
    return [Asked(row.to_id, row.asked_at, row.id is not None) for row in found]


async def is_muted(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    return await has_row(connection, sa.select(mutes.c.id).where(*_member(guild_id, user_id)))


async def muted_among(connection: AsyncConnection, guild_id: int, user_ids: Collection[int]) -> frozenset[int]:
    """Those of these members who want no private questions."""
    theirs = sa.and_(mutes.c.guild_id == guild_id, mutes.c.user_id.in_(user_ids))
    return frozenset(await fetch_values(connection, sa.select(mutes.c.user_id).where(theirs)))


async def mute(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """Questions whose message has not gone out yet are not sent, either."""
    if await is_muted(connection, guild_id, user_id):
        return
    await insert_row(connection, mutes, guild_id=guild_id, user_id=user_id, muted_at=now)
    for question in await open_to(connection, guild_id, user_id):
        await _forget_unsent(connection, question.kind, [question.subject_id])


async def unmute(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    await connection.execute(sa.delete(mutes).where(*_member(guild_id, user_id)))


async def _forget_unsent(connection: AsyncConnection, kind: PostKind, subject_ids: Sequence[int]) -> None:
    its = posts.about(kind, post_rows.c.subject_id.in_(subject_ids))
    await connection.execute(sa.delete(post_rows).where(its, post_rows.c.sending_at.is_(None)))


async def _send_next(connection: AsyncConnection, before: Question, now: datetime) -> None:
    """Of those of the same pair that wait for their day, the oldest."""
    waiting = (
        sa.select(questions)
        .where(_pair(before.guild_id, before.from_id, before.to_id), questions.c.asked_at > now)
        .order_by(questions.c.id)
    )
    found = await fetch_first(connection, Question, waiting.limit(1))
    if found is None:
        return
    note_due(connection, post_rows)
    await connection.execute(sa.update(questions).where(questions.c.id == found.id).values(asked_at=now))
    its = posts.about(found.kind, post_rows.c.subject_id == found.subject_id)
    await connection.execute(sa.update(post_rows).where(its).values(due_at=now, wakes=post_rows.c.wakes + 1))


def _pair(guild_id: int, from_id: int, to_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(questions.c.guild_id == guild_id, questions.c.from_id == from_id, questions.c.to_id == to_id)


def _member(guild_id: int, user_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return mutes.c.guild_id == guild_id, mutes.c.user_id == user_id
