"""Storing the results of event steps with their announcements, each in one transaction."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events import lifecycle
from bot.events.ballot import runoff
from bot.events.ballot.reminding import forget_unsent, remind_voters
from bot.records.ballot import Entry
from bot.records.event import AnnouncementKind, Event, EventStatus, PauseReason, channels_of
from bot.records.job import SubjectTable
from bot.records.post import PostKind
from bot.resources import Service
from bot.storage.due import Claim, mark, store
from bot.storage.events import awards, ballots, banners
from bot.storage.events import counts as event_counts
from bot.storage.events import events as rows
from bot.storage.events import jobs as event_jobs
from bot.storage.events.tables import events
from bot.storage.jobs import posts
from bot.storage.money import spends
from bot.storage.people import erasure

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedAnnouncement:
    """An announcement to store; `once` is a key that keeps it from being stored twice."""

    what: AnnouncementKind
    detail: Mapping[str, Any]
    once: str = ""


class EventOutcomes(Service):
    async def store_places(self, claim: Claim[Event], found: Mapping[str, int | None]) -> None:
        """Store the ids of a new thread, pin or calendar entry; the row stays claimed."""
        await self._database.write(lambda connection: mark(connection, events, claim, **found))

    async def stay(
        self,
        claim: Claim[Event],
        until: datetime | None,
        announcements: Sequence[PlannedAnnouncement] = (),
        *,
        reminds_voters: bool = False,
    ) -> None:
        """Look again at `until`. `reminds_voters`: those who have not voted are told so now."""

        async def transaction(connection: AsyncConnection) -> None:
            if await self._was_moved(connection, claim):
                return
            await store(connection, events, claim, due_at=until, attempt=0)
            if await self._announce(connection, claim.row, announcements):
                await self._renew_panel(connection, claim.row)
            if reminds_voters:
                await remind_voters(connection, claim.row, self._clock.now())

        await self._database.write(transaction)

    async def enter(
        self,
        claim: Claim[Event],
        to: EventStatus,
        *,
        announcements: Sequence[PlannedAnnouncement] = (),
        at_once: bool = False,
    ) -> None:
        """Begin the next stage. `at_once`: it has nothing to wait for and ends at once."""
        event, now = claim.row, self._clock.now()
        lifecycle.check_move(event.mode, event.status, to)
        ends_at = now if at_once else lifecycle.ends_at(event, to, now, hour=self._timings.event_hour)

        async def transaction(connection: AsyncConnection) -> None:
            if await self._was_moved(connection, claim):
                return
            over = {"ended_at": now} if to.is_terminal else {}
            await store(connection, events, claim, due_at=now, status=to, stage_ends_at=ends_at, attempt=0, **over)
            await self._keep_photos(connection, claim.id)
            await self._announce(connection, event, announcements)
            await self._renew_panel(connection, event)
            if to is EventStatus.VOTING and not at_once:
                places = channels_of(event)
                await rows.post(connection, event, PostKind.EVENT_BALLOT, event.id, places=places, now=now)
            if to is EventStatus.FINISHED:
                await posts.renew(connection, PostKind.EVENT_BALLOT, event.id, due_at=now)

        await self._database.write(transaction)

    async def begin_runoff(self, claim: Claim[Event], tied: Sequence[Entry]) -> None:
        """Open a second vote between these entries alone."""
        event, now = claim.row, self._clock.now()
        ends_at = now + runoff.length(event, self._timings.event_hour)
        detail = {"numbers": [each.position for each in tied]}

        async def transaction(connection: AsyncConnection) -> None:
            if await self._was_moved(connection, claim):
                return
            ids = tuple(each.id for each in tied)
            await ballots.forget_honours(connection, event.id)
            await forget_unsent(connection, event)
            await store(connection, events, claim, due_at=now, stage_ends_at=ends_at, runoff_ids=ids, attempt=0)
            await self._announce(connection, event, [PlannedAnnouncement(AnnouncementKind.RUN_OFF, detail)])
            await self._renew_panel(connection, event)
            await posts.renew(connection, PostKind.EVENT_BALLOT, event.id, due_at=now)

        await self._database.write(transaction)

    async def pause(self, claim: Claim[Event], why: PauseReason, announcements: Sequence[PlannedAnnouncement]) -> None:
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if await self._was_moved(connection, claim):
                return
            due_at = now + self._timings.event_retry
            await store(connection, events, claim, due_at=due_at, paused_at=now, paused_why=why)
            await self._announce(connection, claim.row, announcements)
            await self._renew_panel(connection, claim.row)

        await self._database.write(transaction)

    async def resume(self, claim: Claim[Event]) -> None:
        """End the pause, with a later deadline."""
        event, now = claim.row, self._clock.now()
        assert event.paused_at is not None  # the caller has looked
        ends_at = lifecycle.resumed_end(event, now, hour=self._timings.event_hour)
        once = f"resumed:{event.paused_at.isoformat()}"
        announcements = [PlannedAnnouncement(AnnouncementKind.RESUMED, {"why": event.paused_why}, once)]

        async def transaction(connection: AsyncConnection) -> None:
            if await self._was_moved(connection, claim):
                return
            await store(connection, events, claim, due_at=now, paused_at=None, paused_why=None, stage_ends_at=ends_at)
            await self._keep_photos(connection, claim.id)
            await self._announce(connection, event, announcements)
            await self._renew_panel(connection, event)

        await self._database.write(transaction)

    async def wind_up(self, claim: Claim[Event], *, is_taken_down: bool) -> None:
        """Clean up an event that is over: delete unused photos, end waiting jobs, announce a cancellation.

        `is_taken_down`: nothing of it is in the calendar or pinned any more.
        Its details are deleted later; the event itself and its winners stay for the hall of fame.
        """
        event, now = claim.row, self._clock.now()
        forgotten_at = (event.ended_at or now) + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> list[str]:
            if now >= forgotten_at:
                waits = await awards.is_pending(connection, event.id)
                await store(connection, events, claim, due_at=now + self._timings.event_retry if waits else None)
                await erasure.erase_event_details(connection, event.id)
                return await banners.forget(connection, event.id)
            files = await event_jobs.discard_datasets(connection, event.id)
            if event.status is EventStatus.CANCELLED:
                await event_jobs.wake(connection, event.id, now=now)
                if event.opened_at is not None:
                    await self._announce(connection, event, [await self._cancelled(connection, event)])
            is_settled = is_taken_down and await spends.is_settled(connection, event.id)
            await store(
                connection, events, claim, due_at=forgotten_at if is_settled else now + self._timings.event_retry
            )
            await self._renew_panel(connection, event)
            return files

        self._spool.free(await self._database.write(transaction))

    async def _cancelled(self, connection: AsyncConnection, event: Event) -> PlannedAnnouncement:
        paid = await spends.of_event(connection, event.id)
        detail = {
            "spent": sum(each.credits for each in paid),
            "trainings": sum(each.subject_table is SubjectTable.TRAINING for each in paid),
            "pictures": sum(each.subject_table is SubjectTable.GENERATION for each in paid),
            "by": "abandoned" if event.paused_at is not None else "host",
        }
        return PlannedAnnouncement(AnnouncementKind.CANCELLED, detail)

    async def _keep_photos(self, connection: AsyncConnection, event_id: int) -> None:
        """Move the time at which photos leave the disk along with the deadline."""
        event, timings = await rows.get(connection, event_id), self._timings
        if event is not None:
            until = lifecycle.photos_until(event, hour=timings.event_hour, kept=timings.event_photos_kept)
            await event_counts.keep_photos_until(connection, event_id, until)

    async def _was_moved(self, connection: AsyncConnection, claim: Claim[Event]) -> bool:
        """Whether a host closed, extended or changed the event during this step; then the next step decides anew."""
        event, current = claim.row, await rows.get(connection, claim.id)
        if current is None or (current.stage_ends_at, current.paused_at) != (event.stage_ends_at, event.paused_at):
            await store(connection, events, claim, due_at=self._clock.now())
            return True
        return False

    async def _announce(
        self, connection: AsyncConnection, event: Event, announcements: Sequence[PlannedAnnouncement]
    ) -> bool:
        """Store the announcements; True when one of them is new."""
        now = self._clock.now()
        made = [
            await rows.announce(connection, event, each.what, once=each.once, detail=json.dumps(each.detail), now=now)
            for each in announcements
        ]
        return any(made)

    async def _renew_panel(self, connection: AsyncConnection, event: Event) -> None:
        await rows.renew_panel(connection, event.id, due_at=self._clock.now() + self._timings.panel)
