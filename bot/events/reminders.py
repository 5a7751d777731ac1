"""When members are reminded that a stage of an event ends. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.events.ballot.runoff import hours_of, in_runoff
from bot.events.lifecycle import part_of
from bot.events.outcomes import PlannedAnnouncement
from bot.records.event import AnnouncementKind, Event, EventMode, EventStatus

S = EventStatus

CALLED: Final = frozenset({S.COLLECTING, S.SHOWING, S.VOTING})
"""Stages in which members have something to do."""
LEAST_HOURS: Final = 1.0
"""A stage that was planned shorter ends without a reminder."""
LAST_CALL: Final = (1.0, 0.25)
VOTE_REMINDER: Final = (6.0, 0.5)
"""How long before the end: hours, and which part of the stage at the most."""


def last_call_at(event: Event, *, hour: timedelta) -> datetime | None:
    """When everybody is told that the present stage is about to end; None when nobody is."""
    if event.status not in CALLED or (event.mode, event.status) == (EventMode.BAKEOFF, S.SHOWING):
        return None
    return _before_the_end(event, hour, *LAST_CALL)


def vote_reminder_at(event: Event, *, hour: timedelta) -> datetime | None:
    """When those who have not voted are reminded privately; None when nobody is. A bake-off has nobody who joined."""
    if event.status is not S.VOTING or event.mode is EventMode.BAKEOFF:
        return None
    return _before_the_end(event, hour, *VOTE_REMINDER)


def _before_the_end(event: Event, hour: timedelta, hours: float, part: float) -> datetime | None:
    planned = hours_of(event) if in_runoff(event) else event.hours.get(event.status, 0.0)
    if event.stage_ends_at is None or event.paused_at is not None or planned < LEAST_HOURS:
        return None
    return event.stage_ends_at - hour * min(hours, planned * part)


def last_call(event: Event) -> PlannedAnnouncement:
    """One for each stage, and one for a run-off, whether it was extended since or not."""
    assert event.stage_ends_at is not None  # only stages with an end have one
    detail: Mapping[str, str | int] = {"stage": part_of(event), "ends": int(event.stage_ends_at.timestamp())}
    once = "" if event.status is S.COLLECTING else f"{AnnouncementKind.CLOSING_SOON}:{part_of(event)}"
    return PlannedAnnouncement(AnnouncementKind.CLOSING_SOON, detail, once)
