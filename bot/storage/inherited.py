"""Which rows are older than this process: they may come from a copy of the database that was put back.

What the copy does not know may have happened since: orders may be paid for, messages may be there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.job import SubjectTable
from bot.records.post import Post
from bot.storage.events.tables import announcements, events
from bot.storage.tables import generations, posts, trainings

SUBJECTS = {SubjectTable.TRAINING: trainings, SubjectTable.GENERATION: generations, SubjectTable.EVENT: events}
"""What the engine goes on with after a start, and whose posts it then makes."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """The rows that were there when the database was opened: those up to the newest id of each table."""

    newest: Mapping[str, int] = field(default_factory=dict)

    def holds(self, table: sa.Table, row_id: int) -> bool:
        return row_id <= self.newest.get(table.name, 0)

    async def sent_since(self, connection: AsyncConnection, post: Post) -> datetime | None:
        """Since when a message of this post may be there without our knowledge; None when there is none."""
        subject, subject_id = post.subject_table, post.subject_id
        if subject is SubjectTable.ANNOUNCEMENT:
            of_event = sa.select(announcements.c.event_id).where(announcements.c.id == subject_id)
            subject, subject_id = SubjectTable.EVENT, await connection.scalar(of_event) or 0
        table = SUBJECTS.get(subject)
        if table is not None and self.holds(table, subject_id):
            begun: datetime | None = await connection.scalar(
                sa.select(table.c.created_at).where(table.c.id == subject_id)
            )
            return begun or post.created_at
        return post.created_at if self.holds(posts, post.id) else None


async def inherit(connection: AsyncConnection) -> Inherited:
    newest = {}
    for table in (posts, *SUBJECTS.values()):
        newest[table.name] = await connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return Inherited(newest)
