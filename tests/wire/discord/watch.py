"""Waiting for the stand-in's state to become something, without sleeping."""

import asyncio
from collections.abc import Callable

from tests.fakes.waiting import HANG_S


def now_s() -> float:
    """Seconds on the event loop's clock, by which the stand-in remembers and forgets."""
    return asyncio.get_running_loop().time()


class Watch:
    """Wakes everyone who waits whenever anything in the stand-in has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def changed(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, predicate: Callable[[], object], what: str, seconds: float = HANG_S) -> None:
        """Return once `predicate()` is true; an AssertionError names `what` when it is not within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not predicate():
                    await self._event.wait()
        except TimeoutError:
            raise AssertionError(f"{what} did not happen within {seconds} s") from None
