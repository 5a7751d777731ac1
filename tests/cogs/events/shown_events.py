"""What is shown of an event beside itself, with sensible values: its view, LoRAs, honours."""

from datetime import timedelta
from typing import Any

from bot.events.budget import Affordable
from bot.events.views import EventView, UncountedPhotos
from bot.records.ballot import Honour
from bot.records.dataset import SubjectKind
from bot.records.event import Entrant, EntrantStatus, Event, EventStatus
from bot.records.key import ProviderName
from bot.records.lora import Lora
from tests.fakes.clock import NOON
from tests.fakes.events import make_event
from tests.fakes.rows import ADMIN


def collecting(**changes: Any) -> Event:
    ends_at = NOON + timedelta(hours=2)
    return make_event(**{"status": EventStatus.COLLECTING, "opened_at": NOON, "stage_ends_at": ends_at} | changes)


def a_view(event: Event, **changes: Any) -> EventView:
    """Two members take part, one has left again."""
    statuses = (EntrantStatus.IN, EntrantStatus.IN, EntrantStatus.WITHDRAWN)
    values: dict[str, Any] = {
        "event": event,
        "is_closing": False,
        "entrants": tuple(
            Entrant(number, event.id, event.guild_id, 500 + number, status, None, None, None, 0, NOON, None)
            for number, status in enumerate(statuses, start=1)
        ),
        "photos": 20,
        "usable_photos": 17,
        "uncounted": UncountedPhotos(),
        "spent": 257,
        "expected": 400,
        "entrants_expected": 10,
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
        "news_role_id": None,
    }
    return EventView(**(values | changes))


def a_lora(number: int, *, version: int = 1, previous_id: int | None = None) -> Lora:
    return Lora(
        id=number,
        guild_id=100,
        owner_id=ADMIN,
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
        resting_since=None,
        event_id=None,
    )


def an_honour(place: int = 1, **changes: Any) -> Honour:
    values: dict[str, Any] = {
        "id": place,
        "event_id": 7,
        "guild_id": 100,
        "user_id": 500 + place,
        "event_name": "Mascot days",
        "place": place,
        "votes": 5,
        "picture_id": None,
        "label": None,
        "awarded_at": NOON,
    }
    return Honour(**(values | changes))
