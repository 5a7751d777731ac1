"""What the rehearsal Apiframe accepts as an order: streamed photo forms, closed JSON bodies, documented limits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from aiohttp import BodyPartReader, web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bot.sandbox.apiframe.params import Url

MIB = 2**20
PHOTO_CAP_BYTES = 10 * MIB
PHOTOS_CAP_BYTES = 100 * MIB
UPLOAD_CAP_BYTES = 25 * MIB
PHOTOS_LEAST, PHOTOS_MOST = 15, 30
TEXT_CAP_BYTES = 4096
CHUNK_BYTES = 256 * 1024
Short = Annotated[str, Field(min_length=1, max_length=40)]


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


def _split(events: str) -> list[str]:
    return events.split(",")


class TrainingFields(BaseModel):
    """The texts of the form of POST /v2/loras. Source: Apiframe /docs/loras/create."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    name: Annotated[str, Field(min_length=1, max_length=60)]
    subject_kind: Literal["person", "style", "object"] = "person"
    gender: Literal["female", "male", "non-binary"] | None = None
    ethnicity: Short | None = None
    age: Short | None = None
    steps: Annotated[int, Field(ge=500, le=3000)] = 1000
    rank: Annotated[int, Field(ge=8, le=64, alias="loraRank")] = 32
    webhook_url: Url | None = None
    webhook_events: Annotated[tuple[Literal["completed", "failed"], ...], BeforeValidator(_split)] = (
        "completed",
        "failed",
    )


class PersonFields(TrainingFields):
    gender: Literal["female", "male", "non-binary"]
    ethnicity: Short


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
    """The texts of a form whose photos and texts are right, else BadOrder with everything that is wrong."""
    _check_photos(form)
    texts = dict(form.texts)
    kind: type[TrainingFields] = PersonFields
    if texts.get("subjectKind", "person") != "person":
        kind = TrainingFields
        texts = {name: text for name, text in texts.items() if name not in {"gender", "ethnicity"}}
    try:
        fields = kind.model_validate(texts)
    except ValidationError as error:
        raise BadOrder(form.complaints | complaints_of(error)) from error
    if form.complaints:
        raise BadOrder(form.complaints)
    return fields


def _check_photos(form: ReceivedForm) -> None:
    if not PHOTOS_LEAST <= len(form.files) <= PHOTOS_MOST:
        form.complain("images", f"Expected {PHOTOS_LEAST} to {PHOTOS_MOST} images, received {len(form.files)}")
    if sum(file.size for file in form.files) > PHOTOS_CAP_BYTES:
        form.complain("images", "Too big: expected at most 100 MB in total")
    for number, file in enumerate(form.files):
        if file.content_type not in {"image/jpeg", "image/png", "image/webp"}:
            form.complain(f"images.{number}", "Unsupported image type")


def check_order(adapter: TypeAdapter[Any], raw: bytes) -> dict[str, Any]:
    """What a JSON body holds, once it is checked. Raises BadOrder."""
    try:
        order: BaseModel = adapter.validate_json(raw)
    except ValidationError as error:
        raise BadOrder(complaints_of(error, depth=1)) from error
    return order.model_dump(by_alias=True, exclude_unset=True)


def complaints_of(error: ValidationError, depth: int = 0) -> dict[str, list[str]]:
    """The messages of each JSON path, from `depth` on. A list is one path with all its items."""
    complaints: dict[str, list[str]] = {}
    for wrong in error.errors():
        path = ".".join(part for part in wrong["loc"][depth:] if isinstance(part, str))
        if wrong["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            path = "model"
        message = wrong["msg"]
        if wrong["type"] == "string_too_long":
            message = f"Too big: expected string to have <={wrong['ctx']['max_length']} characters"
        complaints.setdefault(path, []).append(message)
    return complaints
