"""Waiting for something to happen, however slow the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

HANG_S = 120.0
"""So long nothing takes on any machine: who waits longer hangs. No test may depend on it."""


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for a condition that nobody announces."""
    async with asyncio.timeout(HANG_S):
        while not await _ask(condition):  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.001)


async def _ask(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer
