"""Faults on a rehearsal server's routes: each happens once, in the order in which they were queued."""

import asyncio
import json
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Self

from aiohttp import web

DRAIN_CHUNK_BYTES = 256 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Wording = Callable[[int, web.Request], bytes]
"""The JSON body with which a server words an error of this status."""


class FaultKind(StrEnum):
    STATUS = "status"
    RESET = "reset"
    HANG = "hang"
    SLOW_DRIP = "slow_drip"
    HALF_BODY = "half_body"
    BODY = "body"
    STATUS_WORD = "status_word"


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty answer. `accepted`: the server does its work (charges, stores) first."""

    kind: FaultKind
    accepted: bool = True
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """None: the server's own body for this status."""
    pause_s: float = 0.0

    @classmethod
    def answer(
        cls,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        accepted: bool = False,
    ) -> Self:
        """`accepted=True` is a gateway's 502 after the server has taken the order."""
        return cls(FaultKind.STATUS, accepted, status, headers or {}, body)

    @classmethod
    def rate_limited(cls, retry_after: str | None = None) -> Self:
        return cls.answer(429, headers={} if retry_after is None else {"Retry-After": retry_after})

    @classmethod
    def reset_before(cls) -> Self:
        return cls(FaultKind.RESET, accepted=False)

    @classmethod
    def reset_after_accept(cls) -> Self:
        return cls(FaultKind.RESET)

    @classmethod
    def hang(cls, *, accepted: bool = True) -> Self:
        """No answer until `RouteFaults.release` is called, the caller goes away or the server closes."""
        return cls(FaultKind.HANG, accepted)

    @classmethod
    def slow_drip(cls, pause_s: float = 1.0) -> Self:
        """The right answer, one byte after each pause."""
        return cls(FaultKind.SLOW_DRIP, pause_s=pause_s)

    @classmethod
    def half_body(cls) -> Self:
        return cls(FaultKind.HALF_BODY)

    @classmethod
    def garbage_json(cls) -> Self:
        return cls(FaultKind.BODY, headers={"Content-Type": "application/json"}, body=b'{"id": "7f3')

    @classmethod
    def html_200(cls) -> Self:
        page = b"<!doctype html><title>Just a moment...</title>"
        return cls(FaultKind.BODY, headers={"Content-Type": "text/html"}, body=page)

    @classmethod
    def edge_page(cls, status: int = 403) -> Self:
        """The page of a proxy in front of the server, which never saw the request."""
        page = b"<!doctype html><title>Access denied</title>"
        return cls.answer(status, headers={"Content-Type": "text/html"}, body=page)

    @classmethod
    def wrong_schema(cls) -> Self:
        return cls(FaultKind.BODY, headers={"Content-Type": "application/json"}, body=b'{"data": [1, 2, 3]}')

    @classmethod
    def unknown_status_word(cls) -> Self:
        return cls(FaultKind.STATUS_WORD)


class RouteFaults:
    """The queued faults of each route; a route is written `GET /v2/loras/{id}`, places of it `GET /v2/loras/7*`."""

    def __init__(self, word: Wording | None = None) -> None:
        self._word = word or _word_plainly
        self._waiting: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._released = asyncio.Event()

    def next(self, route: str, *faults: Fault) -> None:
        """Let the next requests of `route` meet these faults, one each."""
        self._waiting[route].extend(faults)

    def release(self) -> None:
        """Send all answers that are held back."""
        self._released.set()
        self._released = asyncio.Event()

    async def serve(self, route: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        place = f"{request.method} {request.path}"
        waiting = (faults for key, faults in self._waiting.items() if faults and fnmatchcase(place, key))
        fault = next((faults.popleft() for faults in (*waiting, self._waiting[route]) if faults), None)
        if fault is None:
            return await handler(request)
        if fault.accepted:
            answer = await handler(request)
        else:
            answer = web.Response()
            await drain(request)
        return await self._spoil(fault, request, answer)

    async def _spoil(self, fault: Fault, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        whole = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        match fault.kind:
            case FaultKind.STATUS:
                headers = {"Content-Type": "application/json", **fault.headers}
                said = self._word(fault.status, request) if fault.body is None else fault.body
                return web.Response(status=fault.status, headers=headers, body=said)
            case FaultKind.RESET:
                _reset(request)
                # A file would be opened for a connection that is gone, and left open.
                return web.Response()
            case FaultKind.HANG:
                await self._released.wait()
            case FaultKind.BODY:
                return web.Response(status=answer.status, headers=fault.headers, body=fault.body)
            case FaultKind.STATUS_WORD:
                body = {**json.loads(whole), "status": "DREAMING"}
                return web.json_response(body, status=answer.status)
            case FaultKind.SLOW_DRIP | FaultKind.HALF_BODY:
                return await _send_in_pieces(fault, request, answer.status, whole)
        return answer


@dataclass
class ServerFaults:
    """The settings that every server has."""

    routes: RouteFaults = field(default_factory=RouteFaults)

    def next(self, route: str, *faults: Fault) -> None:
        """Let the next requests of `route` (`POST /v2/loras`, `GET /v1/images/{id}`) meet these faults, one each."""
        self.routes.next(route, *faults)


def _word_plainly(status: int, _request: web.Request) -> bytes:
    return json.dumps({"error": f"Rehearsed {status}"}).encode()


async def drain(request: web.Request) -> None:
    """Read the body to its end; otherwise the caller sees a broken pipe and not the answer."""
    while await request.content.read(DRAIN_CHUNK_BYTES):
        pass


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # A linger time of zero makes the kernel send RST instead of an orderly FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _send_in_pieces(fault: Fault, request: web.Request, status: int, whole: bytes) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    response.content_length = len(whole)
    await response.prepare(request)
    if fault.kind is FaultKind.HALF_BODY:
        await response.write(whole[: len(whole) // 2])
        _reset(request)
        return response
    for position in range(len(whole)):
        await asyncio.sleep(fault.pause_s)
        await response.write(whole[position : position + 1])
    await response.write_eof()
    return response
