"""The engine: claims due rows under a lease and runs one step for each. Knows no Discord and no provider."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform
from typing import Any

from bot.clock import Clock, Timings
from bot.errors import StorageTrouble
from bot.process.log import bind
from bot.process.supervision import Supervisor
from bot.process.tracing import span
from bot.storage.due import Claim, DueRows, LeaseLost
from bot.storage.rows import LOOKS_EVERY
from bot.storage.writer import patient_writes

log = logging.getLogger(__name__)

RECENT = 2 * LOOKS_EVERY
GONE_BACK = timedelta(seconds=1)
"""By so much a clock goes back only when somebody has set it."""


@dataclass(slots=True)
class Lane:
    """The jobs of one table. `advance` runs one step of one row; `concurrency` steps run at once."""

    name: str
    rows: DueRows[Any]
    advance: Callable[[Claim[Any]], Awaitable[None]]
    concurrency: int
    running: dict[asyncio.Task[None], Claim[Any]] = field(default_factory=dict)
    looked_at: datetime | None = None


def backoff(attempt: int, *, first: timedelta, ceiling: timedelta) -> timedelta:
    """Doubling wait with jitter (80-120 %) for the given attempt, counted from 0."""
    doubled: timedelta = min(first * 2 ** min(attempt, 30), ceiling)
    return doubled * uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret


class Engine:
    """Runs lanes until cancelled.

    `owner` is new at every start, so that a lease of an earlier process is never taken for ours.
    """

    def __init__(self, lanes: Sequence[Lane], *, clock: Clock, timings: Timings) -> None:
        self._lanes = lanes
        self._clock = clock
        self._timings = timings
        self.owner = secrets.token_hex(8)
        self._renewed_at: datetime | None = None

    def is_alive(self) -> bool:
        """Whether every lane has looked for due rows, and leases were renewed, within RECENT."""
        now = self._clock.now()
        looks = [self._renewed_at, *(lane.looked_at for lane in self._lanes)]
        return all(look is not None and now - look < RECENT for look in looks)

    async def run(self) -> None:
        """Run all lanes until cancelled.

        No other process works on these rows, so leases that an earlier one left behind are released first.
        Raises StartupError when a lane or the renewal ends, which neither does by itself.
        """
        with patient_writes():
            for lane in self._lanes:
                await lane.rows.release_all()
            parts = {f"lane-{lane.name}": self._run_lane(lane) for lane in self._lanes}
            await Supervisor().run(parts | {"lease-renewal": self._renew_leases()})

    async def _run_lane(self, lane: Lane) -> None:
        failures = 0
        wake = lane.rows.wake
        try:
            while True:
                wake.clear()
                before, lane.looked_at = lane.looked_at, self._clock.now()
                try:
                    if before is None or lane.looked_at < before - GONE_BACK:
                        await lane.rows.pull_in(now=lane.looked_at)
                    until = await self._start_due(lane)
                    failures = 0
                except Exception:  # the loop must outlive a sick database
                    failures += 1
                    if failures == 1:
                        log.exception("The %s lane cannot read its rows; it keeps trying", lane.name)
                    until = self._clock.now() + backoff(failures, first=timedelta(seconds=1), ceiling=LOOKS_EVERY)
                await self._clock.wait(wake, until)
        finally:
            await self._stop(lane)

    async def _start_due(self, lane: Lane) -> datetime:
        """Start a step for every row that can be claimed; returns when to look again."""
        idle_until = self._clock.now() + LOOKS_EVERY
        while (free := lane.concurrency - len(lane.running)) > 0:
            is_settled = self._clock.is_settled
            due = await lane.rows.next_due(is_settled=is_settled)
            now = self._clock.now()
            if due is None or due > now:
                return idle_until if due is None else min(due, idle_until)
            until = now + self._timings.lease
            claims = await lane.rows.claim(owner=self.owner, now=now, until=until, limit=free, is_settled=is_settled)
            if not claims:
                return min(now + timedelta(seconds=1), idle_until)
            for claim in claims:
                self._start(lane, claim)
        return idle_until

    def _start(self, lane: Lane, claim: Claim[Any]) -> None:
        before = [task for task, busy in lane.running.items() if busy.id == claim.id]
        task = asyncio.create_task(self._step(lane, claim, before), name=f"{lane.name}-{claim.id}")
        lane.running[task] = claim
        task.add_done_callback(lambda done: self._done(lane, done))

    def _done(self, lane: Lane, task: asyncio.Task[None]) -> None:
        lane.running.pop(task, None)
        lane.rows.wake.set()

    async def _step(self, lane: Lane, claim: Claim[Any], before: Sequence[asyncio.Task[None]]) -> None:
        """Run one step, after the steps `before` of the same row have ended.

        There is one when it is about to end, or when the computer was suspended for longer than its lease.
        Trouble with the disk says nothing of the row: how often it was tried does not count then.
        """
        job = f"{lane.name}-{claim.id}"
        with bind(job=job):
            try:
                if before:
                    await asyncio.wait(before)
                    if not await lane.rows.holds(claim, now=self._clock.now()):
                        return
                with span(f"step {lane.name}", job=job):
                    await lane.advance(claim)
            except LeaseLost:
                log.info("Dropped a step: the row has moved on")
            except StorageTrouble:
                log.exception("A step could not be stored; it is tried again soon")
                await self._postpone(lane, claim, self._timings.poll)
            except Exception:
                log.exception("A step failed; it is tried again later")
                attempt = getattr(claim.row, "attempt", 0)
                wait = backoff(attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)
                await self._postpone(lane, claim, wait)

    async def _postpone(self, lane: Lane, claim: Claim[Any], wait: timedelta) -> None:
        try:
            await lane.rows.postpone(claim, due_at=self._clock.now() + wait)
        except Exception:
            log.exception("The row could not be given back; its lease will end by itself")

    async def _renew_leases(self) -> None:
        """Renew the leases of running steps, so that a long one (a slow upload) keeps its row."""
        never = asyncio.Event()
        while True:
            self._renewed_at = self._clock.now()
            await self._clock.wait(never, self._renewed_at + self._timings.lease / 3)
            for lane in self._lanes:
                if lane.running:
                    try:
                        await lane.rows.renew(
                            list(lane.running.values()), until=self._clock.now() + self._timings.lease
                        )
                    except Exception:
                        log.exception("Leases of the %s lane could not be renewed", lane.name)

    async def _stop(self, lane: Lane) -> None:
        """Cancel the lane's steps; their rows can be claimed again when the lease ends or at the next start."""
        for task in list(lane.running):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*lane.running, return_exceptions=True)
