"""A stand-in of Discord on loopback: REST, gateway and CDN over real sockets, with the truth kept in the test."""

import json
import os
import re
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.waiting import HANG_S
from tests.wire.discord.answers import Answer, Call, DiscordError, Handler, Json, RouteTable, SentFile, refuse
from tests.wire.discord.faults import Fault, FaultKind, Faults
from tests.wire.discord.gateway import Gateway
from tests.wire.discord.limits import Limits
from tests.wire.discord.openapi import SPEC_VARIABLE, Breach, load_check
from tests.wire.discord.rest_application import ApplicationRoutes
from tests.wire.discord.rest_channels import ChannelRoutes
from tests.wire.discord.rest_interactions import InteractionRoutes
from tests.wire.discord.state import make_state
from tests.wire.discord.user_actions import People
from tests.wire.discord.watch import Watch, now_s

API_PREFIX = "/api/v10"
DEFAULT_TOKEN = "standin-bot-token"
BODY_CAP_BYTES = 128 * 1024 * 1024
"""Far above Discord's own limits, which are checked and answered as Discord answers them."""


class DiscordStandin(People):
    """`await start()` first. Tests read `calls`, `unknown_routes`, `breaches` and the state; nothing is reset.

    Without `is_checking` no body is held against Discord's document: that takes longer than all the rest.
    """

    def __init__(self, token: str = DEFAULT_TOKEN, *, is_checking: bool = True) -> None:
        watch = Watch()
        self.token = token
        self.gateway = Gateway(token, watch)
        super().__init__(make_state(self.gateway.dispatch, watch))
        self.gateway.serve(self.state.world)
        self.world, self.files, self.messages = self.state.world, self.state.files, self.state.messages
        self.interactions, self.commands = self.state.interactions, self.state.commands
        self.faults = Faults()
        self.watch = watch
        self.calls: list[Call] = []
        self.unknown_routes: list[str] = []
        self.breaches: list[Breach] = []
        self.limits = Limits()
        spec = os.environ.get(SPEC_VARIABLE) if is_checking else None
        self._check = load_check(spec) if spec else None
        self.application = ApplicationRoutes(self.state, lambda: self.gateway_url)
        self._routes = compile_routes(self._tables())
        self._runner: web.AppRunner | None = None
        self._base = ""

    def _tables(self) -> RouteTable:
        return self.application.table() + ChannelRoutes(self.state).table() + InteractionRoutes(self.state).table()

    @property
    def api_url(self) -> str:
        return f"http://{self._base}{API_PREFIX}"

    @property
    def gateway_url(self) -> str:
        return f"ws://{self._base}/gateway"

    @property
    def cdn_url(self) -> str:
        return f"http://{self._base}/cdn"

    async def start(self) -> None:
        app = web.Application(client_max_size=BODY_CAP_BYTES)
        app.router.add_get("/gateway", self.gateway.handle_connect)
        app.router.add_get("/gateway/resume", self.gateway.handle_resume)
        app.router.add_get("/cdn/{tail:.*}", self._serve_file)
        app.router.add_route("*", API_PREFIX + "/{tail:.*}", self._serve_call)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        await web.SockSite(self._runner, listener).start()
        self._base = f"127.0.0.1:{listener.getsockname()[1]}"
        self.files.base_url = self.cdn_url
        self.gateway.resume_url = f"{self.gateway_url}/resume"

    async def close(self) -> None:
        self.faults.close()
        self.gateway.close_all(1001)
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, predicate: Callable[[], object], what: str, seconds: float = HANG_S) -> None:
        """Wait until `predicate()` is true; an AssertionError names `what` otherwise."""
        await self.watch.until(predicate, what, seconds)

    def count(self, method: str, route: str) -> int:
        """Requests to a route template, such as POST /channels/{channel_id}/messages."""
        return sum(call.method == method and call.route == route for call in self.calls)

    def statuses(self) -> Counter[int | None]:
        """Answers by status; None counts connections cut on purpose."""
        return Counter(call.status for call in self.calls)

    async def _serve_call(self, request: web.Request) -> web.StreamResponse:
        call = await read_call(request, self._routes)
        self.calls.append(call)
        fault = self.faults.take(call)
        answer = Answer(500) if fault and not fault.after_commit else self._answer(call, request)
        return await self._finish(request, call, answer, fault)

    async def _finish(
        self, request: web.Request, call: Call, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is not None and fault.kind is not FaultKind.ANSWER:
            self.watch.changed()
            await self.faults.break_connection(request, fault)
            return web.Response(status=500)
        sent = fault.answer if fault is not None else answer
        call.status = sent.status
        self.watch.changed()
        body = b"" if sent.body is None else json.dumps(sent.body).encode()
        # Exactly this content type: with a charset discord.py takes the body for text.
        kind = {} if sent.body is None else {"Content-Type": "application/json"}
        return web.Response(status=sent.status, body=body, headers=sent.headers | self.limits.headers(call) | kind)

    def _answer(self, call: Call, request: web.Request) -> Answer:
        refused = self.limits.refuse(call)
        if refused is not None:
            return refused
        is_exempt = call.path.startswith(("/interactions/", "/webhooks/"))
        if not is_exempt and request.headers.get("Authorization") != f"Bot {self.token}":
            return refuse(0).answer()
        if call.route is None:
            self.unknown_routes.append(f"{call.method} {call.path}")
            return Answer(501, {"message": "The stand-in does not know this route", "code": 0})
        breach = self._check.breach_of(call) if self._check is not None else None
        if breach is not None:
            self.breaches.append(breach)
        try:
            return self._routes[call.method, call.route][1](call)
        except DiscordError as error:
            return error.answer()

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        """Links without their signature are refused; the proxy serves pictures only."""
        path = request.path.removeprefix("/cdn")
        call = Call("GET", path, None, {}, dict(request.query), None, (), 0, now_s())
        fault = self.faults.take(call)
        if fault is not None:
            return await self._finish(request, call, Answer(500), fault)
        match = re.fullmatch(r"/(attachments|proxy)/\d+/(\d+)/[^/]+", path)
        file = self.files.find(int(match[2])) if match else None
        if match is None or file is None or "hm" not in request.query:
            return web.Response(status=404, text="This content is no longer available.")
        if match[1] == "proxy" and not file.content_type.startswith("image/"):
            return web.Response(status=415)
        file.fetched += 1
        return web.Response(body=file.content, content_type=file.content_type)


CompiledRoutes = dict[tuple[str, str], tuple[re.Pattern[str], Handler]]


def compile_routes(table: RouteTable) -> CompiledRoutes:
    return {
        (method, template): (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)), handler)
        for method, template, handler in table
    }


async def read_call(request: web.Request, routes: CompiledRoutes) -> Call:
    path = request.path.removeprefix(API_PREFIX)
    body: Any = None
    files: tuple[SentFile, ...] = ()
    if request.content_type.startswith("multipart/"):
        body, files = await read_multipart(request)
        size = request.content_length or sum(len(file.content) for file in files)
    else:
        raw = await request.read()
        body, size = json.loads(raw) if raw else None, len(raw)
    route, params = None, {}
    for (method, template), (pattern, _) in routes.items():
        match = pattern.fullmatch(path) if method == request.method else None
        if match is not None:
            route, params = template, match.groupdict()
            break
    return Call(request.method, path, route, params, dict(request.query), body, files, size, now_s())


async def read_multipart(request: web.Request) -> tuple[Json | None, tuple[SentFile, ...]]:
    """`payload_json` and the parts named `files[n]`, in memory: a bot killed in mid-upload leaves no open file."""
    body: Json | None = None
    files: list[SentFile] = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        assert isinstance(part, BodyPartReader)
        index = re.fullmatch(r"files\[(\d+)\]", part.name or "")
        content = bytes(await part.read(decode=True))
        if part.name == "payload_json":
            body = json.loads(content)
        elif index:
            files.append(SentFile(int(index[1]), part.filename or "", content))
    return body, tuple(files)
