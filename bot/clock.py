"""The clock, the wakeups of the lanes, and every waiting time of Darkroom."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)

CREEP = timedelta(seconds=2)
"""A change of the time of day up to this is followed at once: it is how a clock is kept right."""
BELIEVED_AFTER_S = 300.0
"""Seconds that a larger change has to last before it is believed. What is deleted in time is deleted by this."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether the time of day has been the same for long enough to delete something because of it."""
        ...

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        """Return when `wake` is set or `until` has come, whichever is first (None: only `wake`)."""
        ...


def elapsed_s() -> float:
    """Seconds that have really passed since some moment; where the system tells, those of its sleep included."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only (man clock_gettime)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def time_of_day() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """The time of day, steadied by the time that has really passed.

    When somebody sets the computer's clock, this one goes on as before, and follows only when the change has lasted
    BELIEVED_AFTER_S: a single look at a wrong clock deletes nothing and holds nothing up. `read` and `elapsed` tell
    the time of day and the seconds that have passed.
    """

    def __init__(self, read: Callable[[], datetime] = time_of_day, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._read = read
        self._elapsed = elapsed
        self._known = read()
        self._begun_at = self._known_at = elapsed()
        self._doubted_since: float | None = None

    @property
    def is_settled(self) -> bool:
        """A clock may have been wrong already when the process began; by then somebody has set it right."""
        self.now()
        return self._doubted_since is None and self._elapsed() - self._begun_at >= BELIEVED_AFTER_S

    def now(self) -> datetime:
        elapsed, told = self._elapsed(), self._read()
        steady = self._known + timedelta(seconds=elapsed - self._known_at)
        if abs(told - steady) <= CREEP:
            self._doubted_since = None
        elif self._doubted_since is None:
            self._doubted_since = elapsed
            log.warning("The computer's clock was set by %s; that is believed when it lasts", told - steady)
            return steady
        elif elapsed - self._doubted_since < BELIEVED_AFTER_S:
            return steady
        self._known, self._known_at, self._doubted_since = told, elapsed, None
        return told

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        timeout = None if until is None else max(0.0, (until - self.now()).total_seconds())
        try:
            async with asyncio.timeout(timeout):
                await wake.wait()
        except TimeoutError:
            return


class Wakeups:
    """One asyncio event for each table of jobs.

    It is set when a row of the table becomes due, and cleared by the table's lane.
    """

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
    """Time between two polls of a running training."""
    generation_poll: timedelta = timedelta(seconds=2)
    """Time until a generation's first poll; grows by half up to `generation_poll_max` (Apiframe /docs/jobs/get)."""
    generation_poll_max: timedelta = timedelta(seconds=10)
    job_doubted: timedelta = timedelta(minutes=4)
    """How long a provider has to claim that a job which it took is not there before that is believed."""
    picture_doubted: timedelta = timedelta(seconds=60)
    """The same for a picture that was made."""
    picture_patience: timedelta = timedelta(seconds=4)
    """How long pictures that have come wait for the others of their set. Five looks of this length, and the span
    above between them, take less than 90 s."""
    key_doubted: timedelta = timedelta(seconds=80)
    """The same for a key that worked, and an order that is refused as if its key did not work."""
    settle: timedelta = timedelta(seconds=60)
    """How long to wait after a paid call of unknown outcome before looking for it at the provider."""
    lease: timedelta = timedelta(seconds=60)
    backoff_first: timedelta = timedelta(seconds=5)
    backoff_max: timedelta = timedelta(minutes=10)
    busy: timedelta = timedelta(seconds=60)
    """Wait after a 429 without Retry-After: it means the training cap, which does not change quickly."""
    training_deadline: timedelta = timedelta(hours=2)
    """After this a training counts as late, and an order of unknown outcome is given up."""
    give_up: timedelta = timedelta(hours=24)
    generation_deadline: timedelta = timedelta(minutes=10)
    post_deadline: timedelta = timedelta(hours=24)
    nonce_memory: timedelta = timedelta(seconds=30)
    """How long after the first try a post may be sent again under its nonce alone.

    Discord remembers a nonce for "the past few minutes", and one try may take 90 seconds.
    """
    photos_kept: timedelta = timedelta(hours=24)
    photos_kept_longest: timedelta = timedelta(days=7)
    """The same for a dataset whose member asks to keep it open."""
    pictures_kept: timedelta = timedelta(days=7)
    retired_key_kept: timedelta = timedelta(hours=24)
    removal_retry: timedelta = timedelta(hours=1)
    """Longest time between two tries to have something removed at a provider."""
    removal_key_kept: timedelta = timedelta(days=7)
    """How long a key that is out of use stays sealed for what is to be removed under it."""
    receipts_kept: timedelta = timedelta(days=365)
    details_kept: timedelta = timedelta(days=30)
    ledger_kept: timedelta = timedelta(days=365)
    """What the jobs of a server took, for its books, after `details_kept` without the member's id; and its log."""
    left_guild_kept: timedelta = timedelta(days=30)
    offer_open: timedelta = timedelta(days=7)
    """How long an offered LoRA waits for the receiver's answer."""
    question_open: timedelta = timedelta(hours=24)
    """How long the author of photos has to answer; no answer is a no."""
    claim_open: timedelta = timedelta(hours=72)
    """How long a LoRA rests whose owner and moderators do not decide; then it is retired."""
    sync: timedelta = timedelta(hours=6)
    """Time between two comparisons of a key's styles and LoRAs with the provider."""
    reachability: timedelta = timedelta(seconds=20)
    """How long to wait for a provider's signed test delivery."""
    panel: timedelta = timedelta(seconds=5)
    """Least time between two edits of an event's panel."""
    event_hour: timedelta = timedelta(hours=1)
    """Length of one hour of an event's stages; shorter only in the sandbox and in tests."""
    event_retry: timedelta = timedelta(minutes=5)
    """Time between two checks of what an event waits for: a key, credits, a provider that is down."""
    event_abandoned: timedelta = timedelta(days=3)
    """An event that has been paused for this long is cancelled, so that its photos are not kept longer."""
    event_photos_kept: timedelta = timedelta(hours=72)
    """An event's photos leave the disk at the latest this long after the planned end of collecting and reviewing."""
    gallery_open: timedelta = timedelta(days=30)
    """How long an event's gallery on the web can be seen, and its pictures are kept for that."""
    milestone: timedelta = timedelta(seconds=15)
    """Least time between two edits of a status message."""
