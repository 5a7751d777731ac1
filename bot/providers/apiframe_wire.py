"""Apiframe's wire format: forms and bodies out of orders, reports and errors out of answers. No I/O."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import Busy, KeyRejected, Missing, OutOfCredits, ProviderError, Refused, Unavailable
from bot.models import SubjectKind
from bot.providers.base import Account, GenerationOrder, GenerationReport, Progress, TrainingOrder, TrainingReport
from bot.providers.transport import Answer, Field, FilePart

PAGE_SIZE = 100
RETRY_AFTER_CAP_S = 15 * 60.0
SENTENCE_CAP = 300
DETAILS_CAP = 20

_TRAINING_WORDS = {
    "PENDING": Progress.WAITING,
    "UPLOADING": Progress.PREPARING,
    "TRAINING": Progress.RUNNING,
    "READY": Progress.READY,
    "FAILED": Progress.FAILED,
    "ARCHIVED": Progress.ARCHIVED,
}
_JOB_WORDS = {
    "QUEUED": Progress.WAITING,
    "PROCESSING": Progress.RUNNING,
    "COMPLETED": Progress.READY,
    "FAILED": Progress.FAILED,
    "CANCELLED": Progress.FAILED,
}
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")


class Unreadable(Exception):
    """The body is not the JSON that the documentation promises."""


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


def build_generation(order: GenerationOrder) -> dict[str, Any]:
    """The body of POST /v2/images/generate. Source: Apiframe /docs/images/flux-lora."""
    settings = order.settings
    optional = {
        "lora_strength": settings.strength,
        "guidance_scale": settings.guidance,
        "num_inference_steps": settings.steps,
        "seed": settings.seed,
    }
    body: dict[str, Any] = {
        "model": "flux-lora",
        "prompt": order.prompt,
        "fluxLoraParams": {
            "loraId": order.lora,
            "num_outputs": settings.count,
            "aspect_ratio": settings.aspect,
            "output_format": settings.format,
            **{name: value for name, value in optional.items() if value is not None},
        },
    }
    if order.webhook_url:
        body |= {"webhookUrl": order.webhook_url, "webhookEvents": ["completed", "failed"]}
    return body


def parse_account(body: bytes) -> Account:
    """Source: Apiframe /docs/account/me; `team` may be null."""
    answer = parse_object(body)
    team = answer.get("team")
    if not isinstance(team, dict):
        if "user" not in answer:
            raise Unreadable
        return Account(credits=None, team=None)
    return Account(credits=_whole(team.get("credits")), team=_text(team.get("name")))


def parse_training(body: bytes) -> TrainingReport:
    return _training_report(parse_object(body))


def parse_training_page(body: bytes) -> tuple[list[TrainingReport], str | None]:
    """One page of GET /v2/loras and the cursor of the next; stricter than the rest, as "none" must be proof."""
    answer = parse_object(body)
    items, cursor = answer.get("items"), answer.get("nextCursor")
    if not isinstance(items, list) or not all(isinstance(item, dict) and _text(item.get("name")) for item in items):
        raise Unreadable
    if not (cursor is None or _text(cursor)) or ("nextCursor" not in answer and len(items) >= PAGE_SIZE):
        raise Unreadable
    return [_training_report(item) for item in items], cursor


def parse_generation(body: bytes) -> GenerationReport:
    """A job, or the answer to its submission. Source: Apiframe /docs/jobs/get."""
    job = parse_object(body)
    request_id = _text(job.get("jobId")) or _text(job.get("id"))
    if request_id is None:
        raise Unreadable
    status = job.get("status")
    progress = _JOB_WORDS.get(str(status), Progress.UNKNOWN)
    error = _sentence(job.get("error"))
    images = _image_urls(job.get("result")) if progress is Progress.READY else ()
    expired = job.get("expired") is True
    if progress is Progress.READY and "result" not in job:
        # A repeated submission may be told that the job is complete, but the pictures come with the job itself.
        progress = Progress.RUNNING
    elif progress is Progress.READY and not images and not expired:
        progress, error = Progress.FAILED, "Apiframe finished without sending a picture."
    elif progress is Progress.FAILED and not error:
        error = "Apiframe cancelled it." if status == "CANCELLED" else "Apiframe gave no reason."
    return GenerationReport(request_id, progress, images, _whole(job.get("creditCost")), error or None, expired)


def error_from(answer: Answer, now: datetime) -> ProviderError:
    """What an answer outside 2xx means; Unavailable for everything that may pass. Source: Apiframe OpenAPI 2.0.0."""
    status, details = answer.status, parse_details(answer.body)
    sentence = _error_sentence(answer.body, details)
    if status in {401, 403}:
        return KeyRejected(sentence, status=status)
    if status == 402:
        body = parse_object_or_empty(answer.body)
        required, available = _whole(body.get("creditsRequired")), _whole(body.get("creditsAvailable"))
        return OutOfCredits(sentence, status=status, required=required, available=available)
    if status in {404, 410}:
        return Missing(sentence, status=status)
    if status == 429:
        return Busy(sentence, status=status, retry_after=retry_after_s(answer.headers, now))
    if 400 <= status < 500 and status != 408:
        return Refused(sentence, status=status, details=details)
    return Unavailable(sentence, status=status, retry_after=retry_after_s(answer.headers, now))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, from a number or an HTTP date, at most RETRY_AFTER_CAP_S."""
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), RETRY_AFTER_CAP_S)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_CAP_S)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _training_report(lora: Mapping[str, Any]) -> TrainingReport:
    request_id = _text(lora.get("id"))
    if request_id is None:
        raise Unreadable
    progress = _TRAINING_WORDS.get(str(lora.get("status")), Progress.UNKNOWN)
    error = _sentence(lora.get("error"))
    if progress is Progress.FAILED and not error:
        error = "Apiframe gave no reason."
    return TrainingReport(
        request_id,
        progress,
        name=_text(lora.get("name")) or "",
        trigger_word=_text(lora.get("triggerWord")),
        error=error or None,
        created_at=_moment(lora.get("createdAt")),
    )


def _image_urls(result: object) -> tuple[str, ...]:
    """Old answers hold one address as text, newer ones an object (Apiframe /docs/jobs/get)."""
    if isinstance(result, dict):
        images = result.get("images")
        result = images if isinstance(images, list) and images else result.get("gridUrl")
    urls = result if isinstance(result, list) else [result]
    return tuple(url for url in urls if isinstance(url, str) and url.startswith(("https://", "http://")))


def parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(value, dict):
        raise Unreadable
    return value


def parse_object_or_empty(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body)
    except Unreadable:
        return {}


def _error_sentence(body: bytes, details: Mapping[str, Sequence[str]]) -> str:
    first_detail = next((message for messages in details.values() for message in messages), "")
    return _sentence(parse_object_or_empty(body).get("error")) or first_detail


def parse_details(body: bytes) -> dict[str, list[str]]:
    details = parse_object_or_empty(body).get("details")
    if not isinstance(details, dict):
        return {}
    listed = {path: said if isinstance(said, list) else [said] for path, said in list(details.items())[:DETAILS_CAP]}
    return {_sentence(path): [_sentence(text) for text in said[:DETAILS_CAP]] for path, said in listed.items()}


def _sentence(value: object) -> str:
    """Printable text on one line, cut to SENTENCE_CAP characters."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * SENTENCE_CAP]).split())[:SENTENCE_CAP]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
