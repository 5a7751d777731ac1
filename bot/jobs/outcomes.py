"""Storing the results of a job's steps: the parts that trainings and generations share."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.jobs.kind import JobKind, JobT
from bot.keys.slots import assign_free_slots
from bot.limits.ledger import Ledger
from bot.records.doubt import one_more, pause_of
from bot.records.event import EventStatus
from bot.records.guild import Actor, Place
from bot.records.job import JOB_NAMES
from bot.records.limit import Amount
from bot.records.moderation import Act
from bot.records.post import PostKind, places_for
from bot.resources import Resources, Service
from bot.storage import due
from bot.storage.due import Claim, DueRows, LeaseLost
from bot.storage.events import events
from bot.storage.jobs import posts, timeline
from bot.storage.people import moderation, moderation_log

NOTHING = Amount()
EVENT_CANCELLED = "The event was cancelled before this was sent. Nothing was charged."
ENDED_BY_MODERATORS = "A moderator of this server ended this before it was sent. Nothing was charged."
LOOKED_AT_AGAIN = "looked at again"
"""Timeline word: the provider contradicts what we know of the job."""


class JobOutcomes(Service, Generic[JobT]):
    """Stores results. A method with a claim raises LeaseLost, and stores nothing, once the claim has ended."""

    def __init__(self, opened: Resources, kind: JobKind[JobT]) -> None:
        super().__init__(opened)
        self._kind: JobKind[JobT] = kind
        self._ledger = Ledger(opened.clock, opened.timings)
        self._rows: DueRows[JobT] = DueRows(opened.database, kind.table, kind.record)

    async def later(self, claim: Claim[JobT], wait: timedelta | None = None) -> None:
        """Try this step again after `wait`, by default after a pause that grows with every try."""
        attempt = claim.row.attempt
        wait = wait or backoff(attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)
        await self.keep(claim, due_in=wait, attempt=attempt + 1)

    async def keep(self, claim: Claim[JobT], *, due_in: timedelta, note: str = "", **values: Any) -> None:
        """Store `values` and look at the row again after `due_in`. `note`: a word for its timeline."""
        due_at = self._clock.now() + due_in

        async def transaction(connection: AsyncConnection) -> None:
            if "status" in values:
                self._kind.check_move(claim.status, values["status"])
            await due.store(connection, self._kind.table, claim, due_at=due_at, **values)
            if note:
                await self._note(connection, claim.id, note)

        await self._database.write(transaction)

    async def is_believed(self, claim: Claim[JobT], span: timedelta, **values: Any) -> bool:
        """An answer contradicts what we know: store that, to ask again, or True when it was claimed all over `span`.

        Nothing is stored when it is True. `values` are stored with the doubt.
        """
        now, earlier = self._clock.now(), claim.row.doubt
        doubt = one_more(earlier, now)
        if doubt.is_over(span, now):
            return True
        note = LOOKED_AT_AGAIN if earlier is None else ""
        await self.keep(claim, due_in=pause_of(span), note=note, doubt=doubt, **values)
        return False

    async def is_event_cancelled(self, job: JobT) -> bool:
        """Whether the job belongs to an event that has been cancelled, so that it must not be sent any more."""
        if job.event_id is None:
            return False
        event = await self._database.fetch(events.get, job.event_id)
        return event is not None and event.status is EventStatus.CANCELLED

    async def is_blocked(self, job: JobT) -> bool:
        """Whether whoever ordered the job is blocked in its server, so that it must not be sent any more."""
        return await self._database.fetch(moderation.is_blocked, job.guild_id, job.user_id)

    async def _check_held(self, claim: Claim[JobT]) -> None:
        """LeaseLost when another worker may have the row; called just before a paid call."""
        if not await self._rows.holds(claim, now=self._clock.now()):
            raise LeaseLost

    async def _mark_submitting(self, claim: Claim[JobT], to: StrEnum, **values: Any) -> Claim[JobT]:
        """Store that a paid call is about to be made; returns the claim with the new status."""
        now = self._clock.now()
        await self._check_held(claim)
        self._kind.check_move(claim.row.status, to)

        async def transaction(connection: AsyncConnection) -> None:
            await due.mark(connection, self._kind.table, claim, status=to, submitting_at=now, **values)

        await self._database.write(transaction)
        return Claim(claim.row, claim.id, claim.owner, to, claim.wakes, claim.due_at)

    async def _move(self, connection: AsyncConnection, claim: Claim[JobT], to: StrEnum, **values: Any) -> None:
        self._kind.check_move(type(to)(claim.status), to)
        await due.store(connection, self._kind.table, claim, status=to, **values)

    async def _end(
        self,
        connection: AsyncConnection,
        job: JobT,
        what: str,
        detail: str = "",
        post: PostKind | None = None,
        *,
        took: Amount | None = NOTHING,
    ) -> None:
        """Write the timeline, the post and the event's wakeup, and give the job's slot to a waiting one.

        Part of every write that stores a terminal status.
        `took` is what the job has cost in the end, None as much as was reserved for it.
        """
        await self._ledger.settle(connection, job, took)
        await self._note(connection, job.id, what, detail)
        places = [] if post is None else await self._places(connection, job, post)
        if post is not None and places:
            now, guild_id, user_id = self._clock.now(), job.guild_id, job.user_id
            await posts.add(
                connection,
                post,
                job.id,
                guild_id=guild_id,
                user_id=user_id,
                places=places,
                now=now,
                known_as=job.known_as,
            )
        if job.event_id is not None:
            await events.wake(connection, job.event_id, now=self._clock.now())
        await assign_free_slots(connection, job.key_id, self._kind.slots, clock=self._clock)

    async def _end_cancelled(self, connection: AsyncConnection, job: JobT, actor: Actor, post: PostKind) -> None:
        """The same for a job that was cancelled. Unless its member did it they are told, and the log has a line."""
        if job.user_id == actor.user_id:
            await self._end(connection, job, "cancelled")
            return
        await self._end(connection, job, "cancelled", post=post)
        said, now = f"{JOB_NAMES[self._kind.subject]} #{job.id}, cancelled", self._clock.now()
        await moderation_log.note(
            connection, actor.guild_id, Act.MODERATED, actor.user_id, said, member_id=job.user_id, now=now
        )

    async def _places(self, connection: AsyncConnection, job: JobT, post: PostKind) -> Sequence[Place]:
        """Where this post about its outcome goes; nowhere when nobody is to see it now."""
        return places_for(job)

    async def _note(self, connection: AsyncConnection, job_id: int, what: str, detail: str = "") -> None:
        await timeline.add(connection, self._kind.subject, job_id, what, at=self._clock.now(), detail=detail)
