"""The rehearsal Apiframe's picture routes: order pictures, look at jobs, upload, and fetch the files."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.apiframe.answers import moment_text, price_of, show_job
from bot.sandbox.apiframe.context import Context, Refusal, id_in_path, page_of
from bot.sandbox.apiframe.orders import (
    UPLOAD_CAP_BYTES,
    BadOrder,
    ReceivedFile,
    check_order,
    receive_form,
)
from bot.sandbox.apiframe.params import ORDERS, params_of
from bot.sandbox.apiframe.state import JobFault, RehearsalJob, RehearsalLora, make_id
from bot.sandbox.rehearsal import painting
from bot.sandbox.rehearsal.server import Caller, Routes

IDEMPOTENCY_KEY_CAP = 255
UPLOAD_LIFE = timedelta(hours=1)


class ImageRoutes(Routes[Context]):
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._uploads: dict[str, ReceivedFile] = {}
        self._composing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/images/generate", self.order),
            web.post("/v2/images/{operation:upscale|background-remove}", self.order),
            web.get("/v2/jobs", self.list_page),
            web.get("/v2/jobs/{id}", self.show),
            web.post("/v2/uploads", self.upload),
            web.get("/images/{name}", self.file),
            web.get("/uploads/{id}", self.uploaded_file),
        ]

    def urls(self, job: RehearsalJob) -> list[str]:
        return [f"{self._context.base_url()}/images/{name}" for name in job.file_names]

    async def order(self, request: web.Request) -> web.Response:
        caller, raw = self._context.caller(request), await request.read()
        if replay := self._replay(request, caller, raw):
            return replay
        order = check_order(ORDERS[request.match_info.get("operation", "generate")], raw)
        params = params_of(order)
        if "loraId" in params:
            sources = self._usable_lora(caller, params["loraId"]).photos
        elif "image" in params:
            sources = await self._sources(f"{order['model']}: image", [params["image"]])
        else:
            sources = await self._sources("fluxParams.input_images", params.get("input_images", []))
        job = self._job(caller, order, sources)
        self._context.world.add_job(job)
        if key := request.headers.get("Idempotency-Key"):
            self._context.world.remember(job.api_key, key, raw, job)
        return web.json_response({"jobId": job.id, "status": "QUEUED"}, status=202)

    def _replay(self, request: web.Request, caller: Caller, raw: bytes) -> web.Response | None:
        """The answer to a repeated order. A changed body under the same key is refused, as the SDK expects."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not 1 <= len(key) <= IDEMPOTENCY_KEY_CAP:
            raise BadOrder({"Idempotency-Key": ["Expected 1 to 255 characters"]})
        found = self._context.world.replayed(caller.api_key, key, raw, self._context.now())
        if found is None:
            return None
        job, is_same = found
        if not is_same:
            raise Refusal(409, "Idempotency key was used with a different request")
        return web.json_response({"jobId": job.id, "status": job.status}, status=202)

    def _usable_lora(self, caller: Caller, lora_id: str) -> RehearsalLora:
        lora = self._context.world.loras.get(lora_id)
        if lora is None or lora.team != caller.team:
            raise Refusal(self._context.faults.answers.unknown_lora_status, "LoRA not found")
        if lora.status != "READY":
            raise BadOrder({"fluxLoraParams.loraId": ["LoRA is not ready"]})
        return lora

    def _job(self, caller: Caller, order: Mapping[str, Any], sources: tuple[Path, ...]) -> RehearsalJob:
        job_id, now, params = make_id(), self._context.now(), params_of(order)
        count = params.get("num_outputs", 1)
        return RehearsalJob(
            id=job_id,
            team=caller.team,
            api_key=caller.api_key,
            model=order["model"],
            order=order,
            sources=sources,
            count=count,
            file_format=params.get("output_format", "png"),
            cost=count * price_of(order["model"]),
            webhook_url=order.get("webhookUrl"),
            webhook_events=tuple(order.get("webhookEvents", ("completed", "failed"))),
            seed=params.get("seed", int(job_id[:8], 16)),
            created_at=now,
            state_since=now,
        )

    async def show(self, request: web.Request) -> web.Response:
        caller = self._context.caller(request)
        job = self._context.world.jobs.get(id_in_path(request))
        if job is None or job.api_key != caller.api_key:
            raise Refusal(404, "Job not found")
        return web.json_response(self._shown(job) | {"input": job.order})

    async def list_page(self, request: web.Request) -> web.Response:
        """The newest first; those of the caller's key alone. Source: Apiframe OpenAPI 2.0.0."""
        caller = self._context.caller(request)
        own = [job for job in reversed(self._context.world.jobs.values()) if job.api_key == caller.api_key]
        page, cursor = page_of(request, own, 20)
        shown = [self._shown(job) for job in page]
        return web.json_response({"jobs": shown, "nextCursor": cursor, "hasMore": cursor is not None})

    def _shown(self, job: RehearsalJob) -> dict[str, Any]:
        answers = self._context.faults.answers
        extra = {"shinyNewField": {"nested": [1]}} if answers.extra_fields else {}
        return show_job(job, self.urls(job), answers) | extra

    async def upload(self, request: web.Request) -> web.Response:
        self._context.caller(request)
        upload_id = make_id()
        folder = self._context.folder / "uploads" / upload_id
        await asyncio.to_thread(folder.mkdir, parents=True)
        form = await receive_form(request, folder, "file", UPLOAD_CAP_BYTES)
        if form.complaints or len(form.files) != 1 or form.files[0].content_type is None:
            raise BadOrder({"file": ["Expected one image of at most 25 MB"]})
        self._uploads[upload_id] = received = form.files[0]
        body = {
            "id": upload_id,
            "url": f"{self._context.base_url()}/uploads/{upload_id}",
            "kind": "image",
            "contentType": received.content_type,
            "byteSize": received.size,
            "expiresAt": moment_text(self._context.now() + UPLOAD_LIFE),
        }
        return web.json_response(body, status=201)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """No key is asked for, as at the real CDN."""
        name = request.match_info["name"]
        path = await self._composed(name)
        if path is None:
            raise Refusal(404, "File not found")
        content_type = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}[path.suffix[1:]]
        return web.FileResponse(path, headers={"Content-Type": content_type})

    async def uploaded_file(self, request: web.Request) -> web.StreamResponse:
        received = self._uploads.get(id_in_path(request))
        if received is None or received.content_type is None:
            raise Refusal(404, "File not found")
        return web.FileResponse(received.path, headers={"Content-Type": received.content_type})

    async def _sources(self, field: str, urls: Sequence[object]) -> tuple[Path, ...]:
        found = [await self._source(url) for url in urls]
        sources = tuple(path for path in found if path is not None)
        if len(sources) < len(urls):
            raise BadOrder({field: ["The image could not be fetched; the rehearsal knows only its own files"]})
        return sources

    async def _source(self, url: object) -> Path | None:
        """The file behind one of our own addresses."""
        text = str(url)
        if text.startswith(f"{self._context.base_url()}/uploads/"):
            received = self._uploads.get(text.rpartition("/")[2])
            return received.path if received else None
        return (
            await self._composed(text.rpartition("/")[2])
            if text.startswith(f"{self._context.base_url()}/images/")
            else None
        )

    async def _composed(self, name: str) -> Path | None:
        """The picture file, composed at the first request; None when the job has no such picture."""
        job = self._context.world.jobs.get(name[:36])
        if job is None or job.status != "COMPLETED" or job.expired or name not in job.file_names:
            return None
        if job.fault is JobFault.ONE_GONE and name == job.file_names[-1]:
            return None
        path = self._context.folder / "images" / name
        async with self._composing[name]:
            side_cap_px = self._context.faults.answers.picture_side_cap_px
            await asyncio.to_thread(_compose, job, job.file_names.index(name), path, side_cap_px)
        return path


def _compose(job: RehearsalJob, position: int, path: Path, side_cap_px: int | None) -> None:
    if path.exists():
        return
    options = params_of(job.order)
    if "prompt" in job.order:
        prompt, size = str(job.order["prompt"]), painting.shrink(_size_px(options), side_cap_px)
        painted = painting.compose(job.sources, size, prompt=prompt, seed=job.seed, position=position)
        picture = painting.encode(painted, job.file_format)
    elif job.model.endswith("upscale"):
        factor = options.get("scale_factor", options.get("upscale_factor", 2))
        picture = painting.enlarge(job.sources[0], factor, job.file_format)
    else:
        picture = painting.cut_out(job.sources[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(picture)
    unfinished.replace(path)


def _size_px(options: Mapping[str, Any]) -> tuple[int, int]:
    """The ordered sides, else about a megapixel of the ordered shape."""
    aspect = options.get("aspect_ratio", "1:1")
    width, height = (int(part) for part in aspect.split(":"))
    scale = (1024 * 1024 / (width * height)) ** 0.5
    shaped = painting.SIZES_PX.get(aspect, (round(width * scale), round(height * scale)))
    return options.get("width", shaped[0]), options.get("height", shaped[1])
