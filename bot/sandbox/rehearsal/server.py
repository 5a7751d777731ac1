"""What every rehearsal server does: listen on loopback, note requests, apply faults, move its state on by time."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.rehearsal.connections import close_connection
from bot.sandbox.rehearsal.deliveries import Deliveries
from bot.sandbox.rehearsal.faults import Handler, ServerFaults, drain

BODY_CAP_BYTES = 2**20
KEY_HEADERS = ("X-Api-Key", "Authorization")
LOOK_LEAST_S, LOOK_MOST_S = 0.02, 0.25
SHUTDOWN_S = 0.02

Preparing = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


@dataclass(slots=True)
class SeenRequest:
    """`status` is what the server answered, before any fault changed the answer; 0 while there is no answer."""

    method: str
    path: str
    had_key: bool
    status: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    api_key: str
    team: str


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What the routes of every server need. `base_url` is known once the server listens."""

    folder: Path
    team_by_key: Mapping[str, str]
    now: Callable[[], datetime]
    base_url: Callable[[], str]


ContextT = TypeVar("ContextT", bound=ServerContext)


class Routes(ABC, Generic[ContextT]):
    def __init__(self, context: ContextT) -> None:
        self._context = context

    @abstractmethod
    def table(self) -> list[web.RouteDef]: ...


class TimedWorld(Protocol):
    def next_due(self) -> datetime | None:
        """When the next state ends; None when nothing is unfinished or everything is held."""


class RehearsalServer(ABC):
    """`_outer` are the middlewares around the faults, `_inner` those that make the answer which a fault spoils.

    `_on_prepare` is called with each answer before its headers are sent.
    """

    faults: ServerFaults
    _world: TimedWorld
    _outer: tuple[Middleware, ...] = ()
    _inner: tuple[Middleware, ...] = ()
    _on_prepare: tuple[Preparing, ...] = ()

    def __init__(self, now: Callable[[], datetime] | None) -> None:
        self.requests: list[SeenRequest] = []
        self.base_url = ""
        self._now = now or _utc_now
        self._deliveries = Deliveries()
        self.deliveries = self._deliveries.sent
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def _routes(self) -> Iterable[web.RouteDef]: ...

    @abstractmethod
    def _settle(self) -> None:
        """Bring the state to this moment and announce what has changed."""

    def release(self) -> None:
        """Send the answers and webhooks that are held back."""
        self.faults.routes.release()
        self._deliveries.release()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, and advance the state in the background. Port 0: any free port."""
        app = web.Application(client_max_size=BODY_CAP_BYTES, middlewares=[*self._outer, self._serve, *self._inner])
        app.on_response_prepare.extend([close_connection, *self._on_prepare])
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.base_url = f"http://{host}:{self._runner.addresses[0][1]}"
        self._keep(self._move_on())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = f"{request.method} {resource.canonical if resource else request.path}"
        self._settle()
        seen = SeenRequest(request.method, request.path, any(name in request.headers for name in KEY_HEADERS))
        self.requests.append(seen)

        async def answer(same: web.Request) -> web.StreamResponse:
            given = await handler(same)
            if given.status >= 400:
                await drain(same)
            seen.status = given.status
            self._settle()
            self._wake.set()
            return given

        return await self.faults.routes.serve(route, request, answer)

    async def _move_on(self) -> None:
        """Advance the state when one is due, after each request, and several times a second for clocks of tests."""
        while True:
            self._settle()
            due = self._world.next_due()
            timeout_s = None
            if due is not None:
                timeout_s = min(max((due - self._now()).total_seconds(), LOOK_LEAST_S), LOOK_MOST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            self._wake.clear()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()


def share_keys(keys: Mapping[str, int], teams: Mapping[str, str] | None) -> tuple[dict[str, str], dict[str, int]]:
    """Each key's team, and each team's credits, which are those of its first key.

    `keys`: credits by API key. `teams`: team by API key; a key that is not in it has a team of its own.
    """
    team_by_key = {key: (teams or {}).get(key, f"Team of …{key[-4:]}") for key in keys}
    credits_by_team: dict[str, int] = {}
    for key, team in team_by_key.items():
        credits_by_team.setdefault(team, keys[key])
    return team_by_key, credits_by_team


def _utc_now() -> datetime:
    return datetime.now(UTC)
