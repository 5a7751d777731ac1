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
from bot.records.training import Training
from bot.storage.events.tables import announcements, entrants, events
from bot.storage.tables import generations, posts, trainings

SUBJECTS = {SubjectTable.TRAINING: trainings, SubjectTable.GENERATION: generations, SubjectTable.EVENT: events}
"""What the engine goes on with after a start, and whose posts it then makes."""


PARTS_OF_EVENTS = {
    SubjectTable.ANNOUNCEMENT: announcements,
    SubjectTable.ENTRANT: entrants,
    SubjectTable.TRAINING: trainings,
    SubjectTable.GENERATION: generations,
}
"""What an event that goes on makes anew after the copy was put back, under the same ids."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """The rows that were there when the database was opened: those up to the newest id of each table."""

    newest: Mapping[str, int] = field(default_factory=dict)

    def holds(self, table: sa.Table, row_id: int) -> bool:
        return row_id <= self.newest.get(table.name, 0)

    async def sent_since(self, connection: AsyncConnection, post: Post) -> datetime | None:
        """Since when a message of this post may be there without our knowledge; None when there is none."""
        subject, subject_id = post.subject_table, post.subject_id
        if subject is SubjectTable.GENERATION:
            sample_of = sa.select(generations.c.sample_of).where(generations.c.id == subject_id)
            training_id = await connection.scalar(sample_of)
            if training_id is not None and self.holds(trainings, training_id):
                subject, subject_id = SubjectTable.TRAINING, training_id
        parts = PARTS_OF_EVENTS.get(subject)
        if parts is not None:
            event_id = await connection.scalar(sa.select(parts.c.event_id).where(parts.c.id == subject_id))
            if event_id is not None and self.holds(events, event_id):
                subject, subject_id = SubjectTable.EVENT, event_id
        table = SUBJECTS.get(subject)
        if table is not None and self.holds(table, subject_id):
            begun: datetime | None = await connection.scalar(
                sa.select(table.c.created_at).where(table.c.id == subject_id)
            )
            return begun or post.created_at
        return post.created_at if self.holds(posts, post.id) else None

    async def ordered_since(self, connection: AsyncConnection, training: Training) -> datetime | None:
        """Since when this order may have been sent without our knowledge; None when it is new.

        An event orders anew, as the same order, what it had ordered after the copy was made.
        """
        if training.event_id is not None and self.holds(events, training.event_id):
            return await connection.scalar(sa.select(events.c.created_at).where(events.c.id == training.event_id))
        return training.created_at if self.holds(trainings, training.id) else None


async def inherit(connection: AsyncConnection) -> Inherited:
    newest = {}
    for table in (posts, *SUBJECTS.values()):
        newest[table.name] = await connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return Inherited(newest)
