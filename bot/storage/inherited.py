"""Which rows are older than this process: they may come from a copy of the database that was put back.

What the copy does not know may have happened since: orders may be paid for, messages may be there. After
`python -m bot restore` the database itself says which rows those are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation
from bot.records.job import SubjectTable
from bot.records.post import Post, PostKind
from bot.records.training import Training
from bot.storage import restored
from bot.storage.events.tables import announcements, depictions, entrants, events
from bot.storage.policy_tables import removals
from bot.storage.question_tables import likeness_claims, photo_requests
from bot.storage.restored import Restored
from bot.storage.tables import api_keys, generations, loras, posts, trainings

SUBJECTS = {SubjectTable.TRAINING: trainings, SubjectTable.GENERATION: generations, SubjectTable.EVENT: events}
"""What the engine goes on with after a start, and whose posts it then makes."""


PARTS_OF_EVENTS = {
    SubjectTable.ANNOUNCEMENT: announcements,
    SubjectTable.ENTRANT: entrants,
    SubjectTable.TRAINING: trainings,
    SubjectTable.GENERATION: generations,
}
"""What an event that goes on makes anew after the copy was put back."""

DECIDED_ALONE = SUBJECTS | {
    SubjectTable.KEY: api_keys,
    SubjectTable.LORA: loras,
    SubjectTable.REMOVAL: removals,
    SubjectTable.DEPICTION: depictions,
    SubjectTable.ENTRANT: entrants,
    SubjectTable.LIKENESS: likeness_claims,
    SubjectTable.REQUEST: photo_requests,
}
"""Rows whose posts are made by the passing of time or by what a provider answers: a second life makes them again."""

NAMED_ALONE = {PostKind.LOG_LINE, PostKind.WELCOME, PostKind.RECEIPT}
"""Kinds that are known by what they say, whatever row a second life makes for it."""

ECHO = timedelta(days=4)
"""So long after a restore they may still be made: the longest wait of such a row is three days (`claim_open`)."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """The rows that were there when the database was opened: those up to the newest id of each table."""

    newest: Mapping[str, int] = field(default_factory=dict)
    restored: Restored | None = None
    """What the database says of its last restore; None when it was never put back by `restore`."""

    def holds(self, table: sa.Table, row_id: int) -> bool:
        return row_id <= self.newest.get(table.name, 0)

    async def sent_since(self, connection: AsyncConnection, post: Post) -> datetime | None:
        """Since when a message of this post may be there without our knowledge; None when there is none."""
        if self.restored is not None and self._is_echo(self.restored, post):
            return self.restored.taken_at
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

    def is_adopted(self, post: Post) -> bool:
        """Whether a message of this post that is found comes from another life, whose buttons name other rows."""
        return self.restored is not None and not self.restored.holds(posts, post.id)

    def _is_echo(self, restored: Restored, post: Post) -> bool:
        """Whether this post repeats what was posted between backup and restore, if it was."""
        if restored.holds(posts, post.id) or post.created_at > restored.restored_at + ECHO:
            return False
        table = DECIDED_ALONE.get(post.subject_table)
        return post.kind in NAMED_ALONE or (table is not None and restored.holds(table, post.subject_id))

    def may_be_sent(self, generation: Generation, remembered_since: datetime) -> Restored | None:
        """The restore before which this order may have been sent; None when it was not, or its key is still known.

        A provider repeats its answer to what was sent under an idempotency key since `remembered_since`; afterwards
        the key is as good as new. Orders of members in this life are new; events and first pictures order anew.
        """
        restored = self.restored
        if restored is None or restored.taken_at >= remembered_since:
            return None
        if restored.holds(generations, generation.id):
            return restored
        if generation.sample_of is not None:
            return restored if restored.holds(trainings, generation.sample_of) else None
        if generation.event_id is None or generation.pack_index is None:
            return None
        return restored if restored.holds(events, generation.event_id) else None

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
    return Inherited(newest, await restored.read(connection))
