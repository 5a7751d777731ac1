"""What the rehearsal Apiframe accepts as an order: streamed photo forms, closed JSON bodies, documented limits."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from bot.sandbox.apiframe.params import EDITS, GENERATORS, is_url

MIB = 2**20
PHOTO_CAP_BYTES = 10 * MIB
PHOTOS_CAP_BYTES = 100 * MIB
UPLOAD_CAP_BYTES = 25 * MIB
PHOTOS_LEAST, PHOTOS_MOST = 15, 30
TEXT_CAP_BYTES = 4096
CHUNK_BYTES = 256 * 1024
JSON_EVENTS = frozenset({"progress", "completed", "failed"})
FORM_EVENTS = frozenset({"completed", "failed"})
FORM_FIELDS = frozenset(
    {"name", "subjectKind", "gender", "ethnicity", "age", "steps", "loraRank", "webhookUrl", "webhookEvents"}
)


class BadOrder(Exception):
    """A 400; `details` maps a JSON path to messages."""

    def __init__(self, details: Mapping[str, Sequence[str]]) -> None:
        super().__init__("Validation failed")
        self.details = {path: list(messages) for path, messages in details.items()}


@dataclass(slots=True)
class ReceivedFile:
    path: Path
    size: int
    content_type: str | None


@dataclass(slots=True)
class ReceivedForm:
    texts: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)
    complaints: dict[str, list[str]] = field(default_factory=dict)

    def complain(self, path: str, message: str) -> None:
        self.complaints.setdefault(path, []).append(message)


@dataclass(frozen=True, slots=True)
class TrainingFields:
    name: str
    subject_kind: str
    gender: str | None
    ethnicity: str | None
    age: str | None
    steps: int
    rank: int
    webhook_url: str | None
    webhook_events: tuple[str, ...]


async def receive_form(request: web.Request, folder: Path, file_field: str, file_cap_bytes: int) -> ReceivedForm:
    """Stream a multipart body: files of `file_field` go to `folder`, never whole into memory; all of it is read."""
    if not request.content_type.startswith("multipart/"):
        raise BadOrder({"": ["Expected multipart/form-data"]})
    form = ReceivedForm()
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise BadOrder({"": ["Nested multipart"]})
            if part.filename is not None and part.name == file_field:
                await _receive_file(part, form, folder, file_cap_bytes)
            else:
                form.texts[part.name or ""] = await _receive_text(part)
    except ValueError as error:
        raise BadOrder({"": ["Malformed multipart body"]}) from error
    return form


async def _receive_file(part: BodyPartReader, form: ReceivedForm, folder: Path, cap_bytes: int) -> None:
    number = len(form.files) + 1
    path = folder / f"photo-{number:02}"
    size, head = 0, b""
    # Opened here and not in a thread: a cancelled upload could otherwise leave it open.
    with path.open("wb") as target:
        while chunk := await part.read_chunk(CHUNK_BYTES):
            head = (head + chunk)[:12]
            size += len(chunk)
            if size <= cap_bytes and number <= PHOTOS_MOST:
                await asyncio.to_thread(target.write, chunk)
    if size > cap_bytes:
        form.complain(f"images.{number - 1}", f"Too big: expected at most {cap_bytes // MIB} MB")
    form.files.append(ReceivedFile(path, size, sniff(head)))


async def _receive_text(part: BodyPartReader) -> str:
    text = b""
    while chunk := await part.read_chunk(CHUNK_BYTES):
        text = (text + chunk)[: TEXT_CAP_BYTES + 1]
    return text.decode(errors="replace")


def sniff(head: bytes) -> str | None:
    """The type that the first 12 bytes show."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if head[:6] in {b"GIF87a", b"GIF89a"} else None


def check_training(form: ReceivedForm) -> TrainingFields:
    """Source: Apiframe /docs/loras/create."""
    _check_photos(form)
    texts = form.texts
    for name in texts.keys() - FORM_FIELDS:
        form.complain(name, "Unrecognized key")
    _check_length(form, "name", 60, required=True)
    kind = texts.get("subjectKind", "person")
    if kind not in {"person", "style", "object"}:
        form.complain("subjectKind", "Invalid option")
    if kind == "person":
        if texts.get("gender") not in {"female", "male", "non-binary"}:
            form.complain("gender", "Invalid option")
        _check_length(form, "ethnicity", 40, required=True)
    _check_length(form, "age", 40, required=False)
    steps = _whole_text(form, "steps", 1000, 500, 3000)
    rank = _whole_text(form, "loraRank", 32, 8, 64)
    events = tuple(texts.get("webhookEvents", "completed,failed").split(","))
    if not set(events) <= FORM_EVENTS:
        form.complain("webhookEvents", "Invalid option")
    if "webhookUrl" in texts and not is_url(texts["webhookUrl"]):
        form.complain("webhookUrl", "Invalid URL")
    if form.complaints:
        raise BadOrder(form.complaints)
    gender, ethnicity = (texts.get("gender"), texts.get("ethnicity")) if kind == "person" else (None, None)
    return TrainingFields(
        texts["name"], kind, gender, ethnicity, texts.get("age"), steps, rank, texts.get("webhookUrl"), events
    )


def _check_photos(form: ReceivedForm) -> None:
    if not PHOTOS_LEAST <= len(form.files) <= PHOTOS_MOST:
        form.complain("images", f"Expected {PHOTOS_LEAST} to {PHOTOS_MOST} images, received {len(form.files)}")
    if sum(file.size for file in form.files) > PHOTOS_CAP_BYTES:
        form.complain("images", "Too big: expected at most 100 MB in total")
    for number, file in enumerate(form.files):
        if file.content_type not in {"image/jpeg", "image/png", "image/webp"}:
            form.complain(f"images.{number}", "Unsupported image type")


def _check_length(form: ReceivedForm, name: str, most: int, *, required: bool) -> None:
    text = form.texts.get(name)
    if text is None:
        if required:
            form.complain(name, "Invalid input: expected string, received undefined")
    elif not 1 <= len(text) <= most:
        form.complain(name, f"Expected string to have 1 to {most} characters")


def _whole_text(form: ReceivedForm, name: str, default: int, least: int, most: int) -> int:
    text = form.texts.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most:
        return int(text)
    form.complain(name, f"Expected a number from {least} to {most}")
    return default


def parse_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadOrder({"": ["Invalid JSON"]}) from error
    if not isinstance(value, dict):
        raise BadOrder({"": ["Invalid input: expected object"]})
    return value


def check_generation(body: Mapping[str, Any]) -> dict[str, Any]:
    """The model's checked parameters; bodies are closed. Source: Apiframe /docs/images and OpenAPI 2.0.0."""
    block = GENERATORS.get(str(body.get("model")))
    if block is None:
        raise BadOrder({"model": [f"Invalid option: the rehearsal knows {', '.join(GENERATORS)}"]})
    complaints = check_envelope(body, {"model", "prompt", block.name}) | block.complaints(body)
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        complaints["prompt"] = ["Invalid input: expected string"]
    elif len(prompt) > 2000:
        complaints["prompt"] = ["Too big: expected string to have <=2000 characters"]
    if complaints:
        raise BadOrder(complaints)
    return block.read(body)


def check_edit(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The same for what works on one picture; such a body has no prompt. Source: Apiframe OpenAPI 2.0.0."""
    block = EDITS[operation].get(str(body.get("model")))
    if block is None:
        raise BadOrder({"model": ["Invalid option"]})
    if complaints := check_envelope(body, {"model", block.name}) | block.complaints(body):
        raise BadOrder(complaints)
    return block.read(body)


def check_envelope(body: Mapping[str, Any], keys: Collection[str]) -> dict[str, list[str]]:
    """Complaints about unknown keys and the webhook, which every order may carry."""
    complaints = {key: ["Unrecognized key"] for key in body if key not in {*keys, "webhookUrl", "webhookEvents"}}
    if "webhookUrl" in body and not is_url(body["webhookUrl"]):
        complaints["webhookUrl"] = ["Invalid URL"]
    events = body.get("webhookEvents", ["completed"])
    if not (
        isinstance(events, list) and events and all(isinstance(event, str) and event in JSON_EVENTS for event in events)
    ):
        complaints["webhookEvents"] = ["Invalid option"]
    return complaints
