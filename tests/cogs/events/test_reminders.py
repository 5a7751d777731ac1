"""What reminders of the end of a stage say, and when a last call is not made any more."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.events.ballot.reminding import VoteReminder
from bot.events.lifecycle import RUN_OFF
from bot.records.event import Announcement, AnnouncementKind, EventStatus
from bot.text import quote
from cogs.events.reminders import is_too_late, vote_reminder_card
from tests.cogs.card_checks import check
from tests.cogs.events.shown_events import a_view, collecting
from tests.fakes.clock import NOON
from tests.fakes.events import make_event

S = EventStatus


def told(what: AnnouncementKind = AnnouncementKind.CLOSING_SOON, **detail: Any) -> Announcement:
    return Announcement(1, 7, 100, what, json.dumps(detail), NOON)


@pytest.mark.parametrize(
    ("changes", "is_closing", "stage", "is_late"),
    [
        ({}, False, S.COLLECTING, False),
        ({}, False, None, False),
        ({}, True, S.COLLECTING, True),
        ({"status": S.VOTING}, False, S.COLLECTING, True),
        ({"status": S.CANCELLED}, False, S.COLLECTING, True),
        ({"paused_at": NOON}, False, S.COLLECTING, True),
        ({"status": S.VOTING, "runoff_ids": (1, 2)}, False, S.VOTING, True),
        ({"status": S.VOTING, "runoff_ids": (1, 2)}, False, RUN_OFF, False),
        ({"status": S.VOTING, "runoff_ids": (1, 2)}, True, RUN_OFF, True),
    ],
)
def test_a_last_call_that_had_to_wait_is_not_made_once_its_stage_is_over(
    changes: dict[str, Any], is_closing: bool, stage: str | None, is_late: bool
) -> None:
    view = a_view(collecting(**changes), is_closing=is_closing)
    detail: dict[str, Any] = {} if stage is None else {"stage": stage}
    assert is_too_late(view, told(**detail)) is is_late
    assert not is_too_late(view, told(AnnouncementKind.LORAS_READY)), "other announcements are made all the same"


async def test_a_reminder_says_where_until_when_and_how_it_is_turned_off() -> None:
    event = make_event(status=S.VOTING, stage_ends_at=NOON + timedelta(hours=6), name="x` @everyone")
    text = check(vote_reminder_card(VoteReminder(event, None), "Photo club"))
    seconds = int((NOON + timedelta(hours=6)).timestamp())
    assert f"{quote(event.name)}: you have not voted yet" in text
    assert f"in {quote('Photo club')}. The vote ends <t:{seconds}:F> (<t:{seconds}:R>)." in text
    assert "**No pings** under" in text
    assert "To the ballot" not in text
    assert "Everybody has one vote" in text
    assert "run-off" not in text
    endless = check(vote_reminder_card(VoteReminder(replace(event, stage_ends_at=None), None), "Club"))
    assert "ends" not in endless


async def test_in_a_run_off_who_voted_before_reads_that_it_is_about_another_vote() -> None:
    event = make_event(status=S.VOTING, stage_ends_at=NOON + timedelta(hours=1), runoff_ids=(1, 2))
    text = check(vote_reminder_card(VoteReminder(event, None), "Photo club"))
    assert "you have not voted in the run-off yet" in text
    assert "The run-off ends <t:" in text
    assert "Everybody votes once more" in text
