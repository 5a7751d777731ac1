"""The rules of a training: every legal and illegal move, and whose turn it is."""

import secrets
import string
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot.jobs.lifecycle import IllegalMove
from bot.records.training import TrainingStatus
from bot.training import lifecycle
from bot.training.lifecycle import MOVES, NAME_MAX, check_move, marked_name, new_marker, training_cost

S = TrainingStatus
FORWARD = [S.QUEUED, S.SUBMITTING, S.SUBMITTED, S.TRAINING, S.READY]

LEGAL = {
    (S.QUEUED, S.QUEUED),
    (S.QUEUED, S.SUBMITTING),
    (S.QUEUED, S.FAILED),
    (S.QUEUED, S.CANCELLED),
    (S.SUBMITTING, S.SUBMITTING),
    (S.SUBMITTING, S.QUEUED),
    (S.SUBMITTING, S.SUBMITTED),
    (S.SUBMITTING, S.FAILED),
    (S.SUBMITTED, S.SUBMITTED),
    (S.SUBMITTED, S.TRAINING),
    (S.SUBMITTED, S.READY),
    (S.SUBMITTED, S.FAILED),
    (S.TRAINING, S.TRAINING),
    (S.TRAINING, S.READY),
    (S.TRAINING, S.FAILED),
}


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_exactly_the_moves_of_the_design_are_legal(old: TrainingStatus, new: TrainingStatus) -> None:
    if (old, new) in LEGAL:
        check_move(old, new)
    else:
        with pytest.raises(IllegalMove, match=f"{old} -> {new}"):
            check_move(old, new)


class Walk(RuleBasedStateMachine):
    """A training pushed in any direction at any time: only its own rules hold it."""

    ends: ClassVar[set[TrainingStatus]] = set()
    """How the trainings of a run have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.status = S.QUEUED
        self.orders_on_their_way = 0
        self.ended_as: TrainingStatus | None = None

    @rule(to=st.sampled_from(S))
    def push(self, to: TrainingStatus) -> None:
        try:
            check_move(self.status, to)
        except IllegalMove:
            return
        if self.status.is_terminal:
            raise AssertionError("it left a terminal status")
        if (self.status, to) == (S.QUEUED, S.SUBMITTING):
            self.orders_on_their_way += 1
        if (self.status, to) == (S.SUBMITTING, S.QUEUED):
            self.orders_on_their_way -= 1  # only with the proof that there is none
        self.status = to
        self.ended_as = to if to.is_terminal else None
        if to.is_terminal:
            self.ends.add(to)

    @invariant()
    def at_most_one_order_is_out(self) -> None:
        assert self.orders_on_their_way in {0, 1}

    @invariant()
    def what_is_with_the_provider_was_ordered(self) -> None:
        if self.status in {S.SUBMITTED, S.TRAINING, S.READY}:
            assert self.orders_on_their_way == 1

    @invariant()
    def an_end_is_an_end(self) -> None:
        assert self.ended_as is None or self.status is self.ended_as


def test_no_order_of_events_sends_two_orders_or_leaves_an_end() -> None:
    Walk.ends.clear()
    run_state_machine_as_test(Walk)
    assert Walk.ends
    assert all(each.is_terminal for each in Walk.ends)


def test_every_status_can_still_come_to_an_end() -> None:
    reach = {status: set(MOVES[status]) for status in S}
    for _ in S:
        for status in S:
            reach[status] |= {further for step in reach[status] for further in MOVES[step]}
    for status in S:
        assert status.is_terminal or any(end.is_terminal for end in reach[status])
        assert status.is_terminal == (not MOVES[status])


NAMES = st.text(min_size=1, max_size=80)


@given(NAMES)
def test_the_name_at_the_provider_fits_and_holds_the_whole_marker(name: str) -> None:
    marker = new_marker(secrets.token_bytes(64))
    marked = marked_name(name, marker)
    assert len(marked) <= NAME_MAX
    assert marked.endswith(f" ·{marker}")
    assert name.startswith(marked.removesuffix(f" ·{marker}"))


def test_markers_are_six_plain_letters_or_digits_and_do_not_repeat() -> None:
    markers = {new_marker(secrets.token_bytes(64)) for _ in range(2000)}
    assert len(markers) >= 1999
    assert all(len(marker) == lifecycle.MARKER_LENGTH for marker in markers)
    assert set("".join(markers)) <= set(string.ascii_lowercase + string.digits) - set("il01o")


CREDITS = st.none() | st.integers(0, 1000)


@given(price=st.integers(0, 300), before=CREDITS, after=CREDITS)
def test_a_training_costs_what_the_balance_says_unless_something_else_moved_it(
    price: int, before: int | None, after: int | None
) -> None:
    cost = training_cost(price, before, after)
    if before is not None and after is not None and before - price <= after <= before:
        assert cost == before - after
    else:
        assert cost == price
