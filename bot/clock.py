"""Time: the clock everything reads, and every waiting time of Darkroom."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        """Return when `wake` is set or `until` has come, whichever is first (None: only `wake`)."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        timeout = None if until is None else max(0.0, (until - self.now()).total_seconds())
        try:
            async with asyncio.timeout(timeout):
                await wake.wait()
        except TimeoutError:
            return


class Wakeups:
    """One event for each table of jobs; set when one of its rows has been made due, cleared by the table's lane."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def event(self, table: str) -> asyncio.Event:
        return self._events.setdefault(table, asyncio.Event())

    def wake(self, *tables: str) -> None:
        for table in tables:
            self.event(table).set()


@dataclass(frozen=True, slots=True)
class Timings:
    """Every waiting time in one place; the sandbox and the tests use shorter ones."""

    poll: timedelta = timedelta(seconds=20)
    """Between looks at a running training."""
    generation_poll: timedelta = timedelta(seconds=2)
    """First look at a running generation; grows by half up to `generation_poll_max` (Apiframe /docs/jobs/get)."""
    generation_poll_max: timedelta = timedelta(seconds=10)
    settle: timedelta = timedelta(seconds=60)
    """How long a paid call of unknown outcome is left alone before we look for it."""
    lease: timedelta = timedelta(seconds=60)
    backoff_first: timedelta = timedelta(seconds=5)
    backoff_max: timedelta = timedelta(minutes=10)
    busy: timedelta = timedelta(seconds=60)
    """After a 429 without Retry-After: the training cap, so nothing changes quickly."""
    training_deadline: timedelta = timedelta(hours=2)
    """Past it a training is called late, or an order of unknown outcome is given up."""
    give_up: timedelta = timedelta(hours=24)
    generation_deadline: timedelta = timedelta(minutes=10)
    post_deadline: timedelta = timedelta(hours=24)
    nonce_memory: timedelta = timedelta(seconds=30)
    """How long after the first try a post may be sent again under its nonce alone. Discord remembers one for "the past
    few minutes", and one try may take 90 seconds."""
    photos_kept: timedelta = timedelta(hours=24)
    pictures_kept: timedelta = timedelta(days=7)
    retired_key_kept: timedelta = timedelta(hours=24)
    details_kept: timedelta = timedelta(days=30)
    left_guild_kept: timedelta = timedelta(days=30)
    offer_open: timedelta = timedelta(days=7)
    """How long a LoRA that was offered to somebody waits for an answer."""
    sync: timedelta = timedelta(hours=6)
    """Between comparisons of the styles and LoRAs under a key with the provider."""
    reachability: timedelta = timedelta(seconds=20)
    """How long a signed test delivery of a provider is waited for."""
    panel: timedelta = timedelta(seconds=5)
    """An event's panel is edited at most this often, however many take part."""
    event_hour: timedelta = timedelta(hours=1)
    """What one hour of an event's stages lasts; shorter only in the sandbox and in tests."""
    event_retry: timedelta = timedelta(minutes=5)
    """Between looks of an event at what it waits for: a key, credits, a provider that is down."""
    event_abandoned: timedelta = timedelta(days=3)
    """An event that has been paused for this long is cancelled, so that photos do not lie around."""
    event_photos_kept: timedelta = timedelta(hours=72)
    """After the planned end of collecting and reviewing; the photos of an event leave the disk then at the latest."""
    milestone: timedelta = timedelta(seconds=15)
    """A status message is edited at most this often."""
