"""How long the event loop was kept from its work."""

import asyncio


class LoopWatch:
    """Ticks every millisecond while entered; `gaps_s` are the times between two ticks, in seconds."""

    def __init__(self) -> None:
        self.gaps_s: list[float] = []
        self._last = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> "LoopWatch":
        self._last = asyncio.get_running_loop().time()
        self._tick()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()

    @property
    def usual_worst_s(self) -> float:
        """All but one in a hundred ticks were quicker; the rest is left to other programs on the machine."""
        return sorted(self.gaps_s)[int(len(self.gaps_s) * 0.99)]

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self.gaps_s.append(loop.time() - self._last)
        self._last = loop.time()
        self._handle = loop.call_later(0.001, self._tick)
