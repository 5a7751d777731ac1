"""Legal moves of jobs and events between their statuses. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

StatusT = TypeVar("StatusT", bound=StrEnum)


class IllegalMove(AssertionError):
    """A bug: the code asked for a move that the lifecycle does not allow."""


def check_move(moves: Mapping[StatusT, frozenset[StatusT]], old: StatusT, new: StatusT) -> None:
    """IllegalMove unless `moves` allows to go from `old` to `new`."""
    if new not in moves.get(old, frozenset()):
        raise IllegalMove(f"{old} -> {new}")
