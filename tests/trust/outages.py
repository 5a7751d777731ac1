"""T15: Discord answers one call in ten with an error, and then nothing at all for ten minutes."""

import asyncio
import random
from datetime import datetime, timedelta

import pytest

from bot import reach
from tests.fakes.loop import with_leaping_time
from tests.trust.desk import Desk, open_desk
from tests.trust.row import Row, Score
from tests.wire.discord import faults
from tests.wire.discord.faults import Fault, Rule

SHARE = 0.1
STATUSES = (500, 502, 503, 504)
OUTAGE_S = 600.0
PER_SECOND = 45
LATE = 1.2
REPEATS_S = 25 + 5 + 10
"""What discord.py waits before its five tries of one call are over, and our first two pauses."""
AWAY: dict[str, Fault] = {
    "away with 503": faults.server_error(503),
    "away with 502": faults.server_error(502),
    "away without an answer": faults.dropped(),
    "away with resets": faults.reset(),
}
CALLS_EACH_MINUTE = 60
"""While Discord is away, however much waits."""


async def fail_sometimes(messages: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    await with_leaping_time(lambda: _sometimes(score, messages))
    for name, fault in AWAY.items():
        each = max(messages // len(AWAY), 1)
        await with_leaping_time(lambda name=name, fault=fault, each=each: _away(score, each, name, fault, dice))  # type: ignore[misc]
    return score


async def _fill(desk: Desk, messages: int) -> None:
    for _ in range(messages):
        owner = desk.person()
        await desk.post([desk.channel(), owner], owner)


async def _sometimes(score: Score, messages: int) -> None:
    async with open_desk() as desk:
        await _fill(desk, messages)
        rules: dict[str, Rule] = {
            str(status): desk.standin.faults.add(
                "POST", "/channels/*", faults.server_error(status), times=None, share=SHARE / len(STATUSES)
            )
            for status in STATUSES
        }
        async with desk.life():
            took = await desk.until_done()
        score.tried += messages
        score.fired.update({name: rule.fired for name, rule in rules.items()})
        score.bad["sometimes: drained too late"] += took > LATE * messages / PER_SECOND + REPEATS_S
        score.bad.update(desk.misposted())


async def _away(score: Score, messages: int, name: str, fault: Fault, dice: random.Random) -> None:
    async with open_desk() as desk:
        await _fill(desk, messages)
        async with desk.life():
            await asyncio.sleep(dice.random() * messages / PER_SECOND / 2)
            rule = desk.standin.faults.add("*", "*", fault, times=None)
            await asyncio.sleep(OUTAGE_S)
            rule.stop()
            late = await desk.until_done()
        score.tried += messages
        score.fired[name] += rule.fired
        floor = OUTAGE_S + messages / PER_SECOND
        score.bad[f"{name}: drained too late"] += OUTAGE_S + late > LATE * floor
        score.bad[f"{name}: asked again and again"] += rule.fired > CALLS_EACH_MINUTE * OUTAGE_S / 60
        score.bad.update(desk.misposted())


def wait_for_each_alone(patch: pytest.MonkeyPatch) -> None:
    """Every post finds out by itself that Discord is away, and that it is back."""

    def fail(self: reach.CircuitBreaker, now: datetime, retry_after: timedelta | None) -> None:
        del self, now, retry_after

    patch.setattr(reach.CircuitBreaker, "fail", fail)


ROW = Row(
    "T15",
    "10 % errors, and outages of 10 min",
    "0 lost, 0 twice, sent within (outage + floor) x 1.2",
    (80, 700),
    (*map(str, STATUSES), *AWAY),
    fail_sometimes,
    (wait_for_each_alone,),
)
