"""What a provider's client offers, in words that fit every provider. Its own words stay in its own folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bot.records.dataset import Gender, SubjectKind
from bot.records.generation import GenerationSettings, Operation


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
    trace: str | None = None
    """The provider's own id of the call, for its support."""
    subject_kind: SubjectKind | None = None
    age: str | None = None
    """As the provider was told it; None also when it does not say."""


@dataclass(frozen=True, slots=True)
class GenerationOrder:
    """`lora`, `style` and `character` are the provider's ids, `references` what `upload_picture` gave, in order.

    Reuse `idempotency_key` only for the identical order, within 24 h.
    """

    prompt: str
    settings: GenerationSettings
    idempotency_key: str
    webhook_url: str | None
    lora: str | None = None
    style: str | None = None
    character: str | None = None
    references: tuple[str, ...] = ()
    operation: Operation = Operation.IMAGINE


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """`cost` in credits; `expired`: the provider has purged the files; `percent`: how far it is, 0 to 100.

    A report that is READY has `image_urls`; without any it contradicts itself.
    """

    request_id: str
    progress: Progress
    image_urls: tuple[str, ...] = ()
    cost: int | None = None
    error: str | None = None
    expired: bool = False
    created_at: datetime | None = None
    trace: str | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """`credits` is None when the account has no team and so no balance. `id` is the team's id at the provider."""

    credits: int | None
    team: str | None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """Credits."""

    training: int
    picture: int


@dataclass(frozen=True, slots=True)
class StyleReport:
    """A LoRA that the provider offers ready-made; the defaults apply where an order leaves a setting out."""

    remote_id: str
    name: str
    slug: str | None = None
    description: str = ""
    preview_url: str | None = None
    denoise: float | None = None
    guidance: float | None = None
    steps: int | None = None
    has_template: bool = False
    is_public: bool = True
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook address registered at the provider. `secret` signs its deliveries; only this answer holds it."""

    endpoint_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """The secrets to check a delivery's signature with; see `VerifyWebhook`."""

    keys: Sequence[str] = field(repr=False)
    may_be_unsigned: bool = False


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """Which object a verified delivery is about. It is a hint: re-read the object before acting.

    `request_id` is empty when no job of ours is meant: a test delivery, or news of the account.
    """

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

    async def listed_training(self, request_id: str, since: datetime) -> TrainingReport | None:
        """The same as the provider's list has it, looking back like `find_training`: a second witness."""
        ...

    async def archive_lora(self, remote_id: str) -> bool:
        """Ask the provider to delete the LoRA. May be repeated; False when it says that there is no such LoRA."""
        ...

    async def remove_upload(self, remote_id: str) -> bool:
        """Ask the provider to delete what `upload_picture` gave; False when it has no call for that."""
        ...

    async def submit_generation(self, order: GenerationOrder) -> GenerationReport:
        """Paid, idempotent under `order.idempotency_key`."""
        ...

    async def generation(self, request_id: str) -> GenerationReport: ...

    async def find_generation(
        self, is_it: Callable[[GenerationReport], bool], since: datetime
    ) -> GenerationReport | None:
        """The newest that is meant, as the provider's list has it; None when the list has none, back to `since`."""
        ...

    async def cancel_generation(self, request_id: str) -> bool:
        """Cancel an order before its pictures are made. False when it is too late or the provider cannot cancel."""
        ...

    async def estimate(self, order: GenerationOrder) -> int | None:
        """Credits that this order would take; free. None when the provider does not say."""
        ...

    async def upload_picture(self, picture: PhotoFile, idempotency_key: str) -> str:
        """What to put into an order's `references`; it lasts for an hour at least. Not charged."""
        ...

    async def styles(self) -> Sequence[StyleReport]:
        """Every style that this key may use; empty at a provider without any."""
        ...

    async def loras(self) -> Sequence[TrainingReport]:
        """All LoRAs and characters of this key's team that can be used or are being made, newest first."""
        ...

    async def register_endpoint(self, url: str) -> Endpoint | None:
        """Register a webhook address for every kind of news; None at a provider without such addresses."""
        ...

    async def remove_endpoint(self, endpoint_id: str) -> None:
        """May be repeated."""
        ...

    async def test_endpoint(self, endpoint_id: str) -> bool:
        """Ask for a signed test delivery. False when the provider cannot."""
        ...


class VerifyWebhook(Protocol):
    def __call__(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, may_be_unsigned: bool
    ) -> WebhookHint | None:
        """The hint when the raw body is signed with one of the secrets, else None. Never raises.

        `may_be_unsigned`: the address was given with one order and only the provider knows it, so a delivery without
        a signature counts, too.
        """
        ...
