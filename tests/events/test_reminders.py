"""When a stage's last call comes, and when those are reminded who have not voted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.events.lifecycle import RUN_OFF
from bot.events.reminders import last_call, last_call_at, vote_reminder_at
from bot.records.event import EventMode, EventStatus
from tests.fakes.clock import NOON
from tests.fakes.events import make_event

S = EventStatus
HOUR = timedelta(hours=1)


def before_the_end(
    status: EventStatus, hours: float, mode: EventMode = EventMode.SHARED, **changes: Any
) -> tuple[object, object]:
    """How long before the end of this stage the last call and the reminder of the vote come."""
    ends_at = NOON + 50 * HOUR
    event = make_event(**{"mode": mode, "status": status, "hours": {status: hours}, "stage_ends_at": ends_at} | changes)
    found = last_call_at(event, hour=HOUR), vote_reminder_at(event, hour=HOUR)
    return tuple(None if at is None else ends_at - at for at in found)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("status", "hours", "call", "reminder"),
    [
        (S.COLLECTING, 24, HOUR, None),
        (S.COLLECTING, 4, HOUR, None),
        (S.COLLECTING, 2, HOUR / 2, None),
        (S.COLLECTING, 0.5, None, None),
        (S.SHOWING, 168, HOUR, None),
        (S.VOTING, 48, HOUR, 6 * HOUR),
        (S.VOTING, 6, HOUR, 3 * HOUR),
        (S.VOTING, 1, HOUR / 4, HOUR / 2),
        (S.VOTING, 0, None, None),
        (S.REVIEWING, 24, None, None),
        (S.TRAINING, 24, None, None),
    ],
)
def test_reminders_come_before_the_end_of_what_members_do(
    status: EventStatus, hours: float, call: timedelta | None, reminder: timedelta | None
) -> None:
    assert before_the_end(status, hours) == (call, reminder)


def test_a_bakeoff_calls_for_votes_alone_and_reminds_nobody_because_nobody_joined() -> None:
    assert before_the_end(S.SHOWING, 24, EventMode.BAKEOFF) == (None, None)
    assert before_the_end(S.VOTING, 24, EventMode.BAKEOFF) == (HOUR, None)


@pytest.mark.parametrize("changes", [{"paused_at": NOON}, {"stage_ends_at": None}])
def test_nothing_ends_while_an_event_is_paused(changes: dict[str, Any]) -> None:
    assert before_the_end(S.VOTING, 24, **changes) == (None, None)


@pytest.mark.parametrize(
    ("hours", "call", "reminder"), [(48, HOUR, 6 * HOUR), (4, HOUR / 4, HOUR / 2), (1, None, None)]
)
def test_a_run_off_is_reminded_of_by_its_own_length(
    hours: float, call: timedelta | None, reminder: timedelta | None
) -> None:
    """It lasts a quarter of the vote, half an hour at the least."""
    assert before_the_end(S.VOTING, hours, runoff_ids=(1, 2)) == (call, reminder)


def test_the_last_call_of_a_run_off_is_another_one_than_that_of_the_first_vote() -> None:
    """Mutant: with the stage alone the first call, if it waits, is sent with the run-off's end."""
    first = make_event(status=EventStatus.VOTING, stage_ends_at=NOON)
    called = [last_call(each) for each in (first, replace(first, runoff_ids=(1, 2)))]
    assert [each.detail["stage"] for each in called] == [S.VOTING, RUN_OFF]
    assert called[0].once != called[1].once
