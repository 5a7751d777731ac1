"""Requests to the rehearsal Aurous Labs: key, version, rate limits, repeats under one Idempotency-Key."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.buckets import Buckets
from bot.sandbox.aurous.orders import parse_object
from bot.sandbox.aurous.records import make_id
from bot.sandbox.aurous.refusals import Refusal, envelope, malformed
from bot.sandbox.aurous.replays import Original, Replays
from bot.sandbox.aurous.state import AurousWorld
from bot.sandbox.aurous.switches import AurousFaults
from bot.sandbox.rehearsal.faults import Handler
from bot.sandbox.rehearsal.server import Caller, ServerContext

VERSION = "2026-05-15"
KEY_LENGTH_CAP = 256
REQUEST_ID = web.RequestKey("request_id", str)
ANSWER_HEADERS = web.RequestKey("answer_headers", dict[str, str])
ORIGINAL = web.RequestKey("original", Original)
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Context(ServerContext):
    world: AurousWorld
    faults: AurousFaults
    buckets: Buckets = field(default_factory=Buckets)
    replays: Replays = field(default_factory=Replays)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def sign(self, *parts: object) -> str:
        """The signature that opens an address without a key."""
        text = "|".join(str(part) for part in parts)
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()[:32]

    def token_url(self, path: str) -> str:
        """An address that opens with the token in it."""
        return f"{self.base_url()}{path}?token={self.sign(path)}"

    def passing_url(self, path: str, life: timedelta) -> str:
        """An address that opens with the signature in it for as long as `life`."""
        expires = str(int((self.now() + life).timestamp()))
        return f"{self.base_url()}{path}?expires={expires}&signature={self.sign(path, expires)}"

    def preview_url(self, style_id: str) -> str:
        return f"{self.base_url()}/previews/{style_id}.jpg"

    def preview_file(self, style_id: str) -> Path:
        return self.folder / "previews" / f"{style_id}.jpg"

    def caller(self, request: web.Request) -> Caller:
        """Source: Aurous Labs /authentication and /errors."""
        bearer = request.headers.get("Authorization", "")
        api_key = request.headers.get("X-Api-Key") or (bearer[7:] if bearer.startswith("Bearer ") else "")
        if not api_key:
            raise Refusal(401, "missing_api_key", "An API key is required.")
        if api_key in self.faults.revoked_keys:
            raise Refusal(401, "revoked_api_key", "This API key has been revoked.")
        if api_key not in self.team_by_key:
            raise Refusal(401, "invalid_api_key", "This API key is not valid.")
        return Caller(api_key, self.team_by_key[api_key])

    def authorize(self, request: web.Request, bucket: str = "reads", *, writes: bool = False) -> Caller:
        """Checks key, scope, version and rate limit, in this order, which is assumed. Raises Refusal."""
        caller = self.caller(request)
        if writes and self.faults.scopes.get(caller.api_key) == "read":
            raise Refusal(403, "missing_scope", "This API key may only read.")
        check_version(request)
        state = self.buckets.take(caller.team, bucket, self.now())
        request[ANSWER_HEADERS].update(state.headers())
        if state.wait_s is not None:
            raise Refusal(429, "too_many_requests", f"Rate limit of {bucket} reached.")
        return caller

    async def order(
        self,
        request: web.Request,
        caller: Caller,
        work: Callable[[dict[str, Any]], Awaitable[web.Response]],
    ) -> web.Response:
        """Read a JSON body and call `work` with it, at most once for each Idempotency-Key."""
        body = parse_object(await request.read())
        return await self.once(request, caller, body, lambda: work(body))

    async def once(
        self, request: web.Request, caller: Caller, body: object, work: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """Call `work`, or repeat the answer to an order with the same key and the same `body`."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await work()
        if not 1 <= len(key) <= KEY_LENGTH_CAP:
            raise malformed("Idempotency-Key", f"has to have 1 to {KEY_LENGTH_CAP} characters")
        route = f"{request.method} {request.path}"
        original, is_new = self.replays.claim(caller.team, key, route, body, self.now())
        if not is_new:
            request[ANSWER_HEADERS]["Aurous-Idempotent-Replayed"] = "true"
            return web.Response(status=original.status, body=original.answer, content_type="application/json")
        request[ORIGINAL] = original
        try:
            answer = await work()
        except BaseException:
            self.replays.forget(original)
            raise
        original.status, original.answer = answer.status, answer.body if isinstance(answer.body, bytes) else b""
        return answer


def check_version(request: web.Request) -> None:
    """An unknown one is refused everywhere, which is documented for the rate card only."""
    version = request.headers.get("Aurous-Version", VERSION)
    if not _VERSION.fullmatch(version):
        raise malformed("Aurous-Version", "has to be a date")
    if version != VERSION:
        raise Refusal(400, "unknown_version", f"There is no version {version}.", param="Aurous-Version")


@web.middleware
async def open_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id; an Idempotency-Key is in flight for as long as its first request is served."""
    request[REQUEST_ID] = make_id("req")
    request[ANSWER_HEADERS] = {"Aurous-Request-Id": request[REQUEST_ID], "Aurous-Version": VERSION}
    try:
        return await handler(request)
    finally:
        if ORIGINAL in request:
            request[ORIGINAL].is_in_flight = False


async def show_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer, also of faulty ones. Source: Aurous Labs /errors, /rate-limits, /changelog."""
    for name, value in request.get(ANSWER_HEADERS, {}).items():
        response.headers.setdefault(name, value)


@web.middleware
async def word_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run the handler and turn its refusals into the documented envelope (Aurous Labs /errors)."""
    try:
        return await handler(request)
    except Refusal as refusal:
        said = refusal
    except web.HTTPRequestEntityTooLarge:
        said = Refusal(413, "value_out_of_range", "The body is too large.")
    except web.HTTPNotFound:
        said = Refusal(404, "resource_not_found", "There is no such route.")
    except web.HTTPException as error:
        said = Refusal(error.status, "invalid_request", error.reason)
    body = envelope(said.status, said.code, said.message, request[REQUEST_ID], said.param)
    return web.json_response(body, status=said.status, headers=said.headers)
