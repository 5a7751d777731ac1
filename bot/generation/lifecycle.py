"""The status moves of a generation. Pure."""

from collections.abc import Mapping
from functools import partial

from bot.jobs import lifecycle as legal
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


check_move = partial(legal.check_move, MOVES)
