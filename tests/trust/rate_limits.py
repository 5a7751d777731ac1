"""T14: bursts against Discord's limits, and an address that Discord's edge has banned."""

import asyncio
import random

import pytest
from aiolimiter import AsyncLimiter

from bot.network import request_rate
from tests.fakes.loop import with_leaping_time
from tests.trust.desk import Desk, open_desk
from tests.trust.row import Row, Score
from tests.wire.discord import faults

PER_SECOND, PER_CHANNEL = 50, (5, 5.0)
"""What the stand-in enforces: Discord's documented limit for all requests, and what its headers commonly say."""
ALL_DMS = 0
CHANNELS = {"one channel": 1, "50 channels": 50, "1,000 channels": 1000, "private messages": ALL_DMS}
BAN_S = 600.0
INVALID_MOST = 100


async def burst(messages: int, seed: int) -> Score:
    score = Score()
    for name, channels in CHANNELS.items():
        await with_leaping_time(lambda name=name, channels=channels: _one_burst(score, messages, name, channels))  # type: ignore[misc]
    await with_leaping_time(lambda: _ban(score, messages, random.Random(seed)))
    return score


async def _one_burst(score: Score, messages: int, name: str, channels: int) -> None:
    async with open_desk() as desk:
        desk.standin.limits.per_second, desk.standin.limits.messages = PER_SECOND, PER_CHANNEL
        await _fill(desk, messages, channels)
        async with desk.life():
            await desk.until_done()
        calls, refused = len(desk.standin.calls), desk.standin.statuses()[429]
        score.tried += messages
        score.fired[name] += messages
        score.bad[f"{name}: more than 1 % of the calls answered 429"] += refused * 100 > calls
        score.bad.update(desk.misposted())


async def _fill(desk: Desk, messages: int, channels: int) -> None:
    made = [desk.channel() for _ in range(min(channels, messages))]
    for number in range(messages):
        owner = desk.person()
        await desk.post([made[number % len(made)], owner] if made else [owner], owner)


async def _ban(score: Score, messages: int, dice: random.Random) -> None:
    """In the middle of a burst Discord's edge answers for ten minutes: a 429 without `Via`."""
    async with open_desk() as desk:
        await _fill(desk, messages, 50)
        before = len(desk.standin.calls) + dice.randrange(messages // 2)
        ban = desk.standin.faults.add(
            "*",
            "*",
            faults.rate_limited(BAN_S, has_via=False),
            times=None,
            when=lambda _call: len(desk.standin.calls) > before,
        )
        async with desk.life():
            await asyncio.sleep(BAN_S)
            ban.stop()
            met = [call.at for call in desk.standin.calls if call.status == 429]
            await desk.until_done()
        met = [at - met[0] for at in met]
        score.fired["banned by the edge"] += len(met)
        score.bad["asked again more than a second into the ban, within its first minute"] += sum(
            1 < at < 60 for at in met
        )
        score.bad[f"{INVALID_MOST} calls or more while banned"] += len(met) >= INVALID_MOST
        score.bad.update(desk.misposted())


def count_posts_instead_of_requests(patch: pytest.MonkeyPatch) -> None:
    """So many posts a second, of whatever number of requests each."""
    patch.setattr(request_rate, "request_limiter", lambda: AsyncLimiter(1000, 1))


ROW = Row(
    "T14",
    "bursts against Discord's limits, a ban",
    "at most 1 % of calls 429, 0 lost, all stop when banned",
    (40, 1000),
    (*CHANNELS, "banned by the edge"),
    burst,
    (count_posts_instead_of_requests,),
)
