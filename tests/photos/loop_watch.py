"""How long the event loop was kept from its work."""

import asyncio


class LoopWatch:
    """Ticks every millisecond while entered; `longest_s` is the longest time between two ticks."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.ticks = 0
        self._last = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> "LoopWatch":
        self._last = asyncio.get_running_loop().time()
        self._tick()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self.longest_s = max(self.longest_s, loop.time() - self._last)
        self._last = loop.time()
        self.ticks += 1
        self._handle = loop.call_later(0.001, self._tick)
