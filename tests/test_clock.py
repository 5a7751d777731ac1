"""Waiting on clocks, and waking lanes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import Clock, SystemClock, Wakeups
from tests.fakes.clock import NOON, ManualClock
from tests.fakes.waiting import HANG_S, eventually


async def test_the_system_clock_wakes_at_the_bell_long_before_the_time() -> None:
    wake = asyncio.Event()
    waiting = asyncio.create_task(SystemClock().wait(wake, datetime.now(UTC) + timedelta(hours=1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    wake.set()
    async with asyncio.timeout(HANG_S):
        await waiting


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=1), timedelta(milliseconds=-5)])
async def test_the_system_clock_wakes_at_its_time_without_being_woken(ago: timedelta) -> None:
    async with asyncio.timeout(HANG_S):
        wake = asyncio.Event()
        await SystemClock().wait(wake, datetime.now(UTC) - ago)
    assert not wake.is_set()


def test_the_system_clock_speaks_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


async def test_a_wake_before_anybody_waits_is_not_lost() -> None:
    wakeups = Wakeups()
    wakeups.wake("a", "a")
    async with asyncio.timeout(HANG_S):
        await SystemClock().wait(wakeups.event("a"), None)
    assert wakeups.event("a").is_set()


async def test_a_wake_reaches_only_its_own_table() -> None:
    wakeups = Wakeups()
    wakeups.wake("a", "b")
    assert [wakeups.event(lane).is_set() for lane in ("a", "b", "c")] == [True, True, False]


async def test_turning_the_manual_clock_wakes_exactly_those_whose_time_has_come() -> None:
    clock: Clock = ManualClock()
    assert isinstance(clock, ManualClock)
    early = asyncio.create_task(clock.wait(asyncio.Event(), NOON + timedelta(seconds=10)))
    late = asyncio.create_task(clock.wait(asyncio.Event(), NOON + timedelta(seconds=20)))
    await eventually(lambda: len(clock.sleeping_until) == 2)
    clock.advance(timedelta(seconds=10))
    await early
    assert not late.done()
    clock.advance(timedelta(seconds=10))
    await late
    assert clock.sleeping_until == []
