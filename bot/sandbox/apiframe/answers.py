"""The JSON that the rehearsal Apiframe shows of its LoRAs, jobs and accounts."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sandbox.apiframe.state import RehearsalJob, RehearsalLora
from bot.sandbox.rehearsal.deliveries import WebhookFault

MODELS: tuple[dict[str, Any], ...] = (
    {"id": "flux-lora", "label": "Flux LoRA", "modality": "image", "costMin": 2, "costMax": 8,
     "pricingMode": "per-output"},
    {"id": "flux-2-dev", "label": "FLUX.2 [dev]", "modality": "image", "costMin": 3, "costMax": 3,
     "pricingMode": "flat"},
    {"id": "clarity-upscale", "label": "Clarity Upscaler", "modality": "image", "costMin": 3, "costMax": 3,
     "pricingMode": "flat"},
    {"id": "topaz-image-upscale", "label": "Topaz Image Upscale", "modality": "image", "costMin": 3, "costMax": 3,
     "pricingMode": "flat"},
    {"id": "bria-bg-remove", "label": "Bria Background Removal", "modality": "image", "costMin": 2, "costMax": 2,
     "pricingMode": "flat"},
    {"id": "851-bg-remove", "label": "851 Background Removal", "modality": "image", "costMin": 2, "costMax": 2,
     "pricingMode": "flat"},
)  # fmt: skip
"""Only the prices of flux-lora and clarity-upscale are documented."""


TRAINING_CAP = 10


@dataclass(slots=True)
class AnswerOddities:
    """Shapes that the documentation allows, so that a client has to read them."""

    null_progress: bool = False
    null_team: bool = False
    picture_side_cap_px: int | None = None
    """Paint smaller pictures than ordered, for tests that do not look at them."""
    extra_fields: bool = False
    webhook_status_sent: bool = False
    """`sent` in place of `delivered`, as older pages show it."""
    training_cap: int = TRAINING_CAP
    """Trainings of one team at once; more get 429."""
    retry_after_at_cap: str | None = None
    """Whether the 429 of the training cap says when to come back."""
    unknown_lora_status: int = 404
    """The code for a generation with an unknown LoRA, which no page names."""


def price_of(model: str) -> int:
    """Credits for one picture."""
    return next(int(entry["costMin"]) for entry in MODELS if entry["id"] == model)


def moment_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_lora(lora: RehearsalLora) -> dict[str, Any]:
    """Source: Apiframe /docs/loras/get and OpenAPI 2.0.0."""
    is_ready = lora.status == "READY"
    return {
        "id": lora.id,
        "userId": stable_id("user", lora.api_key),
        "teamId": stable_id("team", lora.team),
        "name": lora.name,
        "subjectKind": lora.subject_kind,
        "gender": lora.gender,
        "ethnicity": lora.ethnicity,
        "age": lora.age,
        "status": lora.status,
        "imageCount": len(lora.photos),
        "steps": lora.steps,
        "loraRank": lora.rank,
        "isReady": is_ready,
        "hasWeights": is_ready,
        "triggerWord": lora.trigger_word,
        "error": lora.error,
        "createdAt": moment_text(lora.created_at),
        "startedAt": moment_text(lora.started_at),
        "completedAt": moment_text(lora.completed_at),
    }


def show_job(job: RehearsalJob, urls: Sequence[str], oddities: AnswerOddities) -> dict[str, Any]:
    """Source: Apiframe /docs/jobs/get and OpenAPI 2.0.0."""
    webhook_status = job.webhook_status
    if oddities.webhook_status_sent and webhook_status == "delivered":
        webhook_status = "sent"
    return {
        "id": job.id,
        "status": job.status,
        "model": job.model,
        "progress": None if oddities.null_progress else job.progress,
        "result": {"images": list(urls)} if job.status == "COMPLETED" else None,
        "error": job.error,
        "creditCost": job.cost,
        "webhookStatus": webhook_status,
        "createdAt": moment_text(job.created_at),
        "completedAt": moment_text(job.completed_at),
        "expired": job.expired,
    }


def show_account(api_key: str, team: str, credits_left: int, oddities: AnswerOddities) -> dict[str, Any]:
    """Source: Apiframe /docs/account/me."""
    user_id = stable_id("user", api_key)
    shown_team = {
        "id": stable_id("team", team),
        "name": team,
        "plan": "pro",
        "credits": credits_left,
        "customerId": None,
        "maxConcurrentJobs": 10,
    }
    return {
        "user": {"id": user_id, "email": "rehearsal@example.com", "role": "MEMBER"},
        "team": None if oddities.null_team else shown_team,
        "apiKey": {"id": stable_id("key", api_key), "name": "Rehearsal", "prefix": api_key[:8]},
    }


def lora_event(lora: RehearsalLora) -> dict[str, Any]:
    """Source: Apiframe /docs/loras; the body of a failure is not documented."""
    payload = {
        "event": "completed" if lora.status == "READY" else "failed",
        "id": lora.id,
        "status": lora.status,
        "imageCount": len(lora.photos),
        "completedAt": moment_text(lora.completed_at),
    }
    return payload if lora.error is None else payload | {"error": lora.error}


def job_event(job: RehearsalJob, urls: Sequence[str], fault: WebhookFault | None) -> dict[str, Any]:
    """Source: Apiframe /docs/webhooks."""
    if job.status != "COMPLETED":
        error = job.error or "Cancelled"
        return {"event": "failed", "jobId": job.id, "status": job.status, "error": error, "model": job.model}
    return {
        "event": "completed",
        "jobId": job.id,
        "status": job.status,
        "progress": 100,
        "result": urls[0] if fault is WebhookFault.STRING_RESULT else {"images": list(urls)},
        "model": job.model,
        "creditCost": job.cost,
        "completedAt": moment_text(job.completed_at),
    }


def sign(body: bytes, api_key: str, variant: str) -> str:
    """Source: Apiframe /docs/webhooks."""
    digest = hashlib.sha256(api_key.encode())
    secret = digest.digest() if variant == "raw" else digest.hexdigest().encode()
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def stable_id(kind: str, text: str) -> str:
    digest = hashlib.sha256(f"{kind} {text}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
