"""A clock that stands still until a test turns it."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock

NOON = datetime(2026, 4, 25, 12, tzinfo=UTC)


class ManualClock:
    """Implements `bot.clock.Clock`; calling it gives the time too, as the rehearsal server wants it."""

    def __init__(self, moment: datetime = NOON) -> None:
        self._moment = moment
        self.is_settled = True
        self._sleepers: dict[asyncio.Event, datetime] = {}

    def __call__(self) -> datetime:
        return self._moment

    def now(self) -> datetime:
        return self._moment

    def set_back(self, step: timedelta) -> None:
        """Somebody has set the computer's clock, and it was believed."""
        self._moment -= step

    @property
    def sleeping_until(self) -> list[datetime]:
        """When those who wait for a time want to be woken, soonest first."""
        return sorted(self._sleepers.values())

    def advance(self, step: timedelta) -> None:
        """Turn the clock on and wake everybody whose time has come."""
        self._moment += step
        for rung, until in self._sleepers.items():
            if until <= self.now():
                rung.set()

    def stand_still_for(self, step: timedelta) -> None:
        """The computer was suspended: time has gone by, and nobody has been woken yet."""
        self._moment += step

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        if wake.is_set() or (until is not None and until <= self.now()):
            return
        rung = asyncio.Event()
        if until is not None:
            self._sleepers[rung] = until
        waits = [asyncio.create_task(event.wait()) for event in (wake, rung)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._sleepers.pop(rung, None)
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


class SetClock(ManualClock):
    """A computer's clock that is `set_by` so much wrong, as Darkroom sees it; called, it gives the true time."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = timedelta()
        self._system = SystemClock(lambda: self() + self.set_by, self._passed_s)

    def now(self) -> datetime:
        return self._system.now()

    def _passed_s(self) -> float:
        return (self() - NOON).total_seconds()
