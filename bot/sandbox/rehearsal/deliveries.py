"""Signed webhooks of a rehearsal server: sending them, with faults on request, and a record of each."""

import asyncio
import hashlib
import hmac
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
    variant: str = "hex"
    """How SHA-256 of the API key becomes the HMAC key: its hexadecimal text (`hex`) or its bytes (`raw`)."""
    prefix: str = "sha256="

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

    def __init__(self, faults: WebhookFaults) -> None:
        self._faults = faults
        self._released = asyncio.Event()
        self.sent: list[Delivery] = []

    def release(self) -> None:
        """Send the deliveries that are held back."""
        self._released.set()
        self._released = asyncio.Event()

    async def deliver(
        self,
        session: aiohttp.ClientSession,
        url: str,
        body: bytes,
        event: str,
        api_key: str,
        fault: WebhookFault | None,
    ) -> bool:
        """Signed as Apiframe does. True when the receiver answered 2xx."""

        def prove(signed: bytes) -> Mapping[str, str]:
            return {"X-Webhook-Signature": self._faults.prefix + sign(signed, api_key, self._faults.variant)}

        return await self.send(session, url, body, {"X-Webhook-Event": event}, prove, fault)

    async def send(
        self,
        session: aiohttp.ClientSession,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        prove: Signing,
        fault: WebhookFault | None,
    ) -> bool:
        """True when the receiver answered 2xx."""
        if fault is WebhookFault.DROP:
            return False
        if fault is WebhookFault.DELAY:
            await self._released.wait()
        proof = {} if fault is WebhookFault.MISSING_SIGNATURE else prove(body)
        if fault is WebhookFault.BAD_SIGNATURE:
            proof = prove(body + b" ")
        complete = {"Content-Type": "application/json", **headers, **proof}
        delivered = await self._post(session, url, body, complete)
        if fault is WebhookFault.DUPLICATE:
            delivered = await self._post(session, url, body, complete)
        return delivered

    async def _post(self, session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        timeout = aiohttp.ClientTimeout(total=DELIVERY_TIMEOUT_S)
        try:
            async with session.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as answer:
                status: int | None = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = None
        self.sent.append(Delivery(url, body, headers, status))
        return status is not None and 200 <= status < 300


def sign(body: bytes, api_key: str, variant: str) -> str:
    """Source: Apiframe /docs/webhooks."""
    digest = hashlib.sha256(api_key.encode())
    secret = digest.digest() if variant == "raw" else digest.hexdigest().encode()
    return hmac.new(secret, body, hashlib.sha256).hexdigest()
