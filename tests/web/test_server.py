"""The listener over real sockets: what it takes, what it refuses, and how long it puts up with strangers."""

import asyncio
import gzip
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

import pytest
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from bot.errors import StartupError
from bot.web.server import HttpRequest, HttpResponse, Limits, Route, WebServer
from tests.fakes.waiting import HANG_S
from tests.web.raw_client import ask, exchange, hang_up

HEAD = b"POST /in/x HTTP/1.1\r\nHost: bot.example.org\r\n"
Start = Callable[[Limits], Awaitable[WebServer]]

ENDLESS = Limits(head_seconds=3600, body_seconds=3600, life_seconds=3600)
"""Nothing of it comes to pass within a test."""


class Handlers:
    """Handlers that note what reaches them."""

    def __init__(self) -> None:
        self.seen: list[HttpRequest] = []
        self.entered = asyncio.Event()
        self.let_go = asyncio.Event()

    async def take(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        return HttpResponse(200, f"{len(request.body)} bytes")

    async def fail(self, _request: HttpRequest) -> HttpResponse:
        raise RuntimeError("canary-detail")

    async def hold(self, _request: HttpRequest) -> HttpResponse:
        self.entered.set()
        await self.let_go.wait()
        return HttpResponse(200, "held")


@pytest.fixture
def handlers() -> Handlers:
    return Handlers()


@pytest.fixture
async def start(handlers: Handlers, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Start]:
    """What is logged until it listens is left out."""
    running: list[WebServer] = []

    async def begin(limits: Limits) -> WebServer:
        routes = [
            Route("POST", "/in/", handlers.take),
            Route("GET", "/look", handlers.take),
            Route("GET", "/fail", handlers.fail),
            Route("GET", "/hold", handlers.hold),
        ]
        server = WebServer("127.0.0.1", 0, routes, limits=limits)
        await server.start()
        running.append(server)
        caplog.clear()
        return server

    yield begin
    handlers.let_go.set()
    for server in running:
        await server.close()


async def _drip(port: int, opening: bytes) -> bytes:
    """Send the opening, then a byte at a time until the server ends the connection; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    end = asyncio.ensure_future(reader.read())
    try:
        writer.write(opening)
        while not end.done():
            writer.write(b"a")
            await asyncio.wait([end], timeout=0.05)
        return await end
    except ConnectionError:
        return b""
    finally:
        await hang_up(writer)


async def test_a_whole_request_reaches_its_handler_as_sent(start: Start, handlers: Handlers) -> None:
    server = await start(Limits())
    reply = await ask(server.port, "POST", "/in/a%2Fb?x=1", b"\x00\xff raw", {"X-Mark": "yes"})
    assert (reply.status, reply.body) == (200, b"6 bytes")
    (request,) = handlers.seen
    assert (request.path, request.body, request.headers["x-mark"]) == ("/in/a%2Fb", b"\x00\xff raw", "yes")
    assert "raw" not in repr(request)


async def test_a_body_in_chunks_is_put_together(start: Start, handlers: Handlers) -> None:
    server = await start(Limits())
    reply = await exchange(
        server.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"
    )
    assert reply is not None
    assert reply.status == 200
    assert handlers.seen[0].body == b"abcde"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/look", 200),
        ("GET", "/look/", 404),
        ("GET", "/", 404),
        ("GET", "//look", 404),
        ("POST", "/in", 404),
        ("GET", "/in/x", 405),
        ("PUT", "/in/x", 405),
        ("OPTIONS", "/in/x", 405),
        ("POST", "/look", 405),
        ("HEAD", "/in/x", 405),
        ("PROPFIND", "/in/x", 405),
    ],
)
async def test_only_known_paths_and_methods_are_answered(start: Start, method: str, path: str, status: int) -> None:
    server = await start(Limits())
    assert (await ask(server.port, method, path)).status == status


async def test_a_monitor_that_asks_with_head_gets_the_same_without_a_body(start: Start, handlers: Handlers) -> None:
    """Mutant: HEAD is refused with 405, and a bot that works counts as down."""
    server = await start(Limits())
    head, whole = await ask(server.port, "HEAD", "/look"), await ask(server.port, "GET", "/look")
    assert (head.status, head.body, whole.body) == (200, b"", b"0 bytes")
    assert head.headers["Content-Length"] == str(len(whole.body))


@pytest.mark.parametrize(("path", "allowed"), [("/look", "GET, HEAD"), ("/in/x", "POST")])
async def test_a_refused_method_is_told_which_ones_are_taken(start: Start, path: str, allowed: str) -> None:
    server = await start(Limits())
    assert (await ask(server.port, "OPTIONS", path)).headers["Allow"] == allowed


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /look HTTP/1.0\r\n\r\n",
        b"HEAD /look HTTP/1.0\r\n\r\n",
        b"GET /look HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: keep-alive\r\n\r\n",
        b"GET http://bot.example.org/look HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /look?cache=1 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\n\r\n",
        b"GET /look HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET /look HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
    ],
    ids=["http-1.0", "head-1.0", "keep-alive", "absolute", "query", "h2c", "expect"],
)
async def test_every_way_in_which_monitors_ask_is_answered(start: Start, raw: bytes) -> None:
    server = await start(Limits())
    reply = await exchange(server.port, raw)
    assert reply is not None
    assert reply.status == 200


RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, no time: the connection ends with a reset (man 7 socket)."""


async def test_a_load_balancer_that_only_connects_leaves_no_line_in_the_log(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Some close at once, some reset, some send the first bytes of a TLS handshake."""
    server = await start(Limits())
    with caplog.at_level(logging.INFO):
        for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
            for ending in (None, RESET):
                probe = socket.create_connection(("127.0.0.1", server.port))
                probe.sendall(said)
                if ending is not None:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ending)
                probe.close()
        assert (await ask(server.port, "GET", "/look")).status == 200
    assert caplog.records == []


async def test_answers_tell_nothing_about_the_software_and_end_the_connection(start: Start) -> None:
    server = await start(Limits())
    for path in ("/look", "/nowhere", "/fail"):
        headers = (await ask(server.port, "GET", path)).headers
        assert (headers["Server"], headers["Connection"]) == ("Darkroom", "close")
        assert not any("aiohttp" in value.lower() or "python" in value.lower() for value in headers.values())


async def test_a_failing_handler_gives_a_plain_500_and_the_log_has_the_rest(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start(Limits())
    reply = await ask(server.port, "GET", "/fail")
    assert (reply.status, reply.body) == (500, b"Something went wrong here.")
    assert "canary-detail" in caplog.text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", ""])
async def test_any_content_encoding_is_refused_before_the_body_is_read(
    start: Start, handlers: Handlers, encoding: str
) -> None:
    server = await start(Limits())
    body = gzip.compress(b"x" * 100)
    assert (await ask(server.port, "POST", "/in/x", body, {"Content-Encoding": encoding})).status == 415
    assert handlers.seen == []


async def test_nothing_compressed_is_ever_opened(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def open_compressed(*details: object, **_: object) -> object:
        opened.append(details)
        raise AssertionError("a stranger's compressed body was opened")

    monkeypatch.setattr("aiohttp.web_protocol.HttpRequestParser", HttpRequestParserPy)
    monkeypatch.setattr("aiohttp.http_parser.DeflateBuffer", open_compressed)
    server = await start(Limits())
    bomb = gzip.compress(bytes(1_000_000))
    assert (await ask(server.port, "POST", "/in/x", bomb, {"Content-Encoding": "gzip"})).status == 415
    assert opened == []


async def test_a_body_may_have_64_kib_and_not_a_byte_more(start: Start, handlers: Handlers) -> None:
    server = await start(Limits())
    assert (await ask(server.port, "POST", "/in/x", b"x" * 65_536)).status == 200
    assert (await ask(server.port, "POST", "/in/x", b"x" * 65_537)).status == 413
    assert [len(request.body) for request in handlers.seen] == [65_536]


async def test_a_body_announced_too_large_is_refused_without_waiting_for_it(start: Start) -> None:
    server = await start(ENDLESS)
    async with asyncio.timeout(HANG_S):
        reply = await exchange(server.port, HEAD + b"Content-Length: 99999999999\r\n\r\n")
    assert reply is not None
    assert reply.status == 413


async def test_a_body_in_endless_chunks_is_cut_off_soon_after_the_cap(start: Start, handlers: Handlers) -> None:
    server = await start(Limits(body_seconds=60))
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    sent = 0
    with suppress(ConnectionError):
        while sent < 200_000_000:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            sent += 65_536
    assert sent < 20_000_000, "what the sockets' own buffers hold, not the whole body"
    assert handlers.seen == []
    await hang_up(writer)


async def test_what_arrives_at_once_takes_no_more_memory_than_was_set(start: Start) -> None:
    """Mutants: each body for itself is bounded; what has arrived or was refused counts for ever."""
    server = await start(replace(ENDLESS, arriving_bytes=150_000))
    senders = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
    for _, writer in senders:
        writer.write(HEAD + b"Content-Length: 60001\r\n\r\n" + b"x" * 60_000)
    answers = [asyncio.ensure_future(_rest(reader)) for reader, _ in senders]
    await asyncio.wait(answers, timeout=HANG_S, return_when=asyncio.FIRST_COMPLETED)
    assert [answer.result()[:12] for answer in answers if answer.done()] in ([b"HTTP/1.1 503"], [b""])
    for (_, writer), answer in zip(senders, answers, strict=True):
        if not answer.done():
            writer.write(b"x")
    said = [await answer for answer in answers]
    assert sum(each.endswith(b"60001 bytes") for each in said) == 2
    for _, writer in senders:
        await hang_up(writer)
    for _ in range(3):
        assert (await ask(server.port, "POST", "/in/x", b"x" * 60_000)).status == 200


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end; nothing when the server ended the connection before it had read everything."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_chunk_too_many_is_answered_with_413(start: Start) -> None:
    server = await start(Limits())
    reply = await exchange(
        server.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10001\r\n" + b"x" * 65_537 + b"\r\n"
    )
    assert reply is not None
    assert reply.status == 413


MALFORMED = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n\r\n\r\nhello\r\n\r\n",
    b"GET http:///x HTTP/1.1\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\n\r\n",
    b"GET http://a:99999/x HTTP/1.1\r\n\r\n",
    b"GET http://a%00b/ HTTP/1.1\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    b"GET /%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /look HTTP/9.9\r\n\r\n",
    b"GET /look HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET /look HTTP/1.1\r\nA: \x00\r\n\r\n",
    b"GET /look HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /look HTTP/1.1\r\n" + b"A: b\r\n" * 1_000 + b"\r\n",
    b"GET /in/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello",
    HEAD + b"Content-Length: -5\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdefg\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("raw", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_request_is_never_our_fault(
    start: Start, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start(Limits(head_seconds=0.3, body_seconds=0.3))
    with caplog.at_level(logging.INFO), suppress(ConnectionError):
        reply = await exchange(server.port, raw)
        assert reply is None or 400 <= reply.status < 500
    assert caplog.records == [], "strangers cannot fill the log"
    assert (await ask(server.port, "GET", "/look")).status == 200


@pytest.mark.parametrize("parser", [HttpRequestParser, HttpRequestParserPy], ids=["compiled", "python"])
async def test_damage_in_the_middle_of_a_body_is_the_senders_fault(
    start: Start, handlers: Handlers, parser: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.web_protocol.HttpRequestParser", parser)
    server = await start(Limits(body_seconds=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await ask(server.port, "GET", "/look")
    writer.write(b"not hexadecimal\r\n")
    assert (await reader.read()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))
    assert [request.path for request in handlers.seen] == ["/look"]
    await hang_up(writer)


async def test_requests_queued_behind_the_first_are_not_answered(start: Start, handlers: Handlers) -> None:
    server = await start(Limits())
    reply = await exchange(server.port, b"GET /look HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    assert reply is not None
    assert reply.body == b"0 bytes"
    assert len(handlers.seen) == 1


async def test_a_connection_that_says_nothing_is_closed_after_the_head_deadline(start: Start) -> None:
    server = await start(replace(ENDLESS, head_seconds=0.3))
    started = perf_counter()
    async with asyncio.timeout(HANG_S):
        assert await exchange(server.port) is None
    assert perf_counter() - started > 0.2


async def test_a_body_that_drips_is_answered_with_408_after_the_body_deadline(start: Start) -> None:
    server = await start(replace(ENDLESS, body_seconds=0.3))
    reply = await exchange(server.port, HEAD + b"Content-Length: 10\r\n\r\n", b"abc")
    assert reply is not None
    assert reply.status == 408


dripping = pytest.mark.parametrize(
    "opening",
    [
        b"GET /look HTTP/1.1\r\nX-Slow: ",
        HEAD + b"Content-Length: 60000\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nea60\r\n",
    ],
    ids=["head", "body", "chunk"],
)


@dripping
async def test_200_dripping_connections_are_all_closed_at_the_deadline(start: Start, opening: bytes) -> None:
    server = await start(replace(ENDLESS, head_seconds=0.5, body_seconds=0.5))
    async with asyncio.timeout(HANG_S):
        closed = await asyncio.gather(*(_drip(server.port, opening) for _ in range(200)))
    assert {answer[:12] for answer in closed} <= {b"", b"HTTP/1.1 408"}


@dripping
async def test_an_honest_request_is_answered_while_200_connections_drip(start: Start, opening: bytes) -> None:
    server = await start(ENDLESS)
    drips = [asyncio.ensure_future(_drip(server.port, opening)) for _ in range(200)]
    await asyncio.wait(drips, timeout=0.1)
    assert (await ask(server.port, "GET", "/look")).status == 200
    assert not any(drip.done() for drip in drips)
    for drip in drips:
        drip.cancel()
    await asyncio.gather(*drips, return_exceptions=True)


async def test_when_there_are_too_many_the_oldest_connection_makes_room(start: Start) -> None:
    server = await start(Limits(connections=5, head_seconds=60))
    crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
    for _ in range(3):
        assert (await ask(server.port, "GET", "/look")).status == 200
    with suppress(ConnectionError):
        assert await asyncio.wait_for(crowd[0][0].read(), HANG_S) == b""
    youngest = asyncio.ensure_future(crowd[4][0].read())
    done, _ = await asyncio.wait([youngest], timeout=0.1)
    assert not done, "only as many are dropped as needed"
    for _, writer in crowd:
        await hang_up(writer)
    with suppress(ConnectionError):
        await youngest


async def test_no_connection_outlives_its_life_even_while_its_handler_works(start: Start, handlers: Handlers) -> None:
    server = await start(replace(ENDLESS, life_seconds=1.0))
    async with asyncio.timeout(HANG_S):
        with suppress(ConnectionError):
            assert await exchange(server.port, b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n") is None
    assert handlers.entered.is_set()


async def test_a_sender_who_leaves_half_way_leaves_no_trace(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    server = await start(Limits())
    for opening in (b"GET /lo", HEAD + b"Content-Length: 10\r\n\r\nabc"):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening)
        await writer.drain()
        await hang_up(writer)
    assert (await ask(server.port, "GET", "/look")).status == 200
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_closing_does_not_wait_for_drippers(handlers: Handlers) -> None:
    server = WebServer("127.0.0.1", 0, [Route("POST", "/in/", handlers.take)], limits=ENDLESS)
    await server.start()
    port = server.port
    drips = [asyncio.ensure_future(_drip(port, b"POST /in/x HTTP/1.1\r\nX: ")) for _ in range(20)]
    await asyncio.wait(drips, timeout=0.2)
    async with asyncio.timeout(HANG_S):
        await server.close()
        await asyncio.gather(*drips)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await server.close()


async def test_a_taken_port_is_explained_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer("127.0.0.1", port, [])
        with pytest.raises(StartupError, match=rf"^DARKROOM_LISTEN cannot be 127\.0\.0\.1:{port} .*another port\.$"):
            await server.start()
        await server.close()


async def test_the_port_is_known_only_after_the_start() -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = WebServer("127.0.0.1", 0, []).port
