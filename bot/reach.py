"""What Discord takes just now: whether it answers at all, which places are closed, one call at a time in each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from weakref import WeakValueDictionary

from bot.clock import Clock
from bot.engine import backoff
from bot.ports import NotNow, PlaceRefused
from bot.process.tracing import span
from bot.records.guild import Place
from bot.records.post import PostKind

FAILURES = 4
"""So many in a row are no accident: discord.py has tried most of them five times by then."""
PROBED_EVERY = timedelta(minutes=1)
CLOSED_FOR = timedelta(minutes=1)
"""10,000 refusals in ten minutes ban an address (Discord /docs/topics/rate-limits)."""


class Act(StrEnum):
    SEND = "send"
    EDIT = "edit"
    OTHER = "other"


class CircuitBreaker:
    """Open while nothing should be sent. Afterwards a few posts try, and one success ends it."""

    def __init__(self, first: timedelta) -> None:
        self._first = first
        self._failures = 0
        self._openings = 0
        self.open_until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.open_until is not None and now < self.open_until

    def fail(self, now: datetime, retry_after: timedelta | None) -> None:
        """Discord did not answer, or takes nothing from this address for `retry_after`."""
        self._failures += 1
        if not self.is_open(now) and (retry_after is not None or self._failures >= FAILURES):
            pause = backoff(self._openings, first=self._first, ceiling=PROBED_EVERY)
            self.open_until = now + (retry_after or pause)
            self._openings += 1

    def succeed(self) -> bool:
        """Discord has answered; whether that ends an outage."""
        had_opened = self._openings > 0
        self._failures, self._openings, self.open_until = 0, 0, None
        return had_opened


class Reach:
    """`recovered` is awaited when Discord takes calls again after an outage."""

    def __init__(self, clock: Clock, first_pause: timedelta, recovered: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._recovered = recovered
        self._breaker = CircuitBreaker(first_pause)
        self._turns: WeakValueDictionary[Place, asyncio.Lock] = WeakValueDictionary()
        self._closed_until: dict[tuple[Place, PostKind, Act], datetime] = {}

    @property
    def out_until(self) -> datetime | None:
        """When the next call may be tried; None when Discord answers."""
        return self._breaker.open_until if self._breaker.is_open(self._clock.now()) else None

    @contextlib.asynccontextmanager
    async def turn(self, place: Place, kind: PostKind, act: Act) -> AsyncIterator[None]:
        """For one call about a post of this kind.

        PlaceRefused when this place has just refused the like, NotNow while Discord takes nothing: each further call
        would be counted against the bot. Calls for one place go one after the other, because discord.py lets more
        through than a channel may have when several are under way.
        """
        lock = self._turns.setdefault(place, asyncio.Lock())
        async with lock:
            self._check(place, kind, act)
            try:
                with span(f"discord {act}", post=kind):
                    yield
            except PlaceRefused as error:
                if error.is_closed:
                    self._close(place, kind, act)
                await self._answered()
                raise
            except NotNow as error:
                if error.is_outage:
                    self._breaker.fail(self._clock.now(), error.retry_after)
                raise
            await self._answered()

    def _check(self, place: Place, kind: PostKind, act: Act) -> None:
        now, out_until = self._clock.now(), self.out_until
        if out_until is not None:
            raise NotNow("Discord takes nothing just now", retry_after=out_until - now)
        closed_until = self._closed_until.get((place, kind, act))
        if closed_until is not None and now < closed_until:
            raise PlaceRefused("this place has just refused another post")

    def _close(self, place: Place, kind: PostKind, act: Act) -> None:
        now = self._clock.now()
        self._closed_until = {key: until for key, until in self._closed_until.items() if until > now}
        self._closed_until[place, kind, act] = now + CLOSED_FOR

    async def _answered(self) -> None:
        if self._breaker.succeed():
            await self._recovered()
