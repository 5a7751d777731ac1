"""When a run-off is called for, how long it lasts, and what comes of both votes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events.ballot import runoff, tally
from bot.records.ballot import Vote
from bot.records.event import EventStatus, OnTie
from tests.fakes.clock import NOON
from tests.fakes.events import make_event

HOUR = timedelta(hours=1)
VOTING = make_event(status=EventStatus.VOTING, on_tie=OnTie.RUN_OFF)


def votes(*chosen: int, jury: int = 0) -> list[Vote]:
    """One of each member; the first `jury` of them are the jury's."""
    return [Vote(index, 7, entry, index, index < jury, NOON) for index, entry in enumerate(chosen)]


def places(standings: tuple[tally.Standing, ...]) -> list[tuple[int, int, int]]:
    return [(each.entry_id, each.place, each.votes) for each in standings]


def settled(
    entries: set[int], first: list[Vote], second: list[Vote], tied: tuple[int, ...]
) -> list[tuple[int, int, int]]:
    standing = [each for each in tied if each in entries]
    counted = tally.count(entries, first, False), tally.count(standing, second, False)
    return places(runoff.settle(*counted, tied))


@pytest.mark.parametrize(
    ("cast", "called"),
    [
        ((1, 1, 2, 2, 3), (1, 2)),
        ((1, 2, 3), (1, 2, 3)),
        ((1, 1, 2), ()),
        ((), ()),
        ((3, 3, 2, 2, 1, 1, 1), ()),
    ],
)
def test_a_run_off_is_called_for_between_those_who_share_the_first_place(
    cast: tuple[int, ...], called: tuple[int, ...]
) -> None:
    """Without votes everybody shares it, and nobody is voted on again."""
    assert runoff.is_called_for(VOTING, tally.count({1, 2, 3}, votes(*cast), False)) == called


def test_it_is_called_for_once_and_where_the_host_wants_it() -> None:
    """Mutant: without the look at `runoff_ids` a second tie begins a third vote."""
    tie = tally.count({1, 2}, votes(1, 2), False)
    again = make_event(status=EventStatus.VOTING, on_tie=OnTie.RUN_OFF, runoff_ids=(1, 2))
    shared = make_event(status=EventStatus.VOTING, on_tie=OnTie.SHARE)
    assert [runoff.is_called_for(each, tie) for each in (VOTING, again, shared)] == [(1, 2), (), ()]


def test_the_jury_breaks_a_tie_before_a_run_off_is_needed() -> None:
    tie = votes(1, 2, 2, 1, jury=2)
    assert runoff.is_called_for(VOTING, tally.count({1, 2}, tie, True)) == (1, 2)
    assert runoff.is_called_for(VOTING, tally.count({1, 2}, votes(1, 1, 2, 2, 3, jury=2), True)) == ()


@pytest.mark.parametrize(("planned", "lasts"), [(48.0, 12.0), (1.0, 0.5), (0.0, 0.5), (336.0, 24.0), (4.0, 1.0)])
def test_it_lasts_a_quarter_of_the_vote_but_half_an_hour_at_least_and_a_day_at_most(
    planned: float, lasts: float
) -> None:
    event = make_event(hours={EventStatus.VOTING: planned})
    assert runoff.length(event, HOUR) == lasts * HOUR


def test_the_run_off_decides_the_first_places_and_the_others_keep_theirs() -> None:
    first = votes(1, 1, 1, 2, 2, 2, 3, 3, 4)
    assert settled({1, 2, 3, 4}, first, votes(2, 2, 1), (1, 2)) == [(2, 1, 5), (1, 2, 4), (3, 3, 2), (4, 4, 1)]


def test_a_second_tie_shares_the_place() -> None:
    assert settled({1, 2, 3}, votes(1, 1, 2, 2, 3), votes(1, 2), (1, 2)) == [(1, 1, 3), (2, 1, 3), (3, 3, 1)]
    assert settled({1, 2}, votes(1, 2), [], (1, 2)) == [(1, 1, 1), (2, 1, 1)]


def test_who_is_left_of_the_tied_ones_wins_and_the_others_follow() -> None:
    """Entry 2 was withdrawn while it was voted on again."""
    assert settled({1, 3}, votes(1, 2, 3), votes(2, 2), (1, 2)) == [(1, 1, 1), (3, 2, 1)]
    assert settled({3, 4}, votes(1, 2, 3), [], (1, 2)) == [(3, 1, 1), (4, 2, 0)]


ENTRIES = st.sets(st.integers(1, 6), min_size=2)
CHOICES = st.lists(st.integers(1, 6), max_size=25)


@given(ENTRIES, CHOICES, CHOICES, st.data())
def test_both_votes_together_are_a_ranking(
    entries: set[int], one: list[int], two: list[int], data: st.DataObject
) -> None:
    """Everybody who stands has one place, ties share it and leave the next ones empty, and no vote is lost."""
    first = tally.count(entries, votes(*one), False)
    tied = runoff.is_called_for(VOTING, first)
    gone = data.draw(st.sets(st.sampled_from(sorted(entries))))
    left = entries - gone
    first = tally.count(left, votes(*one), False)
    second = tally.count([each for each in tied if each in left], votes(*two), False)
    both = runoff.settle(first, second, tied)
    assert {each.entry_id for each in both} == left
    for index, each in enumerate(both):
        assert each.place == 1 + sum(other.place < each.place for other in both)
        assert index == 0 or both[index - 1].place <= each.place
    assert sum(each.votes for each in both) == sum(each.votes for each in (*first, *second))
    assert {each.entry_id for each in both[: len(second)]} == {each for each in tied if each in left}
    if second and second[0].votes:
        assert all((each.place == 1) == (each.entry_id in top(second)) for each in both)


def top(second: tuple[tally.Standing, ...]) -> set[int]:
    return {each.entry_id for each in second if each.place == 1}
