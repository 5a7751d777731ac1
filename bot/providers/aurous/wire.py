"""Aurous Labs' wire format: makes bodies from orders and reports from answers. No I/O."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from bot.errors import Refused
from bot.providers.answers import (
    Unreadable,
    parse_json,
    parse_object,
    read_moment,
    read_number,
    read_sentence,
    read_text,
    read_whole,
)
from bot.providers.base import (
    Account,
    Endpoint,
    GenerationOrder,
    GenerationReport,
    PhotoFile,
    Progress,
    StyleReport,
    TrainingReport,
)
from bot.records.generation import Operation

DEFAULT_TIER = "2k"

_GENERATION_WORDS = {
    "queued": Progress.WAITING,
    "pending": Progress.WAITING,
    "processing": Progress.RUNNING,
    "succeeded": Progress.READY,
    "failed": Progress.FAILED,
    "cancelled": Progress.FAILED,
    "expired": Progress.FAILED,
    "moderation_rejected": Progress.FAILED,
}
_REASONS = {
    "cancelled": "It was cancelled.",
    "expired": "It took too long.",
    "moderation_rejected": "The content was not accepted.",
}
_CHARACTER_WORDS = {
    "synthesizing": Progress.RUNNING,
    "reviewing": Progress.PREPARING,
    "ready": Progress.READY,
    "failed": Progress.FAILED,
    "deleted": Progress.ARCHIVED,
    "cancelled": Progress.ARCHIVED,
}
"""A character under review is finished and has to be saved."""
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_NO_REASON = "Aurous Labs gave no reason."


@dataclass(frozen=True, slots=True)
class Ticket:
    """The address that takes one photo of a character; signed, valid for 15 minutes (/characters/upload-init)."""

    upload_id: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def build_generation(order: GenerationOrder) -> dict[str, Any]:
    """The body of POST /v1/images and of its estimate. Source: Aurous Labs /images/create-image."""
    if order.operation is not Operation.IMAGINE:
        raise Refused("Aurous Labs cannot enlarge pictures or remove their background.")
    settings = order.settings
    body = {
        "prompt": order.prompt,
        "negative_prompt": settings.negative or None,
        "lora_id": order.style or order.lora,
        "character_id": order.character,
        "reference_image_urls": list(order.references) or None,
        "size": _size(order),
        "width": settings.width,
        "height": settings.height,
        "steps": settings.steps,
        "guidance_scale": settings.guidance,
        "denoise_strength": settings.denoise,
        "seed": settings.seed,
        "count": settings.count,
        "enhance_prompt": settings.enhance,
        "webhook_url": order.webhook_url,
    }
    return {name: value for name, value in body.items() if value is not None}


def _size(order: GenerationOrder) -> str | None:
    """Sides in pixels and a size exclude each other; with neither, the provider chooses."""
    settings = order.settings
    if settings.width is not None or settings.height is not None or not (settings.size or settings.aspect):
        return None
    return f"{settings.size or DEFAULT_TIER}_{(settings.aspect or '1:1').replace(':', '_')}"


def build_ticket_order(photo: PhotoFile) -> dict[str, Any]:
    """The body of POST /v1/characters/uploads/init."""
    extension = _EXTENSIONS.get(photo.content_type)
    if extension is None:
        raise Refused("A character takes JPEG, PNG and WebP photos.")
    return {"filename": photo.filename[:120], "extension": extension, "content_type": photo.content_type}


def parse_generation(body: bytes, base_url: str, trace: str | None = None) -> GenerationReport:
    """Source: Aurous Labs /images/retrieve-image. `trace`: used where the answer does not name the create call."""
    return _generation_report(parse_object(body), base_url, trace)


def parse_generations(body: bytes, base_url: str) -> tuple[list[GenerationReport], str | None]:
    """One page of GET /v1/images and the next cursor; strict, as "none" must be proof."""
    rows, cursor = _page(parse_object(body))
    return [_generation_report(row, base_url, None) for row in rows], cursor


def _generation_report(row: Mapping[str, Any], base_url: str, trace: str | None) -> GenerationReport:
    request_id, status = read_text(row.get("id")), row.get("status")
    if request_id is None:
        raise Unreadable
    progress = _GENERATION_WORDS.get(str(status), Progress.UNKNOWN)
    error = ""
    images = _absolute(row.get("output_urls"), base_url) if progress is Progress.READY else ()
    if progress is Progress.FAILED:
        error = read_sentence(row.get("error_message")) or _REASONS.get(str(status), _NO_REASON)
    has_ended = progress in {Progress.READY, Progress.FAILED}
    return GenerationReport(
        request_id,
        progress,
        images,
        _amount(row.get("cost")) if has_ended else None,
        error or None,
        created_at=read_moment(row.get("created_at")),
        trace=read_sentence(row.get("creation_request_id")) or trace,
    )


def _absolute(urls: object, base_url: str) -> tuple[str, ...]:
    if not isinstance(urls, list):
        return ()
    return tuple(url for given in urls if (url := _joined(base_url, given)) is not None)


def _joined(base_url: str, given: object) -> str | None:
    """Addresses may leave out the host (Aurous Labs /images/retrieve-image)."""
    if not isinstance(given, str) or not given:
        return None
    try:
        url = urljoin(f"{base_url}/", given)
    except ValueError:
        return None
    return url if url.startswith(("https://", "http://")) else None


def _amount(cost: object) -> int | None:
    """Whole credits, rounded up."""
    amount = read_number(cost.get("amount")) if isinstance(cost, dict) else None
    return None if amount is None else math.ceil(amount)


def parse_estimate(body: bytes) -> int | None:
    """Source: Aurous Labs /public-api-v1/estimate-the-credit-cost-of-an-image-generation."""
    return _amount(parse_object(body).get("estimated_cost"))


def parse_cancelled(body: bytes) -> bool:
    return parse_object(body).get("status") == "cancelled"


def parse_balance(body: bytes) -> Account:
    """Only `metered` accounts are held to their balance; unknown modes are not (Aurous Labs /get-credit-balance)."""
    answer = parse_object(body)
    available = read_number(answer.get("available_credits"))
    if available is None:
        raise Unreadable
    is_metered = answer.get("billing_mode", "metered") == "metered"
    return Account(credits=math.floor(available) if is_metered else None, team=None)


def parse_team(body: bytes) -> tuple[str | None, str | None]:
    """Name and id."""
    answer = parse_object(body)
    return read_sentence(answer.get("name")) or None, read_text(answer.get("id"))


def parse_id(body: bytes) -> str:
    """The `id` of the object in the answer."""
    object_id = read_text(parse_object(body).get("id"))
    if object_id is None:
        raise Unreadable
    return object_id


def parse_styles(body: bytes, base_url: str) -> tuple[list[StyleReport], str | None]:
    """GET /v1/loras: the bare array that is documented, or a page with a cursor (/list-available-lora-styles)."""
    answer = parse_json(body)
    rows, cursor = (answer, None) if isinstance(answer, list) else _page(answer)
    if not all(isinstance(row, dict) and read_text(row.get("id")) for row in rows):
        raise Unreadable
    return [_style_report(row, base_url) for row in rows], cursor


def _style_report(row: Mapping[str, Any], base_url: str) -> StyleReport:
    remote_id, slug = str(row["id"]), read_text(row.get("slug"))
    return StyleReport(
        remote_id,
        name=read_sentence(row.get("name")) or slug or remote_id,
        slug=slug,
        description=read_sentence(row.get("description")),
        preview_url=_joined(base_url, row.get("preview_image_url")),
        denoise=read_number(row.get("default_denoise_strength")),
        guidance=read_number(row.get("default_guidance_scale")),
        steps=read_whole(row.get("default_steps")),
        has_template=row.get("has_template") is True,
        is_public=row.get("is_public") is not False,
        created_at=read_moment(row.get("created_at")),
    )


def parse_character(body: bytes, trace: str | None = None) -> TrainingReport:
    """Source: Aurous Labs /characters/retrieve-character."""
    return _character_report(parse_object(body), trace)


def parse_characters(body: bytes) -> tuple[list[TrainingReport], str | None]:
    """One page of GET /v1/characters and the next cursor; strict, as "none" must be proof."""
    rows, cursor = _page(parse_object(body))
    if not all(read_text(row.get("name")) for row in rows):
        raise Unreadable
    return [_character_report(row, None) for row in rows], cursor


def _character_report(row: Mapping[str, Any], trace: str | None) -> TrainingReport:
    request_id = read_text(row.get("id"))
    if request_id is None:
        raise Unreadable
    progress = _CHARACTER_WORDS.get(str(row.get("status")), Progress.UNKNOWN)
    error = read_sentence(row.get("error_message")) or _NO_REASON if progress is Progress.FAILED else None
    return TrainingReport(
        request_id,
        progress,
        name=read_text(row.get("name")) or "",
        error=error,
        created_at=read_moment(row.get("created_at")),
        trace=trace,
    )


def parse_ticket(body: bytes, base_url: str) -> Ticket:
    """Unreadable unless the address is https at its usual port or on the configured server: no photo goes elsewhere."""
    answer = parse_object(body)
    upload_id, url = read_text(answer.get("upload_id")), read_text(answer.get("upload_url"))
    headers = answer.get("upload_headers", {})
    if upload_id is None or url is None or not _may_take_photos(url, base_url) or not isinstance(headers, dict):
        raise Unreadable
    if not all(_is_header_text(name) and _is_header_text(value) for name, value in headers.items()):
        raise Unreadable
    return Ticket(upload_id, url, headers)


def _may_take_photos(url: str, base_url: str) -> bool:
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        place = urlsplit(url)
        is_safe = place.scheme == "https" and place.port in (None, 443)
    except ValueError:
        return False
    if not place.hostname or place.username is not None or place.password is not None:
        return False
    return is_safe or is_same_server(url, base_url)


def is_same_server(url: str, base_url: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(base_url)[:2]


def _is_header_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def parse_pose(body: bytes) -> tuple[str, float]:
    """Source: Aurous Labs /characters/upload-classify."""
    answer = parse_object(body)
    pose, confidence = read_text(answer.get("pose")), read_number(answer.get("confidence"))
    if pose is None:
        raise Unreadable
    return pose, confidence or 0.0


def parse_endpoint(body: bytes) -> Endpoint:
    """The secret is only in the answer that registers the address (Aurous Labs /register-a-webhook-endpoint)."""
    answer = parse_object(body)
    endpoint_id, secret = read_text(answer.get("id")), read_text(answer.get("secret"))
    if endpoint_id is None or secret is None:
        raise Unreadable
    return Endpoint(endpoint_id, secret)


def _page(answer: object) -> tuple[Sequence[dict[str, Any]], str | None]:
    """Rows and the next cursor, None at the end (Aurous Labs /list-your-generation-history)."""
    if not isinstance(answer, dict):
        raise Unreadable
    rows, has_more = answer.get("data"), answer.get("has_more")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not isinstance(has_more, bool):
        raise Unreadable
    if not has_more:
        return rows, None
    cursor = read_text(answer.get("next_cursor")) or (read_text(rows[-1].get("id")) if rows else None)
    if cursor is None:
        raise Unreadable
    return rows, cursor
