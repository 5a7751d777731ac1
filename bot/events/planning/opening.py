"""Opening events: at once for whoever runs them, or by themselves at the time that was planned."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import RANK, STEPS
from bot.errors import UserError
from bot.events import lifecycle, lookup, loras
from bot.events.lifecycle import HostCommand
from bot.events.planning import drafts
from bot.events.planning.readiness import Readiness
from bot.events.planning.timetables import next_opening, parse_opening
from bot.keys.reachability import ReachabilityService
from bot.keys.service import KeyService
from bot.ports import ReadinessCheck
from bot.records.event import AnnouncementKind, Event, EventMode, Repeat, places_of
from bot.records.guild import Actor
from bot.records.post import PostKind
from bot.resources import Resources, Service
from bot.storage.due import Claim, store
from bot.storage.events import events as rows
from bot.storage.events.tables import events
from bot.storage.jobs import datasets

MOVED_ON = "The event has just moved on. Please look at it again."
HOST_LEFT = "Its host has left this server. Another admin can open it with `/event open`."
MISSED_AFTER = timedelta(days=1)
"""An event whose time is longer ago than that is not opened by itself any more."""


class OpeningService(Service):
    def __init__(self, opened: Resources, key_service: KeyService, reachability: ReachabilityService) -> None:
        super().__init__(opened)
        self._readiness = Readiness(opened, key_service, reachability)
        self._members = opened.members

    async def readiness(self, event_id: int, actor: Actor) -> Sequence[ReadinessCheck]:
        """What the event needs to be opened; takes up to half a minute when webhooks do not arrive."""
        event = await self._database.fetch(lookup.run_by, event_id, actor)
        return await self._readiness.all(event)

    async def open(self, event_id: int, actor: Actor) -> Event:
        """Announce the event and begin its first stage; UserError, with what to do, when it is not ready."""
        draft = await self._database.fetch(lookup.run_by, event_id, actor, HostCommand.OPEN)
        fixes = await self._fixes(draft)
        if fixes:
            raise UserError(" ".join(["This event is not ready yet.", *fixes]))

        async def transaction(connection: AsyncConnection) -> Event:
            draft = await lookup.run_by(connection, event_id, actor, HostCommand.OPEN)
            return await self._open(connection, draft, actor.user_id)

        return await self._database.write(transaction)

    async def plan(
        self, event_id: int, actor: Actor, day: str, time: str, *, zone: str | None, repeats: Repeat | None
    ) -> Event:
        """Let the draft open by itself at that time, and stand in the calendar until then.

        Without day and time its host opens it. UserError when they are no time ahead.
        """
        is_by_hand = not day.strip() and not time.strip()
        opens_at = None if is_by_hand else parse_opening(day, time, zone, self._clock.now())

        async def transaction(connection: AsyncConnection) -> Event:
            draft = await lookup.run_by(connection, event_id, actor, HostCommand.OPEN)
            planned: dict[str, Any] = {"repeats": repeats, "wants_calendar": True}
            if opens_at is None:
                planned = {"repeats": None}
            return await self._change(
                connection,
                draft,
                opens_at=opens_at,
                opens_zone=zone,
                series_from=opens_at,
                due_at=self._clock.now(),
                **planned,
            )

        return await self._database.write(transaction)

    async def advance(self, claim: Claim[Event], *, is_on_calendar: bool) -> None:
        """Open the draft of this claim if its time has come. What it lacks is told to its host once."""
        event, now = claim.row, self._clock.now()
        if event.opens_at is None or now < event.opens_at:
            looks = [] if event.opens_at is None else [event.opens_at]
            looks += [] if is_on_calendar else [now + self._timings.event_retry]
            await self._wait(claim, min(looks, default=None))
        elif now >= event.opens_at + MISSED_AFTER:
            await self._miss(claim, event.opens_at)
        elif fixes := await self._missing(event):
            await self._wait(claim, now + self._timings.event_retry, fixes)
        else:
            await self._open_on_time(claim)

    async def _missing(self, event: Event) -> list[str]:
        if not await self._members.is_member(event.guild_id, event.host_id):
            return [HOST_LEFT]
        try:
            return await self._fixes(event)
        except UserError as error:
            return [str(error)]

    async def _fixes(self, event: Event) -> list[str]:
        checks = await self._readiness.needed(event)
        return [check.fix for check in checks if not check.is_ok and not check.is_optional]

    async def _open_on_time(self, claim: Claim[Event]) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            draft = await rows.get(connection, claim.id)
            await store(connection, events, claim, due_at=self._clock.now(), attempt=0)
            if draft is not None and draft.opens_at == claim.row.opens_at:
                await self._open(connection, draft, draft.host_id)

        try:
            await self._database.write(transaction)
        except UserError as error:
            await self._wait(claim, self._clock.now() + self._timings.event_retry, [str(error)])

    async def _wait(self, claim: Claim[Event], until: datetime | None, fixes: Sequence[str] = ()) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await store(connection, events, claim, due_at=until, attempt=0)
            if fixes:
                await self._tell_host(connection, claim.row, {"why": list(fixes)})

        await self._database.write(transaction)

    async def _miss(self, claim: Claim[Event], opens_at: datetime) -> None:
        """The next time of its series is planned, if there is one."""
        event, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            coming = next_opening(event, now)
            await store(connection, events, claim, due_at=now, opens_at=coming, attempt=0)
            await self._tell_host(connection, event, {"missed": int(opens_at.timestamp())})

        await self._database.write(transaction)

    async def _tell_host(self, connection: AsyncConnection, event: Event, detail: dict[str, Any]) -> None:
        assert event.opens_at is not None  # the caller has looked
        once = f"not_opened:{int(event.opens_at.timestamp())}:{'missed' in detail:d}"
        said = json.dumps(detail)
        await rows.announce(
            connection, event, AnnouncementKind.NOT_OPENED, once=once, detail=said, now=self._clock.now()
        )

    async def _open(self, connection: AsyncConnection, draft: Event, user_id: int) -> Event:
        """Begin the first stage, and plan the next event of the series. `user_id`: who opens it."""
        if await rows.live_count(connection, draft.guild_id) >= drafts.LIVE_MAX:
            raise UserError(f"{drafts.LIVE_MAX} events run here already. Let one of them end first.")
        event = await self._begin(connection, draft)
        now = self._clock.now()
        await rows.post(connection, event, PostKind.EVENT_PANEL, event.id, places=places_of(event), now=now)
        await rows.announce(connection, event, AnnouncementKind.OPENED, now=now)
        await loras.share_with_entrants(connection, event, user_id, now=now, known_as=f"opened:{event.id}")
        coming = next_opening(draft, max(now, draft.opens_at or now))
        if coming is not None:
            series = {name: getattr(draft, name) for name in ("opens_zone", "repeats", "series_from")}
            again = drafts.copied(draft) | series
            await rows.insert(connection, **again, opens_at=coming, created_at=now, due_at=now)
        return event

    async def _begin(self, connection: AsyncConnection, draft: Event) -> Event:
        """Begin the first stage; a shared event gets the dataset for its photos."""
        now, stage = self._clock.now(), lifecycle.next_stage(draft)
        ends_at = lifecycle.ends_at(draft, stage, now, hour=self._timings.event_hour)
        event = await self._change(connection, draft, status=stage, opened_at=now, stage_ends_at=ends_at, due_at=now)
        if event.mode is not EventMode.SHARED:
            return event
        hour, kept = self._timings.event_hour, self._timings.event_photos_kept
        dataset = await datasets.insert(
            connection,
            guild_id=event.guild_id,
            channel_id=event.channel_id,
            user_id=event.host_id,
            name=event.name,
            subject_kind=event.subject_kind,
            steps=event.steps or STEPS,
            rank=event.rank or RANK,
            event_id=event.id,
            created_at=now,
            due_at=lifecycle.photos_until(event, hour=hour, kept=kept),
        )
        return await self._change(connection, event, dataset_id=dataset.id)

    async def _change(self, connection: AsyncConnection, event: Event, **values: Any) -> Event:
        changed = await rows.change(connection, event.id, expected=event.status, **values)
        if changed is None:
            raise UserError(MOVED_ON)
        return changed
