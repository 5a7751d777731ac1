"""An event loop whose time leaps to the next timer, so that waits cost nothing and their lengths are exact."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LeapingSelector(selectors.DefaultSelector):
    """Where the loop would wait for its next timer, the wait is added to `now`. Nothing else may be waited for.

    A turn takes a microsecond at least: a timer that is rounded to the present would be set again for ever.
    """

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is left that could happen"
        self.now += max(timeout, 1e-6)
        return super().select(0)


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = LeapingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run_on_leaping_time(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(work)
