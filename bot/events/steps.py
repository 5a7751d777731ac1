"""The event lane: does the work of an event's stage, and moves it on by time or by its jobs."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import photo_limits
from bot.events import lifecycle
from bot.events.ballot import counting
from bot.events.ballot.awards import give_roles
from bot.events.ballot.runoff import in_runoff
from bot.events.ballot.service import BallotService
from bot.events.budget import BudgetService
from bot.events.outcomes import EventOutcomes, PlannedAnnouncement
from bot.events.photos.depictions import DepictionService
from bot.events.photos.review import ReviewService
from bot.events.pins import pin_panel, unpin_panel
from bot.events.planning.opening import OpeningService
from bot.events.reminders import last_call, last_call_at, vote_reminder_at
from bot.events.stages import StageProgress, StageRunner, paused_once
from bot.ports import NotNow
from bot.records.event import AnnouncementKind, EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor
from bot.resources import Resources, Service
from bot.storage.due import Claim
from bot.storage.events import entrants
from bot.storage.events import jobs as event_jobs
from bot.storage.events import photos as event_photos
from bot.storage.people import moderation

log = logging.getLogger(__name__)

S = EventStatus


class EventSteps(Service):
    def __init__(
        self,
        opened: Resources,
        stages: StageRunner,
        outcomes: EventOutcomes,
        depictions: DepictionService,
        reviews: ReviewService,
        ballots: BallotService,
        budgets: BudgetService,
        openings: OpeningService,
    ) -> None:
        super().__init__(opened)
        self._stages = stages
        self._outcomes = outcomes
        self._depictions = depictions
        self._reviews = reviews
        self._ballots = ballots
        self._budgets = budgets
        self._openings = openings
        self._venue = opened.venue
        self._members = opened.members

    async def advance(self, claim: Claim[Event]) -> None:
        event = claim.row
        if event.status.is_terminal:
            await self._outcomes.wind_up(claim, is_taken_down=await self._take_down(claim))
        elif event.status is S.DRAFT:
            await self._keep_draft(claim)
        else:
            is_pinned = await self._prepare(claim)
            progress = replace(await self._stages.do(event), is_pinned=is_pinned)
            if event.paused_at is None:
                await self._run(claim, progress)
            else:
                await self._wait(claim, progress)

    async def _prepare(self, claim: Claim[Event]) -> bool:
        """See to thread, calendar entry and pin; whether nothing about the pin has to be tried again."""
        found, is_pinned = await self._stages.create_thread_and_calendar(claim.row), True
        try:
            found |= await pin_panel(self._database, self._venue, claim.row)
        except NotNow as error:
            log.info("The pin of event %s has to wait: %s", claim.id, error)
            is_pinned = False
        if found:
            await self._outcomes.store_places(claim, found)
        return is_pinned

    async def _keep_draft(self, claim: Claim[Event]) -> None:
        """Keep its calendar entry as it was planned, and open it when its time has come."""
        try:
            found = await self._stages.keep_on_calendar(claim.row, self._clock.now())
        except NotNow as error:
            log.info("The calendar entry of event %s has to wait: %s", claim.id, error)
            await self._openings.advance(claim, is_on_calendar=False)
            return
        if found:
            await self._outcomes.store_places(claim, found)
        await self._openings.advance(claim, is_on_calendar=True)

    async def _take_down(self, claim: Claim[Event]) -> bool:
        """End the calendar entry, unpin the panel, give roles; False when Discord has to be asked again."""
        try:
            await self._venue.end_on_calendar(claim.row)
            found = await unpin_panel(self._database, self._venue, claim.row)
            await give_roles(self._database, self._venue, claim.row, self._clock.now())
        except NotNow as error:
            log.info("What event %s leaves in Discord has to wait: %s", claim.id, error)
            return False
        if found:
            await self._outcomes.store_places(claim, found)
        return True

    async def _run(self, claim: Claim[Event], progress: StageProgress) -> None:
        event = claim.row
        if progress.blocked is not None:
            await self._pause(claim, progress.blocked, progress)
        elif event.status is S.SHOWING and not progress.is_done and self._has_come(event.stage_ends_at):
            await self._outcomes.stay(claim, self._clock.now() + self._timings.poll)
        elif await self._database.fetch(counting.is_moot, event):
            await self._enter(claim, S.FINISHED, progress)
        else:
            await self._decide(claim, progress)

    async def _wait(self, claim: Claim[Event], progress: StageProgress) -> None:
        """Resume a paused event if its pause ends by itself and nothing blocks it; else decide as usual."""
        event = claim.row
        assert event.paused_why is not None  # set together with the time
        if event.paused_why.ends_by_itself and progress.blocked is None:
            await self._outcomes.resume(claim)
        else:
            await self._decide(claim, progress)

    async def _decide(self, claim: Claim[Event], progress: StageProgress) -> None:
        event, now = claim.row, self._clock.now()
        facts = await self._facts(event, progress)
        match lifecycle.decide(event, facts, now, abandoned=self._timings.event_abandoned):
            case lifecycle.Advance(to):
                await self._enter(claim, to, progress)
            case lifecycle.Pause(why):
                await self._pause(claim, why, progress)
            case lifecycle.Resume():
                await self._outcomes.resume(claim)
            case lifecycle.Abandon():
                await self._outcomes.enter(claim, S.CANCELLED)
            case lifecycle.Stay(until):
                await self._outcomes.stay(
                    claim,
                    self._next_look(event, until, progress),
                    self._announcements(event, progress),
                    reminds_voters=self._has_come(self._vote_reminder_at(event)),
                )

    async def _enter(self, claim: Claim[Event], to: EventStatus, progress: StageProgress) -> None:
        event = claim.row
        if to is S.TRAINING:
            await self._begin_training(claim, progress)
        elif to is S.SHOWING:
            await self._depictions.retire_taken_back(event)
            async with self._database.read() as connection:
                made = [each.lora_id for each in await event_jobs.trainings_of(connection, claim.id) if each.lora_id]
            announcements = [
                *_not_trained(progress),
                PlannedAnnouncement(AnnouncementKind.LORAS_READY, {"lora_ids": made}),
            ]
            await self._outcomes.enter(claim, to, announcements=announcements)
        elif to is S.VOTING:
            await self._drop_leavers(event)
            entries = await self._ballots.open_ballot(event)
            has_ballot = entries >= 2
            announcements = (
                [] if has_ballot else [PlannedAnnouncement(AnnouncementKind.NO_BALLOT, {"entries": entries})]
            )
            await self._outcomes.enter(claim, to, announcements=announcements, at_once=not has_ballot)
        elif to is S.FINISHED and (tied := await self._database.fetch(counting.tied, event)):
            await self._outcomes.begin_runoff(claim, tied)
        elif to is S.FINISHED:
            await self._ballots.count(event)
            await self._outcomes.enter(claim, to, announcements=[PlannedAnnouncement(AnnouncementKind.WINNER, {})])
        else:
            await self._outcomes.enter(claim, to)

    async def _begin_training(self, claim: Claim[Event], progress: StageProgress) -> None:
        """Settle the photos and begin training; from here on they do not change."""
        event = claim.row
        await self._drop_leavers(event)
        if event.mode is EventMode.PERSONAL:
            await self._reviews.settle_personal(event)
            await self._outcomes.enter(
                claim, S.TRAINING, announcements=[PlannedAnnouncement(AnnouncementKind.TRAINING, {})]
            )
            return
        facts = await self._facts(event, progress)
        if facts.usable_photos < photo_limits(event.subject_kind).least:
            await self._pause(claim, PauseReason.TOO_FEW_PHOTOS, progress)
            return
        chosen = await self._reviews.settle_shared(event)
        async with self._database.read() as connection:
            by = {str(each.user_id): each.photos_chosen for each in await entrants.of_event(connection, event.id)}
        given: Mapping[str, int] = {user: photos for user, photos in by.items() if photos}
        announcements = PlannedAnnouncement(AnnouncementKind.CHOSEN, {"by": given, "photos": chosen})
        await self._outcomes.enter(claim, S.TRAINING, announcements=[announcements])

    async def _drop_leavers(self, event: Event) -> None:
        """Remove entrants who left the server, were banned or blocked; before training their photos are deleted, too.

        Later the photos stay in what was trained: leaving is not the same as taking consent back.
        """
        taking_part = await self._database.fetch(entrants.of_event, event.id)
        for entrant in taking_part:
            is_blocked = await self._database.fetch(moderation.is_blocked, event.guild_id, entrant.user_id)
            if not is_blocked and await self._members.is_member(event.guild_id, entrant.user_id):
                continue
            status = EntrantStatus.WITHDRAWN if is_blocked else EntrantStatus.REMOVED
            if event.status.takes_photos:
                await self._depictions.withdraw(event.id, Actor(event.guild_id, entrant.user_id))

            out = {"status": status, "left_at": self._clock.now()}

            async def transaction(
                connection: AsyncConnection, entrant_id: int = entrant.id, out: Mapping[str, Any] = out
            ) -> None:
                await entrants.change(connection, entrant_id, **out)

            await self._database.write(transaction)

    async def _facts(self, event: Event, progress: StageProgress) -> lifecycle.Facts:
        async with self._database.read() as connection:
            return lifecycle.Facts(
                entrants=await entrants.count(connection, event.id),
                usable_photos=await event_photos.usable_of_event(connection, event.id),
                trainings=progress.trainings,
            )

    async def _pause(self, claim: Claim[Event], why: PauseReason, progress: StageProgress) -> None:
        is_failure = why is PauseReason.TRAINING_FAILED
        about = progress.newest if is_failure else int(self._clock.now().timestamp())
        announcements = [PlannedAnnouncement(AnnouncementKind.PAUSED, {"why": why}, paused_once(why, about))]
        await self._outcomes.pause(claim, why, announcements)

    def _next_look(self, event: Event, until: datetime | None, progress: StageProgress) -> datetime | None:
        """The deadline, or earlier for jobs under way, a missing thread or pin, a run-off, or the reminder."""
        now = self._clock.now()
        looks = [until] if until is not None else []
        if not progress.is_done:
            looks.append(now + self._timings.poll)
        if event.paused_why is not None and event.paused_why.ends_by_itself:
            looks = [now + self._timings.event_retry]
        if not progress.is_pinned or in_runoff(event):
            looks.append(now + self._timings.event_retry)
        if event.wants_thread and event.thread_id is None:
            is_new = event.opened_at is not None and now < event.opened_at + timedelta(minutes=1)
            looks.append(now + (self._timings.panel if is_new else self._timings.event_retry))
        reminders = (self._last_call_at(event), self._vote_reminder_at(event))
        looks += [at for at in reminders if at is not None and at > now]
        return min(looks, default=None)

    def _announcements(self, event: Event, progress: StageProgress) -> list[PlannedAnnouncement]:
        told: list[PlannedAnnouncement] = []
        if event.status is S.TRAINING:
            told = _not_trained(progress)
        if event.status is S.SHOWING and progress.is_done and event.pack:
            told = [PlannedAnnouncement(AnnouncementKind.PACK_DONE, {"left": progress.left})]
        return [*told, last_call(event)] if self._has_come(self._last_call_at(event)) else told

    def _last_call_at(self, event: Event) -> datetime | None:
        return last_call_at(event, hour=self._timings.event_hour)

    def _vote_reminder_at(self, event: Event) -> datetime | None:
        return vote_reminder_at(event, hour=self._timings.event_hour)

    def _has_come(self, at: datetime | None) -> bool:
        return at is not None and at <= self._clock.now()


def _not_trained(progress: StageProgress) -> list[PlannedAnnouncement]:
    groups = (("budget", progress.no_budget), ("photos", progress.no_photos))
    return [
        PlannedAnnouncement(AnnouncementKind.NOT_TRAINED, {"user_ids": list(users), "why": why}, f"not_trained:{why}")
        for why, users in groups
        if users
    ]
