"""Health routes: alive and ready."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.web.server import HttpRequest, HttpResponse, Route

log = logging.getLogger(__name__)

_CHECK_SECONDS = 2.0


Check = Callable[[], Awaitable[bool]]


class Health:
    """`vital` and `ready` are checks by name: each tells whether its part works right now.

    When a vital one fails, only a new start helps; the others get well by themselves.
    """

    def __init__(self, vital: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._vital = dict(vital)
        self._ready = dict(ready)

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.report_alive),
            Route("GET", "/readyz", self.report_ready),
        ]

    async def report_alive(self, _request: HttpRequest) -> HttpResponse:
        """200 when every vital check holds, else 503; the body names each. That there is an answer is one more."""
        return await _report("alive", self._vital)

    async def report_ready(self, _request: HttpRequest) -> HttpResponse:
        """The same with all checks."""
        return await _report("ready", self._vital | self._ready)


async def _report(what: str, checks: Mapping[str, Check]) -> HttpResponse:
    results = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
    body = {what: all(results), "checks": dict(zip(checks, results, strict=True))}
    return HttpResponse(200 if all(results) else 503, json.dumps(body), "application/json")


async def _run(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except Exception as error:  # web boundary: whatever breaks a check means not ready
        log.debug("The %s check failed.", name, exc_info=error)
        return False
