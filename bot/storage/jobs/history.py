"""SQL of lists of jobs: a member's or a server's trainings and pictures, newest first."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.job import JobRef, SubjectTable
from bot.records.post import Post, PostKind, PostStatus
from bot.storage.rows import count_rows, fetch_all
from bot.storage.tables import generations, posts, trainings

SHOWN_BY = {
    SubjectTable.TRAINING: (PostKind.TRAINING_READY, PostKind.TRAINING_FAILED, PostKind.TRAINING_STATUS),
    SubjectTable.GENERATION: (PostKind.PICTURES, PostKind.PICTURES_SHOWN, PostKind.PICTURES_FAILED),
}


async def page(
    connection: AsyncConnection, guild_id: int, user_id: int | None, *, offset: int, limit: int
) -> list[JobRef]:
    """Those of one member, or of everybody when `user_id` is None."""
    jobs = _jobs(guild_id, user_id)
    newest = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.subject, jobs.c.id.desc())
    rows = await connection.execute(newest.offset(offset).limit(limit))
    return [JobRef(SubjectTable(row.subject), row.id) for row in rows]


async def count(connection: AsyncConnection, guild_id: int, user_id: int | None) -> int:
    return await count_rows(connection, _jobs(guild_id, user_id))


async def posts_of(connection: AsyncConnection, job: JobRef) -> list[Post]:
    """What was posted about this job and can still be seen, newest first."""
    about = sa.and_(posts.c.subject_table == job.subject, posts.c.subject_id == job.id)
    seen = sa.and_(posts.c.message_id.is_not(None), posts.c.status != PostStatus.WITHDRAWN)
    shown = sa.select(posts).where(about, seen, posts.c.kind.in_(SHOWN_BY[job.subject]))
    return await fetch_all(connection, Post, shown.order_by(posts.c.id.desc()))


def _jobs(guild_id: int, user_id: int | None) -> sa.Subquery:
    return sa.union_all(
        _of(trainings, SubjectTable.TRAINING, guild_id, user_id),
        _of(generations, SubjectTable.GENERATION, guild_id, user_id),
    ).subquery()


def _of(table: sa.Table, subject: SubjectTable, guild_id: int, user_id: int | None) -> sa.Select[Any]:
    whose = sa.true() if user_id is None else table.c.user_id == user_id
    label = sa.literal(subject.value).label("subject")
    return sa.select(label, table.c.id, table.c.created_at).where(table.c.guild_id == guild_id, whose)
