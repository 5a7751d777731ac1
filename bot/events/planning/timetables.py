"""How long the stages of an event last, when it opens, and when it is planned again. Pure."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import UserError
from bot.events.lifecycle import PATHS, TIMED
from bot.records.event import Event, EventMode, EventStatus, Repeat

PLANNED_AHEAD = timedelta(days=365)
ZONE_MAX = 40
WRITTEN = "%Y-%m-%d %H:%M"
NO_TIME = "Please write the day like `2026-12-24` and the time like `19:30`. Nothing was changed."
NO_ZONE = "I do not know this time zone. Please write it like `Europe/Berlin`, or `UTC`. Nothing was changed."
NOT_AHEAD = "It can open from now on up to a year ahead, and that time is not. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Timetable:
    """Hours of each stage."""

    name: str
    hours: Mapping[EventStatus, float]


def _timetable(name: str, collecting: float, reviewing: float, showing: float, voting: float) -> Timetable:
    hours = {
        EventStatus.COLLECTING: collecting,
        EventStatus.REVIEWING: reviewing,
        EventStatus.SHOWING: showing,
        EventStatus.VOTING: voting,
    }
    return Timetable(name, hours)


TIMETABLES = {
    "evening": _timetable("A quick evening", 2.0, 0.5, 1.0, 1.0),
    "weekend": _timetable("A weekend", 24.0, 6.0, 12.0, 12.0),
    "week": _timetable("A week", 96.0, 24.0, 24.0, 24.0),
}


def timetable_of(event: Event) -> str | None:
    """Its key, when the event's hours are those of one."""
    stages = timed_stages(event.mode)
    for key, each in TIMETABLES.items():
        if all(event.hours.get(stage, 0.0) == each.hours[stage] for stage in stages):
            return key
    return None


def timed_stages(mode: EventMode) -> list[EventStatus]:
    """Those that last for a time that the host chooses, in their order."""
    return [stage for stage in PATHS[mode] if stage in TIMED]


def zone_of(name: str | None) -> tzinfo:
    """UserError when there is no such time zone."""
    if name is None or name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name[:ZONE_MAX])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(NO_ZONE) from error


def parse_opening(day: str, time: str, zone: str | None, now: datetime) -> datetime:
    """The moment that somebody has written by the clocks of a time zone; UserError when it is none, or not ahead."""
    try:
        written = datetime.strptime(f"{day.strip()} {time.strip()}", WRITTEN)  # noqa: DTZ007 - the zone comes next
    except ValueError as error:
        raise UserError(NO_TIME) from error
    if abs(written.year - now.year) > 1:
        raise UserError(NOT_AHEAD)
    at = written.replace(tzinfo=zone_of(zone)).astimezone(UTC)
    if not now < at <= now + PLANNED_AHEAD:
        raise UserError(NOT_AHEAD)
    return at


def next_opening(event: Event, after: datetime) -> datetime | None:
    """The first time of its series after this moment; None when it does not repeat.

    The clocks of its zone show the same time each time, in summer and in winter. In a month that is too short it is
    the last day. A time that the clocks leave out in spring is an hour later.
    """
    if event.repeats is None or event.series_from is None:
        return None
    first = event.series_from.astimezone(zone_of(event.opens_zone))
    number = 0
    while (at := _nth(first, event.repeats, number)) <= after:
        number += 1
    return at


def _nth(first: datetime, repeat: Repeat, number: int) -> datetime:
    if repeat is Repeat.WEEKLY:
        return (first + timedelta(weeks=number)).astimezone(UTC)
    year, month = divmod(first.month - 1 + number, 12)
    year, month = first.year + year, month + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return first.replace(year=year, month=month, day=day).astimezone(UTC)
