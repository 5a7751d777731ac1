"""How many votes were given is nowhere to be seen: neither while a ballot is open nor, of single votes, afterwards."""

import dataclasses
import json

import pytest

from bot.events.ballot.service import BallotEntry
from bot.records.event import EventMode, EventStatus, PauseReason
from cogs.events.host.status import status_card
from cogs.events.panel import panel_card
from cogs.ui.layout import Layout
from tests.cogs.card_checks import parts_of
from tests.cogs.events.shown_events import a_view, an_honour, collecting
from tests.fakes.clock import NOON

MANY = (0, 1, 7, 7_777)
WINNERS = (an_honour(1, votes=5),)


def said_by(card: Layout) -> str:
    return json.dumps(parts_of(card), default=str)


@pytest.mark.parametrize("mode", list(EventMode))
@pytest.mark.parametrize("status", list(EventStatus))
@pytest.mark.parametrize("pause", [None, PauseReason.PROVIDER_DOWN])
def test_no_card_of_an_event_changes_with_the_number_of_votes(
    mode: EventMode, status: EventStatus, pause: PauseReason | None
) -> None:
    """Mutant: the panel or the status says how many votes there are so far."""
    event = collecting(mode=mode, status=status, paused_at=pause and NOON, paused_why=pause, entrants_min=1)
    winners = WINNERS if status is EventStatus.FINISHED else ()
    views = [a_view(event, votes=votes, entries=4, pictures=9, winners=winners) for votes in MANY]
    assert len({said_by(panel_card(view)) for view in views}) == 1
    for may_run in (False, True):
        assert len({said_by(status_card(view, may_run=may_run)) for view in views}) == 1


def test_what_the_ballot_shows_of_an_entry_holds_no_votes() -> None:
    """The public card and the pages for voting are made of nothing else."""
    assert not {field.name for field in dataclasses.fields(BallotEntry)} & {"votes", "score", "jury_votes", "count"}
