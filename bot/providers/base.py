"""What Darkroom asks of a provider, in neutral words. Provider words are mapped in the provider's own file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.models import Gender, GenerationSettings, SubjectKind


class Progress(StrEnum):
    """How far a provider's object is. UNKNOWN: a status word we have never seen; keep polling."""

    WAITING = "waiting"
    PREPARING = "preparing"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    ARCHIVED = "archived"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """One photo on disk as it will be sent; `filename` is ours, never the member's."""

    path: Path
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """`name` already holds the marker and fits the provider's limit (Apiframe: 60 characters)."""

    name: str
    subject_kind: SubjectKind
    gender: Gender | None
    ethnicity: str | None
    age: str | None
    steps: int
    rank: int
    photos: Sequence[PhotoFile]
    webhook_url: str | None


@dataclass(frozen=True, slots=True)
class TrainingReport:
    request_id: str
    progress: Progress
    name: str = ""
    trigger_word: str | None = None
    error: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GenerationOrder:
    """`lora` is the provider's id of the LoRA. Reuse `idempotency_key` only for the identical order, within 24 h."""

    prompt: str
    lora: str
    settings: GenerationSettings
    idempotency_key: str
    webhook_url: str | None


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """`image_urls` is filled when READY; `cost` in credits; `expired`: the provider has purged the files."""

    request_id: str
    progress: Progress
    image_urls: tuple[str, ...] = ()
    cost: int | None = None
    error: str | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """`credits` is None when the account has no team and so no balance."""

    credits: int | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Prices:
    """Credits."""

    training: int
    picture: int


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """Which object a verified delivery is about. It is a hint: re-read the object before acting."""

    request_id: str
    is_training: bool
    variant: str


class ProviderClient(Protocol):
    """One provider under one API key. Every method raises a subclass of errors.ProviderError, nothing else."""

    prices: Prices

    async def account(self) -> Account:
        """Balance; also the way to test a key."""
        ...

    async def submit_training(self, order: TrainingOrder) -> TrainingReport:
        """Paid and not idempotent: call once, then look with `find_training` when OutcomeUnknown is raised."""
        ...

    async def find_training(self, marker: str, since: datetime) -> TrainingReport | None:
        """The training whose name holds `marker`, looking back through everything made after `since`.

        None means there provably is none: every page back to `since` was read.
        """
        ...

    async def training(self, request_id: str) -> TrainingReport: ...

    async def archive_lora(self, request_id: str) -> None:
        """Ask the provider to delete the LoRA; repeating it does no harm."""
        ...

    async def submit_generation(self, order: GenerationOrder) -> GenerationReport:
        """Paid, idempotent under `order.idempotency_key`."""
        ...

    async def generation(self, request_id: str) -> GenerationReport: ...


class VerifyWebhook(Protocol):
    def __call__(self, body: bytes, headers: Mapping[str, str], api_keys: Sequence[str]) -> WebhookHint | None:
        """The hint when the raw body is signed with one of the keys, else None. Never raises."""
        ...
