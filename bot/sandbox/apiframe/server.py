"""A rehearsal Apiframe on loopback: the documented HTTP interface, with every documented fault on request.

Unlike production it takes http addresses for webhooks and serves its own files. Progress webhooks are accepted in an
order and never sent. Source: Apiframe /docs and OpenAPI 2.0.0.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.sandbox.apiframe.answers import MODELS, job_event, lora_event, show_account
from bot.sandbox.apiframe.context import Context, RehearsalFaults, choice_in_query, word_refusals
from bot.sandbox.apiframe.images import ImageRoutes
from bot.sandbox.apiframe.loras import LoraRoutes
from bot.sandbox.apiframe.state import LedgerEntry, RehearsalJob, RehearsalLora, RehearsalTimings, RehearsalWorld
from bot.sandbox.rehearsal.connections import close_connection
from bot.sandbox.rehearsal.deliveries import Deliveries, Delivery
from bot.sandbox.rehearsal.faults import Handler

JSON_CAP_BYTES = 2**20
LOOK_LEAST_S, LOOK_MOST_S = 0.02, 0.25
SHUTDOWN_S = 0.02
DEFAULT_TIMINGS = RehearsalTimings()


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """`status` is what the server answered, before any fault changed the answer."""

    method: str
    path: str
    status: int


class RehearsalApiframe:
    """`accounts`: credits by API key. `teams`: team by API key, for keys that share LoRAs and credits.

    A team's credits are those of its first key.
    """

    def __init__(
        self,
        folder: Path,
        accounts: Mapping[str, int],
        timings: RehearsalTimings = DEFAULT_TIMINGS,
        now: Callable[[], datetime] | None = None,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        team_by_key = {key: (teams or {}).get(key, f"Team of …{key[-4:]}") for key in accounts}
        credits_by_team: dict[str, int] = {}
        for key, team in team_by_key.items():
            credits_by_team.setdefault(team, accounts[key])
        self.faults = RehearsalFaults()
        self.requests: list[SeenRequest] = []
        self.base_url = ""
        self._now = now or _utc_now
        self._world = RehearsalWorld(credits_by_team, timings, self.faults)
        self._context = Context(self._world, self.faults, folder, team_by_key, self._now)
        self._images = ImageRoutes(self._context, lambda: self.base_url)
        self._deliveries = Deliveries(self.faults.webhooks)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def ledger(self) -> list[LedgerEntry]:
        return self._world.ledger

    @property
    def loras(self) -> dict[str, RehearsalLora]:
        return self._world.loras

    @property
    def jobs(self) -> dict[str, RehearsalJob]:
        return self._world.jobs

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook that was posted."""
        return self._deliveries.sent

    def lora_names(self) -> list[str]:
        return [lora.name for lora in self.loras.values()]

    def credits_of(self, api_key: str) -> int:
        return self._world.credits[self._context.team_by_key[api_key]]

    def release(self) -> None:
        """Send the answers and webhooks that are held back."""
        self.faults.routes.release()
        self._deliveries.release()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, and advance trainings and jobs in the background. Port 0: any free port."""
        app = web.Application(client_max_size=JSON_CAP_BYTES, middlewares=[self._serve])
        app.on_response_prepare.append(close_connection)
        app.add_routes(LoraRoutes(self._context).table())
        app.add_routes(self._images.table())
        app.add_routes([web.get("/v2/me", self._show_account), web.get("/v2/models", self._list_models)])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.base_url = f"http://{host}:{self._runner.addresses[0][1]}"
        self._session = aiohttp.ClientSession()
        self._keep(asyncio.create_task(self._move_on()))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = f"{request.method} {resource.canonical if resource else request.path}"
        self._settle()
        position = len(self.requests)
        self.requests.append(SeenRequest(request.method, request.path, 0))
        answer = await self.faults.routes.serve(route, request, lambda same: self._answer(same, handler, position))
        self.requests[position] = SeenRequest(request.method, request.path, answer.status)
        return answer

    async def _answer(self, request: web.Request, handler: Handler, position: int) -> web.StreamResponse:
        answer = await word_refusals(request, handler)
        self.requests[position] = SeenRequest(request.method, request.path, answer.status)
        self._wake.set()
        return answer

    async def _show_account(self, request: web.Request) -> web.Response:
        caller = self._context.caller(request)
        left = self._world.credits[caller.team]
        return web.json_response(show_account(caller.api_key, caller.team, left, self.faults.answers))

    async def _list_models(self, request: web.Request) -> web.Response:
        modality = choice_in_query(request, "modality", ("", "image", "video", "music"))
        return web.json_response({"models": [model for model in MODELS if modality in {"", model["modality"]}]})

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
        for subject in self._world.settle(self._now()):
            event = "completed" if subject.status in {"READY", "COMPLETED"} else "failed"
            if subject.webhook_url and event in subject.webhook_events:
                self._keep(asyncio.create_task(self._announce(subject, subject.webhook_url, event)))

    async def _announce(self, subject: RehearsalLora | RehearsalJob, url: str, event: str) -> None:
        if self._session is None:
            return
        fault = self.faults.webhooks.take()
        if isinstance(subject, RehearsalJob):
            payload = job_event(subject, self._images.urls(subject), fault)
        else:
            payload = lora_event(subject)
        body = json.dumps(payload, separators=(",", ":")).encode()
        delivered = await self._deliveries.deliver(self._session, url, body, event, subject.api_key, fault)
        if isinstance(subject, RehearsalJob):
            subject.webhook_status = "delivered" if delivered else "failed"

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _utc_now() -> datetime:
    return datetime.now(UTC)
