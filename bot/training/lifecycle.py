"""The status moves of a training, its marker and its cost. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from bot.jobs import lifecycle as legal
from bot.records.training import TrainingStatus

S = TrainingStatus

MOVES: Mapping[TrainingStatus, frozenset[TrainingStatus]] = {
    S.QUEUED: frozenset({S.QUEUED, S.SUBMITTING, S.FAILED, S.CANCELLED}),
    # Back to queued only when it is certain that the provider did not take the order.
    S.SUBMITTING: frozenset({S.SUBMITTING, S.QUEUED, S.SUBMITTED, S.FAILED}),
    S.SUBMITTED: frozenset({S.SUBMITTED, S.TRAINING, S.READY, S.FAILED}),
    S.TRAINING: frozenset({S.TRAINING, S.READY, S.FAILED}),
    S.READY: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}

MARKER_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
MARKER_LENGTH = 6
_MARKED = re.compile(rf" ?·([{MARKER_ALPHABET}]{{{MARKER_LENGTH}}})$")
NAME_MAX = 60
"""Characters of a LoRA's name (Apiframe /docs/loras/create)."""
LOOK_BACK = timedelta(days=1)
"""The search for a LoRA begins this long before our own note of sending, because clocks differ."""


check_move = partial(legal.check_move, MOVES)


def new_marker(source: bytes) -> str:
    """Six characters that are not mistaken when read aloud, unique enough within one account (31**6 is 887 million)."""
    return "".join(MARKER_ALPHABET[byte % len(MARKER_ALPHABET)] for byte in source[:MARKER_LENGTH])


def marked_name(name: str, marker: str) -> str:
    """The LoRA's name at the provider, within 60 characters; the marker in it lets us find the LoRA again."""
    tail = f" ·{marker}"
    return name[: NAME_MAX - len(tail)].rstrip() + tail


def marker_of(name: str) -> str | None:
    """The marker in the name of a LoRA at the provider; None when there is none, so that Darkroom never ordered it."""
    marked = _MARKED.search(name)
    return None if marked is None else marked[1]


def training_cost(price: int, before: int | None, after: int | None) -> int:
    """Credits that one training took: the difference of the balances, or `price` if that cannot be its cost."""
    if before is None or after is None or not 0 <= before - after <= price:
        return price
    return before - after
