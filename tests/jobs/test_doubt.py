"""When an answer that contradicts what we know is believed. Pure."""

from datetime import timedelta

import pytest

from bot.records.doubt import ANSWERS, Doubt, one_more, pause_of
from tests.fakes.clock import NOON

SPAN = timedelta(minutes=4)


def heard(*minutes: float) -> Doubt:
    """The doubt after contradicting answers so many minutes after noon."""
    doubt = None
    for each in minutes:
        doubt = one_more(doubt, NOON + timedelta(minutes=each))
    assert doubt is not None
    return doubt


@pytest.mark.parametrize(
    ("minutes", "is_over"),
    [
        ((0,), False),
        ((0, 1, 2, 3), False),
        ((0, 1, 2, 3, 4), True),
        ((0, 0, 0, 0, 0, 0, 3.9), False),
        ((0, 4), False),
        ((0, 24 * 60), False),
        ((0, 60, 60, 60, 60), True),
    ],
    ids=["once", "four times", "the whole span", "often and quickly", "twice", "a clock that jumps", "a restart"],
)
def test_only_what_was_claimed_often_and_long_enough_is_believed(minutes: tuple[float, ...], is_over: bool) -> None:
    assert heard(*minutes).is_over(SPAN, NOON + timedelta(minutes=minutes[-1])) is is_over


def test_asking_evenly_decides_when_the_span_is_over_and_not_sooner() -> None:
    steps = [pause_of(SPAN) * number for number in range(ANSWERS)]
    assert steps[-1] == SPAN
    doubts = [heard(*(step.total_seconds() / 60 for step in steps[: number + 1])) for number in range(ANSWERS)]
    said = [doubt.is_over(SPAN, NOON + step) for doubt, step in zip(doubts, steps, strict=True)]
    assert said == [False] * (ANSWERS - 1) + [True]


def test_a_clock_that_is_set_back_makes_the_doubt_neither_shorter_nor_hours_longer() -> None:
    doubt = heard(60, 61, 0)
    assert doubt == Doubt(NOON, 3)
    assert not doubt.is_over(SPAN, NOON)
