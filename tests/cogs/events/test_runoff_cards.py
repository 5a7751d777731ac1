"""What is shown of a run-off: panel, ballot, announcements, the host's question; and how a host chooses it."""

from dataclasses import replace
from typing import Any

import discord
import pytest
from simcord.components import walk_components

from bot.events.ballot.service import BallotEntry
from bot.records.event import Announcement, AnnouncementKind, Event, EventStatus, OnTie
from bot.records.guild import Channel
from cogs.events.announcements import RUN_OFF_DECIDED, SHARED_PLACE, announcement_card
from cogs.events.host.status import close_question, status_card
from cogs.events.member.ballot import VotingPages, ballot_card, joined
from cogs.events.panel import panel_card
from cogs.events.texts import event_name
from cogs.ui.buttons import ActionButton
from tests.cogs.card_checks import check
from tests.cogs.events.event_actions import admin, open_event
from tests.cogs.events.shown_events import a_view, an_honour, collecting
from tests.cogs.simulated_guild import Stage, board_of, text_of
from tests.fakes.clock import NOON
from tests.fakes.events import get_event

ENTRIES = [BallotEntry(100 + number, number, (), is_mine=False) for number in (1, 2, 3)]
FIRST = collecting(status=EventStatus.VOTING, on_tie=OnTie.RUN_OFF)
SECOND = replace(FIRST, runoff_ids=(101, 103))


def announced(event: Event, what: AnnouncementKind, detail: str = "", **changes: Any) -> discord.ui.LayoutView:
    return announcement_card(a_view(event, **changes), Announcement(5, 7, 100, what, detail, NOON))


def actions_on(card: discord.ui.LayoutView) -> list[str]:
    return [item.action for item in card.walk_children() if isinstance(item, ActionButton)]


@pytest.mark.parametrize(
    ("numbers", "said"), [([1, 3], "Numbers 1 and 3"), ([1, 2, 3], "Numbers 1, 2 and 3"), ([2], "Number 2")]
)
def test_the_tied_are_named_by_number(numbers: list[int], said: str) -> None:
    assert joined(numbers) == said


def test_everybody_reads_between_whom_it_is_and_that_earlier_votes_do_not_decide_it() -> None:
    card = announced(SECOND, AnnouncementKind.RUN_OFF, '{"numbers": [1, 3]}')
    assert "Numbers 1 and 3 are tied for the first place. Everybody votes once more" in check(card)
    assert actions_on(card) == ["vote"]
    ballot = check(ballot_card(SECOND, ENTRIES))
    assert f"A run-off in {event_name(SECOND)}" in ballot
    assert "Numbers 1 and 3 are tied" in ballot
    assert "A run-off is open: vote once more" in check(panel_card(a_view(SECOND)))
    assert f"The run-off of {event_name(SECOND)}" in check(VotingPages(SECOND, ENTRIES[:1], None, 0))


def test_the_rules_say_what_becomes_of_a_tie() -> None:
    """In the run-off itself another tie shares the place."""
    rule = "A tie for the first place is decided by a run-off."
    said = [rule in check(ballot_card(each, ENTRIES)) for each in (FIRST, SECOND)]
    assert said == [True, False]
    assert rule not in check(ballot_card(replace(FIRST, on_tie=OnTie.SHARE), ENTRIES))


def test_once_it_has_ended_the_announcement_offers_no_vote_any_more() -> None:
    over = replace(SECOND, status=EventStatus.FINISHED)
    assert actions_on(announced(over, AnnouncementKind.RUN_OFF, '{"numbers": [1, 3]}')) == []


def test_the_winner_is_announced_with_the_run_off_and_a_second_tie_with_both() -> None:
    over = replace(SECOND, status=EventStatus.FINISHED)
    one, two = an_honour(1), an_honour(2)
    assert RUN_OFF_DECIDED in check(announced(over, AnnouncementKind.WINNER, winners=(one, two)))
    shared = check(announced(over, AnnouncementKind.WINNER, winners=(one, replace(two, place=1))))
    assert RUN_OFF_DECIDED in shared
    assert SHARED_PLACE in shared
    plain = replace(over, runoff_ids=())
    assert RUN_OFF_DECIDED not in check(announced(plain, AnnouncementKind.WINNER, winners=(one, two)))


def test_closing_says_what_it_means_and_ends_that_part_alone() -> None:
    """Mutant: with the stage's name in both buttons the first card ends the run-off, too."""
    assert "If the first place is tied, a run-off begins" in check(close_question(FIRST))
    assert "run-off" not in check(close_question(SECOND))
    assert "run-off" not in check(close_question(replace(FIRST, on_tie=OnTie.SHARE)))
    assert [actions_on(close_question(each))[0] for each in (FIRST, SECOND)] == ["endvoting", "endrunoff"]
    card = status_card(a_view(SECOND), may_run=True)
    assert "**Run-off** until" in check(card)
    assert "closerunoff" in actions_on(card)


async def test_a_host_chooses_it_in_the_settings_until_the_vote(keyed: Stage) -> None:
    event = await open_event(keyed)
    page = board_of(await keyed.press_id(keyed.ada, f"dr:host:result:{event.id}"))
    assert "**On a tie for the first place:** they share it" in text_of(page)
    select = next(
        part["custom_id"]
        for part in walk_components(page.components)
        if part.get("placeholder") == "On a tie for the first place"
    )
    page = board_of(await keyed.ada.select(page, ["run_off"], custom_id=select))
    assert "**On a tie for the first place:** a run-off decides" in text_of(page)
    assert (await get_event(keyed.world.darkroom.database, event.id)).on_tie is OnTie.RUN_OFF
    copied = await keyed.world.darkroom.services.events.copy(event.id, admin(keyed), Channel(keyed.channel.id))
    assert copied.on_tie is OnTie.RUN_OFF
