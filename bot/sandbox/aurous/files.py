"""The rehearsal Aurous Labs' reference files: upload and open; the checks of every uploaded photo."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web
from PIL import Image, UnidentifiedImageError

from bot.sandbox.aurous.answers import show_file
from bot.sandbox.aurous.context import Context
from bot.sandbox.aurous.records import FILE_URL_LIFE, RehearsalFile, make_id
from bot.sandbox.aurous.refusals import Refusal, malformed, missing, not_found, out_of_range
from bot.sandbox.aurous.state import own
from bot.sandbox.rehearsal.server import Caller, Routes

PHOTO_CAP_BYTES = 10 * 2**20
SIDE_CAP_PX = 4096
TEXT_CAP_BYTES = 16 * 1024
CHUNK_BYTES = 256 * 1024
PURPOSES = ("reference", "first_frame", "last_frame")
PHOTO_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(slots=True)
class ReceivedForm:
    texts: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None


class FileRoutes(Routes[Context]):
    """Source: Aurous Labs /files. The success code and the codes of refusals are assumed."""

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/files", self.upload),
            web.delete("/v1/files/{id}", self.remove),
            web.get("/files/{id}", self.open, allow_head=False),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "files_post", writes=True)
        form = await receive_form(request)
        purpose, metadata = _read_purpose(form), _read_metadata(form)

        async def work() -> web.Response:
            file = await self._store(caller, form, purpose, metadata)
            return web.json_response(self._shown(file), status=201)

        return await self._context.once(request, caller, {"purpose": purpose, "metadata": metadata}, work)

    async def remove(self, request: web.Request) -> web.Response:
        """Answered with 200 whether or not there was such a file. The body is assumed."""
        caller = self._context.authorize(request, "files_post", writes=True)
        file = own(self._context.world.files, request.match_info["id"], caller.team)
        if file is not None:
            del self._context.world.files[file.id]
        return web.json_response({"id": request.match_info["id"], "object": "file", "deleted": file is not None})

    async def _store(
        self, caller: Caller, form: ReceivedForm, purpose: str, metadata: dict[str, Any] | None
    ) -> RehearsalFile:
        if form.file is None:
            raise missing("file")
        content_type, (width_px, height_px) = await asyncio.to_thread(judge_photo, form.file, "file")
        file_id = make_id("file")
        file = RehearsalFile(
            id=file_id,
            team=caller.team,
            path=await write_photo(self._context.folder / "files" / file_id, form.file),
            purpose=purpose,
            content_type=content_type,
            size_bytes=len(form.file),
            width_px=width_px,
            height_px=height_px,
            metadata=metadata,
            created_at=self._context.now(),
        )
        self._context.world.files[file_id] = file
        return file

    async def open(self, request: web.Request) -> web.Response:
        """The file at its signed address."""
        file = self._context.world.files.get(request.match_info["id"])
        expires, signature = request.query.get("expires", ""), request.query.get("signature")
        if file is None or signature != self._context.sign(request.path, expires):
            raise not_found("file")
        if self._context.now().timestamp() >= int(expires):
            raise Refusal(403, "forbidden_resource", "This address has expired.")
        return web.Response(body=await asyncio.to_thread(file.path.read_bytes), content_type=file.content_type)

    def _shown(self, file: RehearsalFile) -> dict[str, Any]:
        return show_file(file, self._context.passing_url(f"/files/{file.id}", FILE_URL_LIFE))


def _read_purpose(form: ReceivedForm) -> str:
    if "purpose" not in form.texts:
        raise missing("purpose")
    if form.texts["purpose"] not in PURPOSES:
        raise malformed("purpose", f"has to be one of {', '.join(PURPOSES)}")
    return form.texts["purpose"]


def _read_metadata(form: ReceivedForm) -> dict[str, Any] | None:
    if "metadata" not in form.texts:
        return None
    try:
        value = json.loads(form.texts["metadata"])
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise malformed("metadata", "has to be a JSON object")
    return value


async def receive_form(request: web.Request) -> ReceivedForm:
    """Read a multipart body to its end; of a file that is too large only a part is kept."""
    if not request.content_type.startswith("multipart/"):
        raise malformed("body", "has to be multipart/form-data")
    form = ReceivedForm()
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise malformed("body", "has nested parts")
            if part.name == "file" and part.filename is not None:
                form.file = await collect(part.read_chunk, PHOTO_CAP_BYTES)
            else:
                text = await collect(part.read_chunk, TEXT_CAP_BYTES)
                form.texts[part.name or ""] = text.decode(errors="replace")
    except ValueError as error:
        raise malformed("body", "is not a whole form") from error
    return form


async def collect(read: Callable[[int], Awaitable[bytes]], cap_bytes: int) -> bytes:
    """At most one byte more than the cap, which shows that the cap was passed; all of it is read."""
    kept = bytearray()
    while chunk := await read(CHUNK_BYTES):
        kept += chunk[: cap_bytes + 1 - len(kept)]
    return bytes(kept)


def judge_photo(body: bytes, param: str) -> tuple[str, tuple[int, int]]:
    """The type by its bytes (PNG, JPEG or WebP) and the sides; up to 10 MB and 4096 pixels a side.

    Source: Aurous Labs /files.
    """
    if len(body) > PHOTO_CAP_BYTES:
        raise out_of_range(param, "may have 10 MB")
    try:
        with Image.open(io.BytesIO(body), formats=list(PHOTO_TYPES)) as photo:
            content_type, size_px = PHOTO_TYPES[photo.format or ""], photo.size
    except (OSError, UnidentifiedImageError, ValueError, KeyError, SyntaxError) as error:
        raise malformed(param, "has to be a PNG, JPEG or WebP picture") from error
    if max(size_px) > SIDE_CAP_PX:
        raise out_of_range(param, f"may have {SIDE_CAP_PX} pixels a side")
    return content_type, size_px


async def write_photo(path: Path, body: bytes) -> Path:
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(path.write_bytes, body)
    return path
