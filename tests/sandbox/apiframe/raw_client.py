"""Raw HTTP callers, a clock to turn and a webhook receiver for the rehearsal server's tests."""

import asyncio
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import RehearsalTimings
from tests.fakes.waiting import HANG_S
from tests.providers.sample_orders import API_KEY, make_jpeg

TIMINGS = RehearsalTimings(pending_s=10, uploading_s=20, training_s=100, image_queue_s=2, image_work_s=8)
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
FIELDS = {"name": "Rex", "subjectKind": "person", "gender": "female", "ethnicity": "Mixed"}


class ManualClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 4, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_s(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Caller:
    """One API key's raw HTTP calls."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str = API_KEY) -> None:
        self._session = session
        self._base_url = base_url
        self._headers = {"X-API-Key": api_key} if api_key else {}

    async def call(self, method: str, path: str, **rest: Any) -> tuple[int, Any]:
        headers = self._headers | rest.pop("headers", {})
        async with self._session.request(method, self._base_url + path, headers=headers, **rest) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def create(self, photos: int = 15, **fields: str) -> tuple[int, Any]:
        return await self.call("POST", "/v2/loras", data=make_form(photos, fields))

    async def generate(self, lora: str, key: str | None = None, **params: Any) -> tuple[int, Any]:
        extra: dict[str, Any] = {name: params.pop(name) for name in ("webhookUrl", "prompt") if name in params}
        body = {"model": "flux-lora", "prompt": "a forest", "fluxLoraParams": {"loraId": lora, **params}, **extra}
        headers: dict[str, str] = {"Idempotency-Key": key} if key else {}
        return await self.call("POST", "/v2/images/generate", json=body, headers=headers)


def make_form(photos: int, fields: Mapping[str, str] | None = None, body: bytes | None = None) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in {**FIELDS, **(fields or {})}.items():
        form.add_field(name, value)
    for number in range(photos):
        content = io.BytesIO(make_jpeg(number) if body is None else body)
        form.add_field("images", content, filename=f"{number}.jpg", content_type="image/jpeg")
    return form


async def make_ready_lora(caller: Caller, clock: ManualClock) -> str:
    _, created = await caller.create()
    clock.pass_s(200)
    _, lora = await caller.call("GET", f"/v2/loras/{created['id']}")
    assert lora["status"] == "READY"
    return str(created["id"])


async def look_until_announced(caller: Caller, job_id: str) -> Any:
    async with asyncio.timeout(HANG_S):
        while True:
            _, job = await caller.call("GET", f"/v2/jobs/{job_id}")
            if job["webhookStatus"] != "pending":
                return job


def credits_by_what(server: RehearsalApiframe) -> dict[str, int]:
    totals: dict[str, int] = {}
    for entry in server.ledger:
        totals[entry.what] = totals.get(entry.what, 0) + entry.credits
    return totals


class Receiver:
    """A webhook receiver on loopback that judges what it gets with the real verification."""

    def __init__(self) -> None:
        self.hints: list[WebhookHint | None] = []
        self.bodies: list[Any] = []
        self.events: list[str] = []
        self.arrived = asyncio.Semaphore(0)
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.hints.append(verify_webhook(body, request.headers, [API_KEY], may_be_unsigned=False))
        self.bodies.append(json.loads(body))
        self.events.append(request.headers["X-Webhook-Event"])
        self.arrived.release()
        return web.Response(status=204)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(HANG_S):
            for _ in range(count):
                await self.arrived.acquire()
