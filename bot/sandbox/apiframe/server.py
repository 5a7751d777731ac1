"""A rehearsal Apiframe on loopback: the documented HTTP interface, with every documented fault on request.

Unlike production it takes http addresses for webhooks and serves its own files. Progress webhooks are accepted in an
order and never sent. Source: Apiframe /docs and OpenAPI 2.0.0.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aiohttp import web

from bot.sandbox.apiframe.answers import MODELS, job_event, lora_event, show_account, sign
from bot.sandbox.apiframe.context import Context, RehearsalFaults, choice_in_query, word_refusals
from bot.sandbox.apiframe.images import ImageRoutes
from bot.sandbox.apiframe.loras import LoraRoutes
from bot.sandbox.apiframe.state import (
    RehearsalJob,
    RehearsalLora,
    RehearsalTimings,
    RehearsalWorld,
    make_id,
    make_trigger_word,
)
from bot.sandbox.rehearsal.server import RehearsalServer, share_keys

DEFAULT_TIMINGS = RehearsalTimings()
HURRIED = RehearsalTimings(pending_s=0, uploading_s=0, training_s=0, image_queue_s=0, image_work_s=0)


class RehearsalApiframe(RehearsalServer):
    """`accounts`: credits by API key. `teams`: team by API key, for keys that share LoRAs and credits.

    A team's credits are those of its first key.
    """

    _inner = (word_refusals,)

    def __init__(
        self,
        folder: Path,
        accounts: Mapping[str, int],
        timings: RehearsalTimings = DEFAULT_TIMINGS,
        now: Callable[[], datetime] | None = None,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(now)
        team_by_key, credits_by_team = share_keys(accounts, teams)
        self.faults: RehearsalFaults = RehearsalFaults()
        self._world: RehearsalWorld = RehearsalWorld(credits_by_team, timings, self.faults)
        self.ledger, self.loras, self.jobs = self._world.ledger, self._world.loras, self._world.jobs
        self._context = Context(folder, team_by_key, self._now, lambda: self.base_url, self._world, self.faults)
        self._images = ImageRoutes(self._context)

    def lora_names(self) -> list[str]:
        return [lora.name for lora in self.loras.values()]

    def credits_of(self, api_key: str) -> int:
        return self._world.credits[self._context.team_by_key[api_key]]

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Meanwhile trainings and pictures take no time."""
        timings, self._world.timings = self._world.timings, HURRIED
        try:
            yield
        finally:
            self._world.timings = timings

    def add_trained(self, api_key: str, name: str, photos: Sequence[Path]) -> RehearsalLora:
        """A LoRA of this key's team, as if trained earlier."""
        now, number = self._now(), len(self.loras) + 1
        lora = RehearsalLora(
            id=make_id(),
            team=self._context.team_by_key[api_key],
            api_key=api_key,
            name=name,
            subject_kind="object",
            gender=None,
            ethnicity=None,
            age=None,
            steps=1000,
            rank=32,
            photos=tuple(photos),
            webhook_url=None,
            webhook_events=(),
            number=number,
            created_at=now,
            state_since=now,
            status="READY",
            trigger_word=make_trigger_word(number),
        )
        self.loras[lora.id] = lora
        return lora

    def _routes(self) -> Iterable[web.RouteDef]:
        own = web.get("/v2/me", self._show_account), web.get("/v2/models", self._list_models)
        return (*LoraRoutes(self._context).table(), *self._images.table(), *own)

    async def _show_account(self, request: web.Request) -> web.Response:
        caller = self._context.caller(request)
        left = self._world.credits[caller.team]
        return web.json_response(show_account(caller.api_key, caller.team, left, self.faults.answers))

    async def _list_models(self, request: web.Request) -> web.Response:
        modality = choice_in_query(request, "modality", ("", "image", "video", "music"))
        return web.json_response({"models": [model for model in MODELS if modality in {"", model["modality"]}]})

    def _settle(self) -> None:
        for subject in self._world.settle(self._now()):
            event = "completed" if subject.status in {"READY", "COMPLETED"} else "failed"
            if subject.webhook_url and event in subject.webhook_events:
                self._keep(self._announce(subject, subject.webhook_url, event))

    async def _announce(self, subject: RehearsalLora | RehearsalJob, url: str, event: str) -> None:
        switches = self.faults.webhooks
        fault = switches.take()
        if isinstance(subject, RehearsalJob):
            payload = job_event(subject, self._images.urls(subject), fault)
        else:
            payload = lora_event(subject)

        def prove(body: bytes) -> Mapping[str, str]:
            return {"X-Webhook-Signature": switches.prefix + sign(body, subject.api_key, switches.variant)}

        body = json.dumps(payload, separators=(",", ":")).encode()
        delivered = await self._deliveries.send(url, body, {"X-Webhook-Event": event}, prove, fault)
        if isinstance(subject, RehearsalJob):
            subject.webhook_status = "delivered" if delivered else "failed"
