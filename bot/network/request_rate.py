"""How many requests a second go to Discord, whatever they are for."""

import re
from types import SimpleNamespace

import aiohttp
from aiolimiter import AsyncLimiter

RATE_PER_SECOND = 45
"""Discord allows a bot 50 requests a second in all (/docs/topics/rate-limits); a new connection begins a new count."""
_COUNTED = re.compile(r"/api/v\d+/(?!interactions/|webhooks/)")
"""Answers to interactions are exempt (the same page)."""


def request_limiter() -> AsyncLimiter:
    """Evenly spaced: a bucket for a second's worth would let a full one and what leaks meanwhile through at once."""
    return AsyncLimiter(1, 1 / RATE_PER_SECOND)


def paced() -> aiohttp.TraceConfig:
    """For discord.py's session: each request that Discord counts waits for its turn, repeated ones too."""
    limiter = request_limiter()

    async def wait(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        if _COUNTED.match(request.url.path):
            await limiter.acquire()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    return trace
