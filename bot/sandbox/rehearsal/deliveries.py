"""Signed webhooks of a rehearsal server: sending them, with faults on request, and a record of each."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp

DELIVERY_TIMEOUT_S = 5.0

Signing = Callable[[bytes], Mapping[str, str]]
"""Gives the headers that sign a body."""


class WebhookFault(StrEnum):
    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    """Held back until `Deliveries.release`, so that later ones arrive first."""
    BAD_SIGNATURE = "bad_signature"
    MISSING_SIGNATURE = "missing_signature"
    STRING_RESULT = "string_result"
    """The result as one address, as older documentation shows it."""


@dataclass(slots=True)
class WebhookFaults:
    """`queue` holds one entry for each coming delivery; None: no fault."""

    queue: deque[WebhookFault | None] = field(default_factory=deque)

    def take(self) -> WebhookFault | None:
        return self.queue.popleft() if self.queue else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST that was tried; `status` is None when no answer came."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    status: int | None


class Deliveries:
    """Sends a webhook once for each call; the caller repeats it."""

    def __init__(self) -> None:
        self._released = asyncio.Event()
        self.sent: list[Delivery] = []

    def release(self) -> None:
        """Send the deliveries that are held back."""
        self._released.set()
        self._released = asyncio.Event()

    async def send(
        self, url: str, body: bytes, headers: Mapping[str, str], sign: Signing, fault: WebhookFault | None
    ) -> bool:
        """True when the receiver answered 2xx."""
        if fault is WebhookFault.DROP:
            return False
        if fault is WebhookFault.DELAY:
            await self._released.wait()
        proof = {} if fault is WebhookFault.MISSING_SIGNATURE else sign(body)
        if fault is WebhookFault.BAD_SIGNATURE:
            proof = sign(body + b" ")
        complete = {"Content-Type": "application/json", **headers, **proof}
        delivered = await self._post(url, body, complete)
        if fault is WebhookFault.DUPLICATE:
            delivered = await self._post(url, body, complete)
        return delivered

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        timeout = aiohttp.ClientTimeout(total=DELIVERY_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status: int | None = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = None
        self.sent.append(Delivery(url, body, headers, status))
        return status is not None and 200 <= status < 300
