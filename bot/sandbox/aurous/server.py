"""A rehearsal Aurous Labs on loopback: the documented HTTP interface, with every documented fault on request.

Unlike production it takes http addresses of this machine for webhooks and serves its own pictures and uploads. Only
what Darkroom asks for is rehearsed. Source: the Aurous Labs documentation of June 2026; where its pages contradict each
other the newest one counts, and `faults.answers` switches to the other.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.account import AccountRoutes
from bot.sandbox.aurous.answers import show_balance, show_endpoint
from bot.sandbox.aurous.catalogue import make_style
from bot.sandbox.aurous.characters import CharacterRoutes
from bot.sandbox.aurous.context import ORIGINAL, REQUEST_ID, VERSION, Context, open_request, show_headers, word_refusals
from bot.sandbox.aurous.endpoints import EndpointRoutes
from bot.sandbox.aurous.events import CALLBACK_EVENTS, Announcer, WebhookEvent, make_event
from bot.sandbox.aurous.files import FileRoutes
from bot.sandbox.aurous.images import ImageRoutes
from bot.sandbox.aurous.outputs import OutputRoutes
from bot.sandbox.aurous.pictures import write_preview
from bot.sandbox.aurous.records import (
    AurousTimings,
    LedgerEntry,
    RehearsalCharacter,
    RehearsalEndpoint,
    RehearsalImage,
    RehearsalStyle,
    RehearsalTeam,
    make_id,
)
from bot.sandbox.aurous.refusals import word_status
from bot.sandbox.aurous.state import AurousWorld, StateChange
from bot.sandbox.aurous.switches import AurousFaults
from bot.sandbox.aurous.uploads import UploadRoutes
from bot.sandbox.rehearsal.connections import close_connection
from bot.sandbox.rehearsal.deliveries import Deliveries, Delivery
from bot.sandbox.rehearsal.faults import Handler, RouteFaults

BODY_CAP_BYTES = 2**20
LOOK_LEAST_S, LOOK_MOST_S = 0.02, 0.25
SHUTDOWN_S = 0.02
DEFAULT_TIMINGS = AurousTimings()


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """`status` is what the server answered, before any fault changed the answer."""

    method: str
    path: str
    status: int
    had_key: bool


class RehearsalAurous:
    """`keys`: credits by API key. `teams`: team by API key, for keys that share everything.

    A team's credits are those of its first key.
    """

    def __init__(
        self,
        folder: Path,
        keys: Mapping[str, int],
        timings: AurousTimings = DEFAULT_TIMINGS,
        now: Callable[[], datetime] | None = None,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        self._now = now or _utc_now
        team_by_key = {key: (teams or {}).get(key, f"Team of …{key[-4:]}") for key in keys}
        by_name: dict[str, RehearsalTeam] = {}
        for key, name in team_by_key.items():
            by_name.setdefault(name, RehearsalTeam(make_id("team"), name, keys[key], self._now()))
        self.faults = AurousFaults(RouteFaults(lambda status, request: word_status(status, request[REQUEST_ID])))
        self.requests: list[SeenRequest] = []
        self.base_url = ""
        self._world = AurousWorld(by_name.values(), timings, self.faults)
        self._context = Context(self._world, self.faults, folder, team_by_key, self._now, lambda: self.base_url)
        self._images = ImageRoutes(self._context)
        self._deliveries = Deliveries()
        self._announcer = Announcer(self._world, self._deliveries, self._now)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    @property
    def ledger(self) -> list[LedgerEntry]:
        return self._world.ledger

    @property
    def images(self) -> dict[str, RehearsalImage]:
        return self._world.images

    @property
    def characters(self) -> dict[str, RehearsalCharacter]:
        return self._world.characters

    @property
    def endpoints(self) -> dict[str, RehearsalEndpoint]:
        return self._world.endpoints

    @property
    def styles(self) -> list[RehearsalStyle]:
        return self._world.styles

    def paint_previews(self) -> dict[str, bytes]:
        """The pictures at the preview addresses of all styles. Blocking: paints for about a second."""
        folder = self._context.folder / "previews"
        painted = {}
        for style in self.styles:
            file = folder / f"{style.id}.jpg"
            write_preview(style, file)
            painted[f"{self.base_url}/previews/{style.id}.jpg"] = file.read_bytes()
        return painted

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook that was posted."""
        return self._deliveries.sent

    @property
    def rate_limit_scale(self) -> float:
        """Multiplies every rate limit; above 0."""
        return self._context.buckets.scale

    @rate_limit_scale.setter
    def rate_limit_scale(self, scale: float) -> None:
        self._context.buckets.scale = scale

    def team_of(self, api_key: str) -> RehearsalTeam:
        return self._world.teams[self._context.team_by_key[api_key]]

    def charged(self, api_key: str) -> float:
        """All credits that this key's team has paid."""
        team = self._context.team_by_key[api_key]
        return sum(entry.credits for entry in self.ledger if entry.team == team and entry.what.endswith(" charge"))

    def style(self, ref: str) -> RehearsalStyle:
        """By id, slug or UUID. Switch `is_active` off to retire it, set `is_text_only`, and so on."""
        return next(style for style in self._world.styles if style.answers_to(ref))

    def retire_style(self, ref: str) -> None:
        self.style(ref).is_active = False

    def add_style(self, name: str, *, slug: str | None = None, mood: str = "sea") -> RehearsalStyle:
        style = make_style(name, slug, mood, f"{name}, new in the catalogue.", len(self.styles), self._now())
        self._world.styles.append(style)
        return style

    def make_style_private(self, ref: str, api_key: str) -> None:
        """Only this key's team sees it from now on."""
        self.style(ref).team = self._context.team_by_key[api_key]

    def release(self) -> None:
        """Send the answers and webhooks that are held back."""
        self.faults.routes.release()
        self._deliveries.release()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, and advance pictures in the background. Port 0: any free port."""
        app = web.Application(client_max_size=BODY_CAP_BYTES, middlewares=[self._serve])
        app.on_response_prepare.extend([close_connection, show_headers])
        outputs = OutputRoutes(self._context)
        for routes in (
            self._images,
            outputs,
            AccountRoutes(self._context, outputs),
            FileRoutes(self._context),
            UploadRoutes(self._context),
            CharacterRoutes(self._context),
            EndpointRoutes(self._context, self._test_endpoint),
        ):
            app.add_routes(routes.table())
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
        open_request(request)
        resource = request.match_info.route.resource
        route = f"{request.method} {resource.canonical if resource else request.path}"
        self._settle()
        had_key = bool(request.headers.keys() & {"X-Api-Key", "Authorization"})
        position = len(self.requests)
        self.requests.append(SeenRequest(request.method, request.path, 0, had_key))

        async def answer(same: web.Request) -> web.StreamResponse:
            given = await word_refusals(same, handler)
            self.requests[position] = SeenRequest(same.method, same.path, given.status, had_key)
            self._settle()
            self._wake.set()
            return given

        try:
            return await self.faults.routes.serve(route, request, answer)
        finally:
            if ORIGINAL in request:
                request[ORIGINAL].is_in_flight = False

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

    def _settle(self) -> None:
        self._world.settle(self._now())
        while self._world.changes:
            self._announce(self._world.changes.pop(0))

    def _announce(self, change: StateChange) -> None:
        event = make_event(change.event, self._shown(change), self._now(), VERSION)
        subject = change.subject
        if isinstance(subject, RehearsalImage) and subject.order.webhook_url and change.event in CALLBACK_EVENTS:
            self._keep(self._announcer.call_back(subject, event))
        for endpoint in self._announcer.listeners(change):
            self._keep(self._tell(endpoint, event))

    async def _tell(self, endpoint: RehearsalEndpoint, event: WebhookEvent) -> None:
        await self._announcer.tell(endpoint, event)
        self._settle()

    def _test_endpoint(self, endpoint: RehearsalEndpoint, event: WebhookEvent) -> None:
        self._keep(self._tell(endpoint, event))

    def _shown(self, change: StateChange) -> dict[str, Any]:
        match change.subject:
            case RehearsalImage() as image:
                return self._images.shown(image)
            case RehearsalEndpoint() as endpoint:
                return show_endpoint(endpoint)
            case RehearsalTeam() as team:
                return show_balance(team, self.faults.answers.billing_mode)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _utc_now() -> datetime:
    return datetime.now(UTC)
