"""The webhooks of the rehearsal Aurous Labs: callbacks of single orders, and registered endpoints.

Source: Aurous Labs /webhooks. Assumed, because no visible page says it: the envelope fields of registered endpoints
(`id, object, type, event, created_at, aurous_version, synthetic, data`), that the whole secret is the HMAC key with
its `whsec_`, that every attempt is signed anew, how often and when registered deliveries repeat, that each failed
attempt counts towards switching an endpoint off, and that a cancelled order has no callback.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.aurous.answers import moment_text
from bot.sandbox.aurous.context import VERSION
from bot.sandbox.aurous.records import RehearsalEndpoint, RehearsalImage, make_id
from bot.sandbox.aurous.state import AurousWorld, StateChange
from bot.sandbox.aurous.switches import EventForm
from bot.sandbox.rehearsal.deliveries import Deliveries, WebhookFault

EVENT_TYPES = (
    "image.completed", "image.failed", "image.cancelled",
    "video.completed", "video.failed", "video.cancelled",
    "character.completed", "character.failed", "character.cancelled",
    "usage.balance_low", "webhook.endpoint_disabled",
)  # fmt: skip
"""Source: Aurous Labs /webhooks."""
CALLBACK_EVENTS = frozenset({"image.completed", "image.failed"})
CALLBACK_ATTEMPTS = 3
FAILURES_MOST = 20
SILENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event of the API as it is sent to every endpoint; `is_synthetic`: a test."""

    type: str
    data: Mapping[str, Any]
    at: datetime
    is_synthetic: bool = False
    id: str = field(default_factory=lambda: make_id("evt"))


class Announcer:
    def __init__(self, world: AurousWorld, deliveries: Deliveries, now: Callable[[], datetime]) -> None:
        self._world = world
        self._deliveries = deliveries
        self._now = now

    async def call_back(self, image: RehearsalImage, event: WebhookEvent) -> None:
        """The webhook that one order asked for: up to three attempts."""
        switches = self._world.faults.webhooks
        fault = switches.take()
        body = json.dumps({"event": event.type, "data": event.data}, separators=(",", ":")).encode()
        for attempt in range(CALLBACK_ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._world.timings.callback_gap_s)
            if await self._send(image.order.webhook_url or "", body, switches.callback_secret, fault):
                return

    async def tell(self, endpoint: RehearsalEndpoint, event: WebhookEvent) -> None:
        """Send to a registered endpoint, and repeat until it answers 2xx, is switched off or the tries are used up."""
        fault = self._world.faults.webhooks.take()
        for delay_s in (0.0, *self._world.timings.retry_delays_s):
            await asyncio.sleep(delay_s)
            if endpoint.id not in self._world.endpoints or not endpoint.is_active:
                return
            body = json.dumps(self._enveloped(event), separators=(",", ":")).encode()
            if await self._send(endpoint.url, body, endpoint.secret, fault):
                endpoint.consecutive_failures, endpoint.last_success_at = 0, self._now()
                return
            self._count_failure(endpoint)

    def listeners(self, change: StateChange) -> list[RehearsalEndpoint]:
        endpoints = self._world.endpoints.values()
        own = [each for each in endpoints if each.team == change.team and each is not change.subject]
        return [each for each in own if each.is_active and change.event in each.events]

    def _enveloped(self, event: WebhookEvent) -> dict[str, Any]:
        form = self._world.faults.webhooks.form
        if form is EventForm.BARE:
            return {"event": event.type, "data": event.data}
        enveloped = {
            "id": event.id,
            "object": "event",
            "type": event.type,
            "event": event.type,
            "created_at": moment_text(event.at),
            "aurous_version": VERSION,
            "data": {"object": event.data} if form is EventForm.NESTED else event.data,
        }
        return enveloped | {"synthetic": True} if event.is_synthetic else enveloped

    async def _send(self, url: str, body: bytes, secret: str | None, fault: WebhookFault | None) -> bool:
        at = int(self._now().timestamp()) - self._world.faults.webhooks.signature_age_s

        def prove(signed: bytes) -> Mapping[str, str]:
            return {} if secret is None else {"Aurous-Webhook-Signature": sign(signed, secret, at)}

        return await self._deliveries.send(url, body, {}, prove, fault)

    def _count_failure(self, endpoint: RehearsalEndpoint) -> None:
        now = self._now()
        endpoint.consecutive_failures += 1
        endpoint.last_failure_at = now
        is_silent = endpoint.last_success_at is None or now - endpoint.last_success_at >= SILENCE
        if endpoint.consecutive_failures >= FAILURES_MOST and is_silent and endpoint.is_active:
            endpoint.is_active, endpoint.updated_at = False, now
            self._world.changes.append(StateChange("webhook.endpoint_disabled", endpoint.team, endpoint))


def sign(body: bytes, secret: str, at_s: int) -> str:
    """`at_s`: Unix seconds. Source: Aurous Labs /webhooks."""
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
