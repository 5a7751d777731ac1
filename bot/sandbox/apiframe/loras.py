"""The rehearsal Apiframe's LoRA routes: create, list, look, archive."""

import asyncio
import shutil
from typing import Any

from aiohttp import web

from bot.sandbox.apiframe.answers import show_lora
from bot.sandbox.apiframe.context import Context, Refusal, choice_in_query, id_in_path, page_of
from bot.sandbox.apiframe.orders import PHOTO_CAP_BYTES, check_training, receive_form
from bot.sandbox.apiframe.state import RehearsalLora, make_id
from bot.sandbox.rehearsal.server import Caller, Routes


class LoraRoutes(Routes[Context]):
    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/loras", self.create),
            web.get("/v2/loras", self.list_page),
            web.get("/v2/loras/{id}", self.show),
            web.delete("/v2/loras/{id}", self.archive),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Checks in the order 401/403, 400, 429, 402, which the documentation leaves open."""
        caller = self._context.caller(request)
        lora_id = make_id()
        folder = self._context.folder / "loras" / lora_id
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            lora = await self._receive(request, caller, lora_id)
            self._context.world.add_lora(lora)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder))
            raise
        return web.json_response({"id": lora.id, "status": "PENDING", "imageCount": len(lora.photos)}, status=202)

    async def _receive(self, request: web.Request, caller: Caller, lora_id: str) -> RehearsalLora:
        form = await receive_form(request, self._context.folder / "loras" / lora_id, "images", PHOTO_CAP_BYTES)
        fields = check_training(form).model_dump()
        if self._context.world.trainings_in_flight(caller.team) >= self._context.faults.answers.training_cap:
            retry_after = self._context.faults.answers.retry_after_at_cap
            headers = {} if retry_after is None else {"Retry-After": retry_after}
            raise Refusal(429, "Too many trainings at the same time", headers)
        now = self._context.now()
        return RehearsalLora(
            id=lora_id,
            team=caller.team,
            api_key=caller.api_key,
            photos=tuple(file.path for file in form.files),
            **fields,
            number=len(self._context.world.loras) + 1,
            created_at=now,
            state_since=now,
        )

    async def list_page(self, request: web.Request) -> web.Response:
        caller = self._context.caller(request)
        archived_too = choice_in_query(request, "includeArchived", ("false", "true")) == "true"
        team = [lora for lora in reversed(self._context.world.loras.values()) if lora.team == caller.team]
        page, cursor = page_of(request, team, 24, lambda lora: archived_too or lora.status != "ARCHIVED")
        return web.json_response({"items": [self._shown(lora) for lora in page], "nextCursor": cursor})

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(self._shown(self._own(request)))

    async def archive(self, request: web.Request) -> web.Response:
        self._own(request).status = "ARCHIVED"
        return web.Response(status=204)

    def _own(self, request: web.Request) -> RehearsalLora:
        """The LoRA of the path; 404 for an unknown one and for another team's."""
        caller = self._context.caller(request)
        lora = self._context.world.loras.get(id_in_path(request))
        if lora is None or lora.team != caller.team:
            raise Refusal(404, "LoRA not found")
        return lora

    def _shown(self, lora: RehearsalLora) -> dict[str, Any]:
        extra = {"shinyNewField": {"nested": [1]}} if self._context.faults.answers.extra_fields else {}
        return show_lora(lora) | extra
