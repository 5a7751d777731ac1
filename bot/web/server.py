"""The web server: takes complete, small, uncompressed requests within a deadline and routes them.

By default aiohttp allows an hour for a head, reads an oversized body to its end and unpacks compressed bodies. Here
aiohttp's idle timer, which starts with each connection, is the deadline of the head; every connection carries one
request; and when there are too many connections, the oldest is dropped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.web.sockets import open_sockets

log = logging.getLogger(__name__)

READ_BYTES = 16_384
"""What aiohttp takes from a connection before a body is asked for; it stops at twice that."""
SERVER = "Darkroom"
"""What every answer names as its server."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one sender. `life_seconds` is the longest life of a connection.

    `arriving_bytes`: of all bodies that are being received. A burst is let in whole before its first request is
    answered, so `connections` is more than one has, and below the 1,024 files that Linux usually allows a process.
    """

    head_seconds: float = 10.0
    body_seconds: float = 5.0
    life_seconds: float = 30.0
    body_bytes: int = 65_536
    arriving_bytes: int = 400 * 65_536
    connections: int = 800


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A complete request. `path` is as sent, without its query; header names are matched in any case."""

    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: str | bytes = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


NOTHING_HERE = HttpResponse(404, "There is nothing here.")

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path that ends with a slash covers everything below it. What takes GET takes HEAD, too, as monitors send it.

    `body_bytes`: the largest body it takes; None: what `Limits` says.
    """

    method: str
    path: str
    handle: Handler
    body_bytes: int | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)

    def covers(self, path: str) -> bool:
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path


class WebServer:
    """`port` 0 lets the system choose; `.port` tells which it is after `start`. `setting`: where it comes from."""

    def __init__(
        self,
        host: str,
        port: int,
        routes: Sequence[Route],
        *,
        limits: Limits | None = None,
        setting: str = "DARKROOM_LISTEN",
    ) -> None:
        self._host = host
        self._asked_port = port
        self._routes = tuple(routes)
        self._setting = setting
        self._limits = limits or Limits()
        self._arriving_bytes = 0
        self._runner: web.ServerRunner | None = None

    @property
    def port(self) -> int:
        if self._runner is None:
            raise RuntimeError("the server has not been started")
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """StartupError when the address cannot be listened on."""
        opened = await asyncio.to_thread(open_sockets, self._host, self._asked_port, self._setting)
        runner = web.ServerRunner(_Listener(self._respond, self._limits), shutdown_timeout=self._limits.body_seconds)
        await runner.setup()
        for each in opened:
            await web.SockSite(runner, each).start()
        self._runner = runner
        host = f"[{self._host}]" if ":" in self._host else self._host
        log.info("Listening on http://%s:%d for %s", host, self.port, ", ".join(route.path for route in self._routes))

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ConnectionError:
            raise  # the sender has gone; aiohttp ends the connection
        except Exception:  # outermost boundary: a stranger gets a number, the log gets the rest
            log.exception("A web request could not be answered.")
            answer = HttpResponse(500, "Something went wrong here.")
        return _to_response(answer)

    async def _answer(self, request: web.BaseRequest) -> HttpResponse:
        path = request.rel_url.raw_path
        routes = [route for route in self._routes if route.covers(path)]
        if not routes:
            return NOTHING_HERE
        route = next((route for route in routes if request.method in route.methods), None)
        if route is None:
            allowed = ", ".join(dict.fromkeys(method for route in routes for method in route.methods))
            return HttpResponse(405, "This address does not take that method.", headers={"Allow": allowed})
        if "Content-Encoding" in request.headers:
            return HttpResponse(415, "Please send the body uncompressed.")
        body = await self._read_body(request, route.body_bytes or self._limits.body_bytes)
        return body if isinstance(body, HttpResponse) else await route.handle(HttpRequest(path, request.headers, body))

    async def _read_body(self, request: web.BaseRequest, cap: int) -> bytes | HttpResponse:
        """The body, or why it is refused. Reading stops at the first byte over the cap."""
        if (request.content_length or 0) > cap:
            return _too_large(cap)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self._arriving_bytes += len(chunk)
                    if len(body) > cap:
                        return _too_large(cap)
                    if self._arriving_bytes > self._limits.arriving_bytes:
                        return HttpResponse(503, "Too much arrives at once. Please send this again in a moment.")
        except TimeoutError:
            return HttpResponse(408, "The body took too long to arrive.")
        except (web.RequestPayloadError, HttpProcessingError):
            return HttpResponse(400, "The body is damaged.")
        finally:
            self._arriving_bytes -= len(body)
        return bytes(body)


class _Listener(web.Server):
    """Makes connections with our limits and keeps at most `limits.connections` of them, dropping the oldest."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], limits: Limits) -> None:
        super().__init__(handler)
        self._limits = limits
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self._limits.head_seconds,
            lingering_time=0,
            auto_decompress=False,
            read_bufsize=READ_BYTES,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._open) >= self._limits.connections:
            oldest = next(iter(self._open))
            self._release(oldest).abort()
        end = asyncio.get_running_loop().call_later(self._limits.life_seconds, transport.abort)
        self._open[handler] = (transport, end)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if handler in self._open:
            self._release(handler)

    def _release(self, handler: web.RequestHandler) -> asyncio.Transport:
        transport, end = self._open.pop(handler)
        end.cancel()
        return transport


class _Connection(web.RequestHandler):
    """Never repeats what a stranger sent, neither in an answer nor in the log."""

    __slots__ = ()

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        """No access log: paths hold webhook tokens."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """aiohttp calls this for a head it cannot parse; its own version logs a traceback and quotes the head."""
        log.debug("A malformed request was refused: %s", type(exc).__name__)
        return _to_response(HttpResponse(status, "This is not a request that can be understood."))


def _too_large(cap: int) -> HttpResponse:
    return HttpResponse(413, f"The body may have at most {cap} bytes.")


def _to_response(answer: HttpResponse) -> web.Response:
    """Every answer ends its connection, so that a deadline for one request is a deadline for the connection."""
    response = web.Response(
        status=answer.status,
        body=answer.body.encode() if isinstance(answer.body, str) else answer.body,
        content_type=answer.content_type,
        charset="utf-8" if isinstance(answer.body, str) and answer.body else None,
        headers={"Server": SERVER, "Cache-Control": "no-store", **answer.headers},
    )
    response.force_close()
    return response
