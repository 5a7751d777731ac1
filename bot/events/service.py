"""What hosts do with events: create, change, open, close early, extend, cancel. The engine does the rest."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.events import lifecycle, lookup, loras, views
from bot.events.budget import BudgetService
from bot.events.lifecycle import HostCommand
from bot.events.photos.depictions import DepictionService
from bot.events.planning import drafts
from bot.events.planning.drafts import EventDraft
from bot.events.planning.estimate import estimate
from bot.events.planning.opening import MOVED_ON, OpeningService
from bot.events.views import EventView
from bot.moderation.texts import check_text
from bot.ports import ReadinessCheck
from bot.records.event import (
    Announcement,
    AnnouncementKind,
    EntrantStatus,
    Event,
    EventStatus,
    PauseReason,
)
from bot.records.guild import Actor, Channel
from bot.records.moderation import Act
from bot.resources import Resources, Service
from bot.storage.events import counts as event_counts
from bot.storage.events import entrants
from bot.storage.events import events as rows
from bot.storage.jobs import datasets
from bot.storage.money import spends
from bot.storage.people import moderation_log
from bot.text import CHOICES_MAX, search

CLOSING = "It is closing already."
CLOSED_BEFORE = "This stage has ended already, so nothing was closed. `/event status` shows how it stands now."


class EventService(Service):
    def __init__(
        self,
        opened: Resources,
        openings: OpeningService,
        budgets: BudgetService,
        depictions: DepictionService,
    ) -> None:
        super().__init__(opened)
        self._members = opened.members
        self._openings = openings
        self._budgets = budgets
        self._depictions = depictions
        self._prices = opened.prices

    async def create(self, draft: EventDraft, actor: Actor, channel: Channel) -> Event:
        """Store a draft, which only those who may run it see. The caller checks who may create events."""

        async def transaction(connection: AsyncConnection) -> Event:
            labels = [candidate.label for candidate in draft.candidates]
            await check_text(connection, actor.guild_id, draft.name, draft.theme, draft.rules, *labels)
            event = await rows.insert(
                connection,
                guild_id=actor.guild_id,
                channel_id=channel.id,
                host_id=actor.user_id,
                created_at=self._clock.now(),
                **drafts.beginnings(draft),
            )
            drafts.check_event(event)
            await loras.check_usable(connection, actor, loras.loras_in(event), event.style_ids)
            return await _change(connection, event, budget=self._proposed(event))

        return await self._database.write(transaction)

    async def copy(self, event_id: int, actor: Actor, channel: Channel) -> Event:
        """A draft of the actor's, planned as that event was, but for the role that its winner is given.

        The caller checks who may create events.
        """

        async def transaction(connection: AsyncConnection) -> Event:
            before = await lookup.find(connection, event_id, actor)
            columns = drafts.copied(before) | {
                "host_id": actor.user_id,
                "channel_id": channel.id,
                "winner_role_id": None,
            }
            labels = [candidate.label for candidate in before.candidates]
            await check_text(connection, actor.guild_id, before.name, before.theme, before.rules, *before.pack, *labels)
            return await rows.insert(connection, **columns, created_at=self._clock.now())

        return await self._database.write(transaction)

    async def change(self, event_id: int, actor: Actor, **changes: Any) -> Event:
        """Set fields of an event; UserError when a value or the stage does not allow it."""
        await self._check_moderators(changes, actor)

        async def transaction(connection: AsyncConnection) -> Event:
            before = await lookup.run_by(connection, event_id, actor, HostCommand.CHANGE)
            await check_text(connection, actor.guild_id, *drafts.texts_of(changes))
            is_taken_up = await entrants.has_any(connection, event_id)
            drafts.check_changeable(before, frozenset(changes), is_taken_up=is_taken_up)
            values = drafts.tidied(before, changes)
            planned = replace(before, **values)
            is_proposed = before.status is EventStatus.DRAFT and before.budget == self._proposed(before)
            if is_proposed and "budget" not in values:
                values["budget"] = self._proposed(planned)
                planned = replace(planned, budget=values["budget"])
            drafts.check_event(planned)
            await _check_spent(connection, planned, values)
            new_loras = loras.loras_in(planned) - loras.loras_in(before)
            new_styles = set(planned.style_ids) - set(before.style_ids)
            await loras.check_usable(connection, actor, new_loras, new_styles)
            if _is_rescued(before, planned):
                values |= await self._go_on(
                    connection, before, lifecycle.resumed_end(before, self._clock.now(), hour=self._hour)
                )
            event = await _change(connection, before, **values)
            if "name" in values and event.dataset_id is not None:
                await datasets.rename(connection, event.dataset_id, event.name)
            await loras.share_with_entrants(connection, event, actor.user_id, now=self._clock.now())
            await self._tell(connection, event)
            return event

        return await self._database.write(transaction)

    def _proposed(self, event: Event) -> int | None:
        """The budget that a new event begins with, None when all of it is free."""
        return min(estimate(event, self._prices), drafts.BUDGET_MAX) or None

    async def get_for(self, event_id: int, actor: Actor) -> Event:
        return await self._database.fetch(lookup.find, event_id, actor)

    async def pick(self, text: str | None, actor: Actor, *, runnable: bool = False) -> Event:
        """The event for a choice value or a name; for None, the only one. `runnable`: among those the actor runs."""
        known = await self._database.fetch(lookup.among, actor, runnable=runnable)
        if text is not None:
            return lookup.pick_from(text, known)
        return lookup.only_one([event for event in known if runnable or event.status.is_live])

    async def latest(self, actor: Actor) -> Event:
        """What the actor means who names no event; UserError when that is not clear."""
        known = await self._database.fetch(lookup.among, actor, runnable=False)
        return lookup.latest(known, actor, self._clock.now())

    async def choices(self, text: str, actor: Actor, *, runnable: bool = False) -> Sequence[Event]:
        """At most 25 events that match the typed text, best first; of equal ones the live ones first."""
        known = await self._database.fetch(lookup.among, actor, runnable=runnable)
        return search(text, known, lambda event: event.name)[:CHOICES_MAX]

    async def readiness(self, event_id: int, actor: Actor) -> Sequence[ReadinessCheck]:
        """What the event needs to be opened; takes up to half a minute when webhooks do not arrive."""
        return await self._openings.readiness(event_id, actor)

    async def open(self, event_id: int, actor: Actor) -> Event:
        """Announce the event and begin its first stage; UserError, with what to do, when it is not ready."""
        return await self._openings.open(event_id, actor)

    async def closable(self, event_id: int, actor: Actor, part: str | None = None) -> Event:
        """The event whose stage can be closed now; UserError when it cannot, or is not in this part any more."""
        return await self._database.fetch(_closable, event_id, actor, part, self._clock.now())

    async def close(self, event_id: int, actor: Actor, part: str | None = None) -> Event:
        """End the present stage now; the engine goes on at once. UserError when it is not in this part any more."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Event:
            before = await _closable(connection, event_id, actor, part, now)
            event = await _change(connection, before, stage_ends_at=now)
            await event_counts.keep_photos_until(connection, event.id, self._photos_until(event))
            await self._tell(connection, event)
            return event

        return await self._database.write(transaction)

    async def extend(self, event_id: int, hours: float, actor: Actor) -> Event:
        """Add time to the present stage; an event that waits for its host goes on."""
        if not 0 < hours <= drafts.HOURS_MAX:
            raise UserError(f"It can be extended by up to {drafts.HOURS_MAX:.0f} hours. Please pick a number there.")

        async def transaction(connection: AsyncConnection) -> Event:
            before = await lookup.run_by(connection, event_id, actor, HostCommand.EXTEND)
            ends_at = lifecycle.extended_end(before, self._clock.now(), hours * self._hour)
            values: dict[str, Any] = {"stage_ends_at": ends_at}
            if before.paused_why is not None and not before.paused_why.ends_by_itself:
                values = await self._go_on(connection, before, ends_at)
            event = await _change(connection, before, **values)
            await event_counts.keep_photos_until(connection, event.id, self._photos_until(event))
            await self._tell(connection, event)
            return event

        return await self._database.write(transaction)

    async def cancel(self, event_id: int, actor: Actor) -> Event:
        """Cancel the event. The engine ends waiting jobs, deletes photos and announces what was paid."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Event:
            before = await lookup.run_by(connection, event_id, actor, HostCommand.CANCEL)
            lifecycle.check_move(before.mode, before.status, EventStatus.CANCELLED)
            over = {"ended_at": now, "stage_ends_at": None, "paused_at": None, "paused_why": None}
            is_left = before.status.is_live or before.opens_at is not None or before.banner is not None
            due_at = now if is_left else None
            event = await _change(connection, before, status=EventStatus.CANCELLED, due_at=due_at, **over)
            await self._tell(connection, event)
            return event

        return await self._database.write(transaction)

    async def remove_entrant(self, event_id: int, user_id: int, actor: Actor) -> None:
        """Take a member out of the event; until training has begun, their photos are deleted."""
        async with self._database.read() as connection:
            event = await lookup.run_by(connection, event_id, actor, HostCommand.CHANGE)
            entrant = await entrants.find(connection, event_id, user_id)
        if entrant is None or entrant.status is not EntrantStatus.IN:
            raise NotFound("They do not take part in this event.")
        if event.status.takes_photos:
            await self._depictions.withdraw(event_id, Actor(event.guild_id, user_id))

        async def transaction(connection: AsyncConnection) -> None:
            now = self._clock.now()
            await entrants.change(connection, entrant.id, status=EntrantStatus.REMOVED, left_at=now)
            about = f"out of event #{event_id}"
            await moderation_log.note(
                connection, event.guild_id, Act.MODERATED, actor.user_id, about, member_id=user_id, now=now
            )
            await self._tell(connection, event)

        await self._database.write(transaction)

    async def view(self, event_id: int) -> EventView | None:
        """Everything that a card shows, or None; callers check who may see it."""
        event = await self._database.fetch(rows.get, event_id)
        if event is None:
            return None
        affordable = None if event.status.is_terminal else await self._budgets.preview(event)
        return await self._database.fetch(views.load, event, affordable, self._prices, self._clock.now())

    async def announcement(self, announcement_id: int) -> Announcement | None:
        """The announcement, or None; callers check who may see it."""
        return await self._database.fetch(rows.get_announcement, announcement_id)

    @property
    def _hour(self) -> timedelta:
        return self._timings.event_hour

    async def _tell(self, connection: AsyncConnection, event: Event) -> None:
        """Wake the event for the engine now, and renew its panel soon."""
        await rows.wake(connection, event.id, now=self._clock.now())
        await rows.renew_panel(connection, event.id, due_at=self._clock.now() + self._timings.panel)

    async def _check_moderators(self, changes: dict[str, Any], actor: Actor) -> None:
        for user_id in changes.get("moderator_ids", ()):
            if not await self._members.is_member(actor.guild_id, user_id):
                raise UserError(f"<@{user_id}> is not a member of this server. Please pick somebody who is.")

    async def _go_on(self, connection: AsyncConnection, event: Event, ends_at: datetime | None) -> dict[str, Any]:
        """Announce that the host ended the pause; returns the columns that change."""
        assert event.paused_at is not None  # the caller has looked
        await rows.announce(
            connection,
            event,
            AnnouncementKind.RESUMED,
            once=f"resumed:{event.paused_at.isoformat()}",
            detail=json.dumps({"why": event.paused_why}),
            now=self._clock.now(),
        )
        return {"paused_at": None, "paused_why": None, "stage_ends_at": ends_at}

    def _photos_until(self, event: Event) -> datetime | None:
        return lifecycle.photos_until(event, hour=self._hour, kept=self._timings.event_photos_kept)


async def _change(connection: AsyncConnection, event: Event, **values: Any) -> Event:
    changed = await rows.change(connection, event.id, expected=event.status, **values)
    if changed is None:
        raise UserError(MOVED_ON)
    return changed


async def _closable(connection: AsyncConnection, event_id: int, actor: Actor, part: str | None, now: datetime) -> Event:
    event = await lookup.run_by(connection, event_id, actor, HostCommand.CLOSE)
    if part is not None and lifecycle.part_of(event) != part:
        raise UserError(CLOSED_BEFORE)
    if lifecycle.is_closing(event, now):
        raise UserError(CLOSING)
    return event


async def _check_spent(connection: AsyncConnection, event: Event, values: dict[str, Any]) -> None:
    if "budget" not in values or event.budget is None:
        return
    spent = await spends.total(connection, event.id)
    if event.budget < spent:
        raise UserError(f"{spent:,} credits are spent or set aside already, so the budget cannot be lower.")


def _is_rescued(before: Event, planned: Event) -> bool:
    """Whether a larger budget ends the pause of an event whose budget was spent."""
    if before.paused_why is not PauseReason.BUDGET_SPENT or before.budget is None:
        return False
    return planned.budget is None or planned.budget > before.budget
