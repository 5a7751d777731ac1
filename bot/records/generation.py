"""Generations (orders of pictures) and their outputs: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.records.doubt import Doubt
from bot.records.key import ProviderName


class Operation(StrEnum):
    """What is ordered: pictures from a prompt, or one made picture worked on further."""

    IMAGINE = "imagine"
    UPSCALE_CLARITY = "upscale_clarity"
    """Twice the size, details invented (Apiframe /docs/image-edits/clarity-upscale)."""
    UPSCALE_TOPAZ = "upscale_topaz"
    """Twice the size, faithful."""
    REMOVE_BACKGROUND = "remove_background"


class GenerationStatus(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    FETCHING = "fetching"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self in {GenerationStatus.READY, GenerationStatus.FAILED}


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What `/imagine` asks for; None leaves the choice to the provider's documented default.

    Which settings a provider takes, and their ranges, is decided in generation/capabilities.py.
    """

    count: int = 1
    aspect: str | None = None
    """Width to height, such as "16:9"."""
    format: str | None = None
    strength: float | None = None
    guidance: float | None = None
    steps: int | None = None
    seed: int | None = None
    negative: str | None = None
    size: str | None = None
    """A tier of pixels, "2k" or "4k" on the sides that `aspect` gives (Aurous Labs /images/create-image)."""
    width: int | None = None
    height: int | None = None
    enhance: bool | None = None
    """The provider may rewrite the prompt."""
    denoise: float | None = None
    """How far a picture may move away from its reference pictures, 0 to 1."""


OPTIONS: Final = MappingProxyType(
    {
        "count": "pictures",
        "aspect": "shape",
        "format": "format",
        "strength": "strength",
        "guidance": "guidance",
        "steps": "steps",
        "seed": "seed",
        "negative": "without",
        "size": "size",
        "width": "width",
        "height": "height",
        "enhance": "enhance",
        "denoise": "change",
    }
)
"""What members call each setting: as an option of `/imagine`, in forms, on cards and in refusals."""


def say_setting(name: str, value: object) -> str:
    """Such as "shape 16:9" or "strength 0.8"."""
    if name == "enhance":
        return "prompt enhanced" if value else "prompt as written"
    return f"{OPTIONS[name]} {value:g}" if isinstance(value, float) else f"{OPTIONS[name]} {value}"


@dataclass(frozen=True, slots=True)
class Generation:
    id: int
    guild_id: int
    channel_id: int
    parent_id: int | None
    user_id: int
    lora_id: int | None
    """A LoRA or a character."""
    style_id: int | None
    operation: Operation
    origin_id: int | None
    """The generation this one was made from: again, varied, upscaled."""
    key_id: int
    provider: ProviderName
    prompt: str
    settings: GenerationSettings
    idempotency_key: str
    webhook_token: str
    status: GenerationStatus
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    request_id: str | None
    image_urls: tuple[str, ...]
    late: tuple[int, ...]
    """Positions, from 1, of pictures that were not there yet when the others were posted."""
    estimate: int | None
    """Credits, as the provider said before the order."""
    cost: int | None
    """Credits really charged."""
    error: str | None
    """Why there are no pictures, or not all of them."""
    doubt: Doubt | None
    """Answers that contradict that the order or its pictures are there; while it is READY, some are still missing."""
    created_at: datetime
    submitting_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None
    deleted_at: datetime | None
    event_id: int | None
    pack_index: int | None
    """Which prompt of the event's pack this was ordered for, counted from 0."""
    percent: int | None
    """How far it is, 0 to 100, as the provider said last."""
    sample_of: int | None
    """The training whose LoRA it shows first; nobody asked for it."""

    @property
    def known_as(self) -> str:
        """What the provider knows the order by: the same in every life of the database."""
        return self.idempotency_key


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that an order starts from. `remote_id` and `uploaded_at` are set by an upload to the provider."""

    id: int
    generation_id: int
    position: int
    file: str | None
    content_type: str
    size: int
    remote_id: str | None
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One generated image. `file` is its name in the spool, None once the retention rule took it.

    `size` is 0 when we never had a copy: then its member got the provider's link.
    """

    id: int
    generation_id: int
    position: int
    url: str
    file: str | None
    content_type: str
    size: int
    saves: int
    """How often somebody kept it: saved, upscaled or sent to the gallery."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a member used for pictures last, to be used again where `/imagine` leaves something out."""

    lora_id: int | None
    style_id: int | None
    settings: GenerationSettings


@dataclass(frozen=True, slots=True)
class Report:
    """A picture that a member finds wrong, for the guild's moderators."""

    id: int
    guild_id: int
    generation_id: int
    reporter_id: int
    reason: str
    created_at: datetime
    dismissed_at: datetime | None
