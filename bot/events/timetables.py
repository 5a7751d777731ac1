"""How long the stages of an event last: ready timetables to choose from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.events.lifecycle import PATHS, TIMED
from bot.records.event import Event, EventMode, EventStatus


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
