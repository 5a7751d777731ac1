"""Apiframe's wire format: makes forms and bodies from orders, reports and errors from answers. No I/O."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.errors import Busy, KeyRejected, Missing, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.answers import (
    Unreadable,
    parse_object,
    parse_object_or_empty,
    read_moment,
    read_number,
    read_sentence,
    read_text,
    read_whole,
    retry_after_s,
)
from bot.providers.base import Account, GenerationOrder, GenerationReport, Progress, TrainingOrder, TrainingReport
from bot.providers.transport import Field, FilePart, Response
from bot.records.dataset import SubjectKind
from bot.records.generation import Operation

PLAIN_MODEL = "flux-2-dev"
"""Makes pictures without a LoRA; one for each order."""
PAGE_SIZE = 100
DETAILS_CAP = 20

_TRAINING_WORDS = {
    "PENDING": Progress.WAITING,
    "UPLOADING": Progress.PREPARING,
    "TRAINING": Progress.RUNNING,
    "READY": Progress.READY,
    "FAILED": Progress.FAILED,
    "ARCHIVED": Progress.ARCHIVED,
}
_SUBJECT_WORDS = {kind.value: kind for kind in (SubjectKind.PERSON, SubjectKind.STYLE, SubjectKind.OBJECT)}
_JOB_WORDS = {
    "QUEUED": Progress.WAITING,
    "PROCESSING": Progress.RUNNING,
    "COMPLETED": Progress.READY,
    "FAILED": Progress.FAILED,
    "CANCELLED": Progress.FAILED,
}
_EDITS: dict[Operation, tuple[str, str, str, dict[str, Any]]] = {
    Operation.UPSCALE_CLARITY: (
        "upscale", "clarity-upscale", "clarityUpscaleParams", {"scale_factor": 2, "output_format": "png"},
    ),
    Operation.UPSCALE_TOPAZ: (
        "upscale", "topaz-image-upscale", "topazUpscaleParams", {"upscale_factor": 2, "output_format": "png"},
    ),
    Operation.REMOVE_BACKGROUND: ("background-remove", "bria-bg-remove", "briaBgRemoveParams", {}),
}  # fmt: skip
"""Last part of the path, model, parameter block and its settings besides `image` (Apiframe OpenAPI 2.0.0)."""


def build_training(order: TrainingOrder) -> list[Field | FilePart]:
    """The multipart form of POST /v2/loras. Source: Apiframe /docs/loras/create."""
    is_person = order.subject_kind is SubjectKind.PERSON
    fields = {
        "name": order.name,
        "subjectKind": order.subject_kind.value,
        "gender": order.gender.value if is_person and order.gender else None,
        "ethnicity": order.ethnicity if is_person else None,
        "age": order.age,
        "steps": str(order.steps),
        "loraRank": str(order.rank),
        "webhookUrl": order.webhook_url,
        "webhookEvents": "completed,failed" if order.webhook_url else None,
    }
    texts = [Field(name, value) for name, value in fields.items() if value]
    return [*texts, *(FilePart("images", photo) for photo in order.photos)]


def model_of(order: GenerationOrder) -> str:
    """The id under which the catalogue lists what makes this order."""
    if order.operation in _EDITS:
        return _EDITS[order.operation][1]
    return "flux-lora" if order.lora else PLAIN_MODEL


def build_generation(order: GenerationOrder) -> tuple[str, dict[str, Any]]:
    """Path and body. Raises Refused for an order that Apiframe has no form for."""
    if order.operation in _EDITS:
        path, body = _build_edit(order)
    else:
        path, body = "/v2/images/generate", _build_lora_pictures(order) if order.lora else _build_plain_picture(order)
    if order.webhook_url:
        body |= {"webhookUrl": order.webhook_url, "webhookEvents": ["completed", "failed"]}
    return path, body


def _build_lora_pictures(order: GenerationOrder) -> dict[str, Any]:
    """Source: Apiframe /docs/images/flux-lora; it names no default for the aspect and the format."""
    settings = order.settings
    params = {
        "loraId": order.lora,
        "num_outputs": settings.count,
        "aspect_ratio": settings.aspect or "1:1",
        "output_format": settings.format or "png",
        "lora_strength": settings.strength,
        "guidance_scale": settings.guidance,
        "num_inference_steps": settings.steps,
        "seed": settings.seed,
    }
    return {"model": "flux-lora", "prompt": order.prompt, "fluxLoraParams": _without_gaps(params)}


def _build_plain_picture(order: GenerationOrder) -> dict[str, Any]:
    """Source: Apiframe /docs/images and OpenAPI 2.0.0."""
    settings = order.settings
    if settings.count != 1:
        raise Refused("Without a LoRA, one picture is made at a time. Please ask for one.")
    has_sides = settings.width is not None and settings.height is not None
    params = {
        "aspect_ratio": None if has_sides else settings.aspect,
        "width": settings.width if has_sides else None,
        "height": settings.height if has_sides else None,
        "output_format": settings.format or "png",
        "seed": settings.seed,
        "guidance": settings.guidance,
        "steps": settings.steps,
        "prompt_upsampling": settings.enhance,
        "input_images": list(order.references) or None,
    }
    return {"model": PLAIN_MODEL, "prompt": order.prompt, "fluxParams": _without_gaps(params)}


def _build_edit(order: GenerationOrder) -> tuple[str, dict[str, Any]]:
    """Source: Apiframe /docs/image-edits; an edit takes no prompt."""
    if not order.references:
        raise Refused("There is no picture to work on. Please choose one.")
    path, model, block, settings = _EDITS[order.operation]
    return f"/v2/images/{path}", {"model": model, block: {"image": order.references[0], **settings}}


def _without_gaps(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def parse_account(body: bytes) -> Account:
    """Source: Apiframe /docs/account/me; `team` may be null."""
    answer = parse_object(body)
    team = answer.get("team")
    if not isinstance(team, dict):
        if "user" not in answer:
            raise Unreadable
        return Account(credits=None, team=None)
    return Account(read_whole(team.get("credits")), read_text(team.get("name")), read_text(team.get("id")))


def parse_training(body: bytes) -> TrainingReport:
    return _training_report(parse_object(body))


def parse_training_page(body: bytes) -> tuple[list[TrainingReport], str | None]:
    """One page of GET /v2/loras and the cursor of the next; stricter than the rest, as "none" must be proof."""
    answer = parse_object(body)
    items, cursor = answer.get("items"), answer.get("nextCursor")
    if not isinstance(items, list) or not all(isinstance(item, dict) and read_text(item.get("name")) for item in items):
        raise Unreadable
    if not (cursor is None or read_text(cursor)) or ("nextCursor" not in answer and len(items) >= PAGE_SIZE):
        raise Unreadable
    return [_training_report(item) for item in items], cursor


def parse_generation(body: bytes) -> GenerationReport:
    """A job, or the answer to its submission. Source: Apiframe /docs/jobs/get."""
    return _generation_report(parse_object(body))


def parse_generation_page(body: bytes) -> tuple[list[GenerationReport], str | None]:
    """One page of GET /v2/jobs and the cursor of the next; as strict as `parse_training_page`."""
    answer = parse_object(body)
    items, cursor = answer.get("jobs"), answer.get("nextCursor")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Unreadable
    if not (cursor is None or read_text(cursor)) or ("nextCursor" not in answer and len(items) >= PAGE_SIZE):
        raise Unreadable
    return [_generation_report(item) for item in items], cursor


def _generation_report(job: Mapping[str, Any]) -> GenerationReport:
    request_id = read_text(job.get("jobId")) or read_text(job.get("id"))
    if request_id is None:
        raise Unreadable
    status = job.get("status")
    progress = _JOB_WORDS.get(str(status), Progress.UNKNOWN)
    error = read_sentence(job.get("error"))
    images = _image_urls(job.get("result")) if progress is Progress.READY else ()
    expired = job.get("expired") is True
    if progress is Progress.READY and "result" not in job:
        # A repeated submission may be told that the job is complete, but the pictures come with the job itself.
        progress = Progress.RUNNING
    elif progress is Progress.FAILED and not error:
        error = "Apiframe cancelled it." if status == "CANCELLED" else "Apiframe gave no reason."
    return GenerationReport(
        request_id,
        progress,
        images,
        read_whole(job.get("creditCost")),
        error or None,
        expired,
        created_at=read_moment(job.get("createdAt")),
        percent=_percent(job.get("progress")),
    )


def _percent(said: object) -> int | None:
    """0 to 100, and nothing for what cannot be that (Apiframe /docs/jobs/get)."""
    number = read_whole(said)
    return number if number is not None and 0 <= number <= 100 else None


def parse_upload(body: bytes) -> str:
    """The address of an uploaded picture, good for an hour at least (Apiframe OpenAPI 2.0.0)."""
    url = read_text(parse_object(body).get("url"))
    if url is None or not url.startswith(("https://", "http://")):
        raise Unreadable
    return url


def parse_prices(body: bytes) -> dict[str, int]:
    """The most that each listed model may take, in credits (Apiframe OpenAPI 2.0.0, GET /v2/models)."""
    models = parse_object(body).get("models")
    if not isinstance(models, list):
        raise Unreadable
    listed = [model for model in models if isinstance(model, dict)]
    prices = {read_text(model.get("id")): read_number(model.get("costMax")) for model in listed}
    return {name: math.ceil(price) for name, price in prices.items() if name is not None and price is not None}


def error_from(answer: Response, now: datetime) -> ProviderError:
    """The error for an answer outside 2xx; Unavailable for what may work later. Source: Apiframe OpenAPI 2.0.0."""
    status, details = answer.status, _parse_details(answer.body)
    sentence = _error_sentence(answer.body, details)
    if status in {401, 403}:
        return KeyRejected(sentence, status=status)
    if status == 402:
        body = parse_object_or_empty(answer.body)
        required, available = read_whole(body.get("creditsRequired")), read_whole(body.get("creditsAvailable"))
        return OutOfCredits(sentence, status=status, required=required, available=available)
    if status in {404, 410}:
        return Missing(sentence, status=status)
    if status == 429:
        return Busy(sentence, status=status, retry_after=retry_after_s(answer.headers, now))
    if 400 <= status < 500 and status != 408:
        return Refused(sentence, status=status, details=details)
    return Unavailable(sentence, status=status, retry_after=retry_after_s(answer.headers, now))


def is_error(body: bytes) -> bool:
    """Every error says `error` (Apiframe OpenAPI 2.0.0)."""
    return read_text(parse_object_or_empty(body).get("error")) is not None


def _training_report(lora: Mapping[str, Any]) -> TrainingReport:
    request_id = read_text(lora.get("id"))
    if request_id is None:
        raise Unreadable
    progress = _TRAINING_WORDS.get(str(lora.get("status")), Progress.UNKNOWN)
    error = read_sentence(lora.get("error"))
    if progress is Progress.FAILED and not error:
        error = "Apiframe gave no reason."
    return TrainingReport(
        request_id,
        progress,
        name=read_text(lora.get("name")) or "",
        trigger_word=read_text(lora.get("triggerWord")),
        error=error or None,
        created_at=read_moment(lora.get("createdAt")),
        subject_kind=_SUBJECT_WORDS.get(str(lora.get("subjectKind"))),
        age=read_text(lora.get("age")),
    )


def _image_urls(result: object) -> tuple[str, ...]:
    """Old answers hold one address as text, newer ones an object (Apiframe /docs/jobs/get)."""
    if isinstance(result, dict):
        images = result.get("images")
        result = images if isinstance(images, list) and images else result.get("gridUrl")
    urls = result if isinstance(result, list) else [result]
    return tuple(url for url in urls if isinstance(url, str) and url.startswith(("https://", "http://")))


def _error_sentence(body: bytes, details: Mapping[str, Sequence[str]]) -> str:
    first_detail = next((message for messages in details.values() for message in messages), "")
    return read_sentence(parse_object_or_empty(body).get("error")) or first_detail


def _parse_details(body: bytes) -> dict[str, list[str]]:
    details = parse_object_or_empty(body).get("details")
    if not isinstance(details, dict):
        return {}
    listed = {path: said if isinstance(said, list) else [said] for path, said in list(details.items())[:DETAILS_CAP]}
    return {read_sentence(path): [read_sentence(text) for text in said[:DETAILS_CAP]] for path, said in listed.items()}
