"""Raw HTTP callers and a webhook receiver for the tests of the rehearsal Aurous Labs."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image

from bot.sandbox.aurous.records import AurousTimings
from bot.sandbox.aurous.server import RehearsalAurous
from tests.fakes.waiting import HANG_S

KEY, MATE_KEY, OTHER_KEY, POOR_KEY = "al_live_studio", "al_live_mate", "al_live_other", "al_live_poor"
AUROUS_TIMINGS = AurousTimings(pending_s=2, processing_s=8, callback_gap_s=0.001, retry_delays_s=(0.001, 0.001))
INK = "ink-and-paper"


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.body["error"]["code"]


class AurousCaller:
    """One API key's raw HTTP calls."""

    def __init__(self, session: aiohttp.ClientSession, server: RehearsalAurous, api_key: str = KEY) -> None:
        self._session = session
        self._server = server
        self._headers = {"X-Api-Key": api_key} if api_key else {}

    def as_key(self, api_key: str) -> "AurousCaller":
        return AurousCaller(self._session, self._server, api_key)

    async def call(self, method: str, path: str, body: Any = None, **rest: Any) -> Said:
        headers = self._headers | rest.pop("headers", {})
        options = {**rest, **({} if body is None else {"json": body})}
        url = path if path.startswith("http") else self._server.base_url + path
        async with self._session.request(method, url, headers=headers, **options) as answer:
            raw = await answer.read()
            return Said(answer.status, _decode(raw), answer.headers.copy())

    async def order(self, key: str | None = None, **fields: Any) -> Said:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.call("POST", "/v1/images", {"prompt": "a lake", **fields}, headers=headers)

    async def image(self, image_id: str) -> Any:
        return (await self.call("GET", f"/v1/images/{image_id}")).body

    async def balance(self) -> tuple[Any, Any, Any]:
        """Credits, held, available."""
        said = (await self.call("GET", "/v1/balance")).body
        return said["credits"], said["held_credits"], said["available_credits"]

    async def upload(self, purpose: str = "reference", body: bytes | None = None, **rest: Any) -> Said:
        metadata = rest.pop("metadata", None)
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("purpose", purpose)
        if metadata is not None:
            form.add_field("metadata", metadata)
        content = io.BytesIO(make_photo() if body is None else body)
        form.add_field("file", content, filename="a.jpg", content_type="image/jpeg")
        return await self.call("POST", "/v1/files", data=form, **rest)

    async def open_ticket(self, **fields: Any) -> Said:
        ticket = {"filename": "a.jpg", "extension": "jpg", "content_type": "image/jpeg", **fields}
        return await self.call("POST", "/v1/characters/uploads/init", ticket)

    async def put_photo(self, body: bytes | None = None) -> str:
        """A ticket with its photo."""
        ticket = (await self.open_ticket()).body
        status = await self.put(ticket["upload_url"], make_photo() if body is None else body, ticket["upload_headers"])
        assert status == 200
        return str(ticket["upload_id"])

    async def put(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Without the key, as the signature is the proof."""
        async with self._session.put(url, data=body, headers=headers) as answer:
            return answer.status

    async def create_character(self, key: str | None = None, **fields: Any) -> Said:
        """From one photo, unless `fields` say otherwise."""
        body = {"name": "Mara", **fields}
        if "upload_ids" not in body:
            body["upload_ids"] = [await self.put_photo()]
        return await self.call("POST", "/v1/characters", body, headers={"Idempotency-Key": key} if key else {})

    async def make_character(self) -> str:
        return str((await self.create_character()).body["id"])

    async def register(self, url: str, events: list[str] | None = None) -> Any:
        said = await self.call("POST", "/v1/webhook_endpoints", {"url": url, "events": events or ["*"]})
        assert said.status == 201
        return said.body

    async def wait_for_deliveries(self, count: int) -> None:
        """Until so many webhooks were answered, or nobody was there to answer."""
        async with asyncio.timeout(HANG_S):
            while len(self._server.deliveries) < count:
                await self.balance()


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def make_photo(size: tuple[int, int] = (96, 64), file_format: str = "JPEG", shade: int = 120) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 60, 200)).save(out, file_format)
    return out.getvalue()


class AurousReceiver:
    """A webhook receiver that answers with `statuses` in turn, then 204."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str | None] = []
        self.statuses: list[int] = []
        self.arrived = asyncio.Semaphore(0)
        self.url = ""

    @property
    def events(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers.get("Aurous-Webhook-Signature"))
        self.arrived.release()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(HANG_S):
            for _ in range(count):
                await self.arrived.acquire()
