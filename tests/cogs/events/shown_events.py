"""Events and what is shown of them, with sensible values, for tests of cards and of Discord's part."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.events.budget import Affordable
from bot.events.views import EventView
from bot.records.dataset import SubjectKind
from bot.records.event import Entrant, EntrantStatus, Event, EventMode, EventStatus, Honour
from bot.records.key import ProviderName
from bot.records.lora import Lora

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOST = 400


def an_event(**changes: Any) -> Event:
    """A draft for a shared mascot."""
    values: dict[str, Any] = {
        "id": 7,
        "guild_id": 100,
        "channel_id": 300,
        "thread_id": None,
        "host_id": HOST,
        "name": "Mascot weekend",
        "theme": "Our fox, everywhere",
        "rules": "",
        "mode": EventMode.SHARED,
        "subject_kind": SubjectKind.OBJECT,
        "status": EventStatus.DRAFT,
        "photo_cap": 10,
        "pictures_each": 3,
        "entrants_min": 2,
        "entrants_max": None,
        "budget": None,
        "role_ids": frozenset(),
        "moderator_ids": frozenset(),
        "jury_role_id": None,
        "pack": (),
        "style_ids": (),
        "lora_ids": (),
        "candidates": (),
        "hours": {EventStatus.COLLECTING: 2.0, EventStatus.REVIEWING: 0.5, EventStatus.SHOWING: 1.0},
        "wants_thread": True,
        "wants_calendar": True,
        "calendar_id": None,
        "stage_ends_at": None,
        "paused_at": None,
        "paused_why": None,
        "dataset_id": None,
        "attempt": 0,
        "due_at": None,
        "lease_owner": None,
        "created_at": NOON,
        "opened_at": None,
        "ended_at": None,
    }
    return Event(**(values | changes))


def collecting(**changes: Any) -> Event:
    ends_at = NOON + timedelta(hours=2)
    return an_event(**{"status": EventStatus.COLLECTING, "opened_at": NOON, "stage_ends_at": ends_at} | changes)


def a_view(event: Event, **changes: Any) -> EventView:
    """Two members take part, one has left again."""
    statuses = (EntrantStatus.IN, EntrantStatus.IN, EntrantStatus.WITHDRAWN)
    values: dict[str, Any] = {
        "event": event,
        "entrants": tuple(
            Entrant(number, event.id, event.guild_id, 500 + number, status, None, None, None, 0, NOON, None)
            for number, status in enumerate(statuses, start=1)
        ),
        "photos": 20,
        "usable_photos": 17,
        "spent": 257,
        "affordable": Affordable(credits_left=743, trainings=2, pictures=40),
        "trainings": {},
        "loras": (),
        "pictures": 0,
        "covered": 3,
        "pending": 1,
        "vetoed": 4,
        "advice": (),
        "entries": 0,
        "votes": 0,
        "winners": (),
        "panel_post": None,
    }
    return EventView(**(values | changes))


def a_lora(number: int, *, version: int = 1, previous_id: int | None = None) -> Lora:
    return Lora(
        id=number,
        guild_id=100,
        owner_id=HOST,
        provider=ProviderName.APIFRAME,
        remote_id=f"lora-{number}",
        name="Foxy",
        trigger_word="TORKPN",
        subject_kind=SubjectKind.OBJECT,
        training_id=number,
        version=version,
        previous_id=previous_id,
        note=None,
        cost=None,
        created_at=NOON,
        archived_at=None,
        missing_since=None,
        retiring_since=None,
        event_id=None,
    )


def an_honour(place: int = 1, **changes: Any) -> Honour:
    values: dict[str, Any] = {
        "id": place,
        "event_id": 7,
        "guild_id": 100,
        "user_id": 500 + place,
        "event_name": "Mascot weekend",
        "place": place,
        "votes": 5,
        "picture_id": None,
        "label": None,
        "awarded_at": NOON,
    }
    return Honour(**(values | changes))
