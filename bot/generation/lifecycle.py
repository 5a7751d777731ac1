"""Which moves a generation may make. Pure."""

from collections.abc import Mapping

from bot.records.generation import GenerationStatus

S = GenerationStatus

MOVES: Mapping[GenerationStatus, frozenset[GenerationStatus]] = {
    S.QUEUED: frozenset({S.SUBMITTING, S.FAILED}),
    S.SUBMITTING: frozenset({S.SUBMITTED, S.FAILED}),
    S.SUBMITTED: frozenset({S.FETCHING, S.FAILED}),
    S.FETCHING: frozenset({S.READY, S.FAILED}),
    S.READY: frozenset(),
    S.FAILED: frozenset(),
}


class IllegalMove(AssertionError):
    """A bug: the code asked for a move the lifecycle does not know."""


def check_move(old: GenerationStatus, new: GenerationStatus) -> None:
    if new not in MOVES[old]:
        raise IllegalMove(f"{old} -> {new}")
