"""Waiting for a condition that nobody announces, for five seconds at most."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await _ask(condition):  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.001)


async def _ask(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer
