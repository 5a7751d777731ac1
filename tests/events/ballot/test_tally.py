"""Counting: one vote each, in any order, a jury that weighs half, ties that share a place."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events.ballot.tally import Standing, count, rule_words
from bot.records.ballot import Vote
from tests.fakes.clock import NOON

ENTRIES = (1, 2, 3, 4)
GONE = 9
JURY = frozenset({1, 2, 3})


def vote(number: int, voter_id: int, entry_id: int, *, is_jury: bool = False) -> Vote:
    """`number` says when it was cast."""
    return Vote(number, 1, entry_id, voter_id, is_jury, NOON + timedelta(seconds=number))


def places(standings: Sequence[Standing]) -> dict[int, int]:
    return {one.entry_id: one.place for one in standings}


@st.composite
def ballots(draw: st.DrawFn) -> list[Vote]:
    """Members vote, some more than once, some for an entry that is gone; voters 1 to 3 are the jury."""
    cast = draw(st.lists(st.tuples(st.integers(1, 12), st.sampled_from((*ENTRIES, GONE))), max_size=30))
    return [vote(number, voter, entry, is_jury=voter in JURY) for number, (voter, entry) in enumerate(cast)]


def valid(votes: Sequence[Vote]) -> list[Vote]:
    last = {one.voter_id: one for one in votes}
    return [one for one in last.values() if one.entry_id in ENTRIES]


@given(votes=ballots(), has_jury=st.booleans())
def test_every_member_counts_once_and_with_their_newest_vote(votes: list[Vote], has_jury: bool) -> None:
    standings = count(ENTRIES, votes, has_jury)
    counted = {one.entry_id: one.votes for one in standings}
    assert counted == {entry: sum(one.entry_id == entry for one in valid(votes)) for entry in ENTRIES}
    assert sum(counted.values()) == len(valid(votes))


@given(votes=ballots(), has_jury=st.booleans(), data=st.data())
def test_the_order_of_votes_and_entries_changes_nothing(votes: list[Vote], has_jury: bool, data: st.DataObject) -> None:
    shuffled, entries = data.draw(st.permutations(votes)), data.draw(st.permutations(ENTRIES))
    assert count(entries, shuffled, has_jury) == count(ENTRIES, votes, has_jury)


@given(
    votes=ballots(),
    has_jury=st.booleans(),
    entry=st.sampled_from(ENTRIES),
    of_jury=st.booleans(),
    is_new=st.booleans(),
)
def test_a_vote_never_hurts_its_entry(
    votes: list[Vote], has_jury: bool, entry: int, of_jury: bool, is_new: bool
) -> None:
    """Neither that of somebody new nor that of somebody who had voted for another entry."""
    newcomer = (50 if of_jury else 60) if is_new else (1 if of_jury else 12)
    before = count(ENTRIES, votes, has_jury)
    after = count(ENTRIES, [*votes, vote(100, newcomer, entry, is_jury=of_jury)], has_jury)
    assert places(after)[entry] <= places(before)[entry]
    score = {one.entry_id: one.score for one in before}[entry]
    assert {one.entry_id: one.score for one in after}[entry] >= score


@given(votes=ballots())
def test_without_a_jury_most_votes_win_and_equally_many_share_the_place(votes: list[Vote]) -> None:
    standings = count(ENTRIES, votes, has_jury=False)
    for one in standings:
        assert one.place == 1 + sum(other.votes > one.votes for other in standings)
        assert one.jury_votes == 0
    assert [one.place for one in standings] == sorted(one.place for one in standings)


@given(votes=ballots())
def test_a_jury_makes_half_of_the_score(votes: list[Vote]) -> None:
    cast = valid(votes)
    jury, others = [one for one in cast if one.is_jury], [one for one in cast if not one.is_jury]
    standings = count(ENTRIES, votes, has_jury=True)
    for one in standings:
        shares = [
            Fraction(sum(vote.entry_id == one.entry_id for vote in group), len(group))
            for group in (jury, others)
            if group
        ]
        assert one.score == sum(shares, Fraction(0)) / max(1, len(shares))
        ahead = [(other.score, other.jury_votes) > (one.score, one.jury_votes) for other in standings]
        assert one.place == 1 + sum(ahead)
    assert sum(one.score for one in standings) == (1 if cast else 0)


def test_three_of_the_jury_outweigh_more_of_the_others() -> None:
    """Entry 1: all of the jury and a fifth of the others, 0.6; entry 2: four fifths of the others, 0.4."""
    jury = [vote(number, number, 1, is_jury=True) for number in (1, 2, 3)]
    others = [vote(10, 10, 1), *(vote(number, number, 2) for number in (11, 12, 13, 14))]
    first, second = count((1, 2), [*jury, *others], has_jury=True)
    assert (first.entry_id, first.score, first.votes, first.jury_votes) == (1, Fraction(3, 5), 4, 3)
    assert (second.entry_id, second.score, second.place) == (2, Fraction(2, 5), 2)


def test_on_equal_scores_the_jury_decides() -> None:
    votes = [vote(1, 1, 1, is_jury=True), vote(2, 10, 2)]
    assert places(count((1, 2), votes, has_jury=True)) == {1: 1, 2: 2}
    assert places(count((1, 2), votes, has_jury=False)) == {1: 1, 2: 1}


def test_after_a_tie_the_next_place_stays_empty() -> None:
    votes = [vote(number, number, entry) for number, entry in enumerate((1, 1, 2, 2, 3), start=10)]
    assert places(count((1, 2, 3), votes, has_jury=False)) == {1: 1, 2: 1, 3: 3}


def test_nobody_voted() -> None:
    assert count((), [], has_jury=True) == ()
    assert [(one.place, one.score) for one in count((1, 2), [], has_jury=True)] == [(1, Fraction(0))] * 2


@pytest.mark.parametrize("has_jury", [False, True])
def test_the_rule_is_said_with_its_tie(has_jury: bool) -> None:
    words = rule_words(has_jury, may_run_off=False)
    assert "one vote" in words
    assert "share the place" in words
    assert ("jury" in words) is has_jury
