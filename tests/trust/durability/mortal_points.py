"""Deaths within this process: at a named point a life ends, and nothing of it is written or sent any more."""

import contextlib
import random
from collections.abc import Iterator

import pytest

from tests.events.lives.event_faults import Killed
from tests.wire.kills.points import instrument_work

__all__ = ["Killed", "MortalPoints", "mortal"]


class MortalPoints:
    """Passed by name, as those of the kill test; `begin` says where the next life ends."""

    def __init__(self) -> None:
        self._tries: dict[str, int] = {}
        self._target: str | None = None
        self._left = 0
        self._is_dead = False

    def begin(self, target: str | None, nth: int = 1) -> None:
        """A new life ends at the nth pass of `target`; None: it lives on."""
        self._target, self._left, self._is_dead = target, nth, False
        if target is not None:
            self._tries[target] = self._tries.get(target, 0) + 1

    def least_tried(self, dice: random.Random) -> str | None:
        """Of the points that were passed so far."""
        return min(sorted(self._tries), key=lambda point: (self._tries[point], dice.random()), default=None)

    def __call__(self, name: str) -> None:
        if name.endswith(": inside"):
            return  # on the thread of the connection; what dies there was not committed, as with ": before"
        if self._is_dead:
            raise Killed
        self._tries.setdefault(name, 0)
        if name == self._target:
            self._left -= 1
            if not self._left:
                self._is_dead = True
                raise Killed


@contextlib.contextmanager
def mortal() -> Iterator[MortalPoints]:
    points = MortalPoints()
    with pytest.MonkeyPatch.context() as patch:
        instrument_work(points, patch.setattr)
        yield points
