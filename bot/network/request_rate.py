"""How many requests a second go to Discord, whatever they are for."""

import re
from http import HTTPStatus
from types import SimpleNamespace

import aiohttp
from aiolimiter import AsyncLimiter

from bot.process.figures import DISCORD_REQUESTS

RATE_PER_SECOND = 45
"""Discord allows a bot 50 requests a second in all (/docs/topics/rate-limits); a new connection begins a new count."""
_COUNTED = re.compile(r"/api/v\d+/(?!interactions/|webhooks/)")
"""Answers to interactions are exempt (the same page)."""
for _answer in ("2xx", "4xx", "429", "5xx", "none"):
    DISCORD_REQUESTS.add(_answer, by=0)


def request_limiter() -> AsyncLimiter:
    """Evenly spaced: a bucket for a second's worth would let a full one and what leaks meanwhile through at once."""
    return AsyncLimiter(1, 1 / RATE_PER_SECOND)


def paced() -> aiohttp.TraceConfig:
    """For discord.py's session: each request that Discord counts waits for its turn, repeated ones too.

    Their answers are counted, also those that discord.py hides by trying again.
    """
    limiter = request_limiter()

    async def wait(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        if _COUNTED.match(request.url.path):
            await limiter.acquire()

    async def count(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        status = request.response.status
        DISCORD_REQUESTS.add(str(status) if status == HTTPStatus.TOO_MANY_REQUESTS else f"{status // 100}xx")

    async def count_lost(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, _request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        DISCORD_REQUESTS.add("none")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    trace.on_request_end.append(count)
    trace.on_request_exception.append(count_lost)
    return trace
