"""A loop whose time is nobody's: it jumps to the next timer as soon as nothing else is left to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Impatient(selectors.DefaultSelector):
    """Never waits; `skipped_s` is how long it was asked to."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits, and nothing will come"
            self.skipped_s += timeout
        return found


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._waited = _Impatient()
        super().__init__(self._waited)

    def time(self) -> float:
        return self._waited.skipped_s


def run_virtually(work: Coroutine[Any, Any, Result]) -> Result:
    """For what waits for timers alone: no sockets, no threads."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
