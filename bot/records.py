"""The rows of the database as frozen records. No I/O."""

from dataclasses import dataclass
from datetime import datetime

from bot.models import (
    Audience,
    DatasetStatus,
    Finding,
    Gender,
    GenerationSettings,
    GenerationStatus,
    OfferStatus,
    Operation,
    Pick,
    Place,
    PlaceKind,
    PostKind,
    PostStatus,
    ProviderName,
    SubjectKind,
    SubjectTable,
    TrainingStatus,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A guild's API key, without its secret."""

    id: int
    guild_id: int
    provider: ProviderName
    last4: str
    set_by: int
    set_at: datetime
    paused_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    retired_at: datetime | None
    endpoint_id: str | None
    """The webhook endpoint registered at the provider, if it has such things and Darkroom has a public address."""
    endpoint_url: str | None
    endpoint_heard_at: datetime | None
    """When a signed delivery last reached us there."""
    checked_at: datetime | None
    """When the styles and LoRAs under this key were last compared with the provider."""
    attempt: int
    """How often in a row that comparison has failed."""


@dataclass(frozen=True, slots=True)
class Dataset:
    id: int
    guild_id: int
    channel_id: int
    user_id: int
    name: str
    subject_kind: SubjectKind
    gender: Gender | None
    ethnicity: str | None
    age: str | None
    steps: int
    rank: int
    previous_lora_id: int | None
    """The LoRA this dataset makes a newer version of."""
    event_id: int | None
    status: DatasetStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Photo:
    """A checked image of a dataset. `file` is its name in the spool, None once it has left the disk."""

    id: int
    dataset_id: int
    name: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    sha256: str
    dhash: int | None
    size: int
    width: int
    height: int
    file: str | None
    contributor_id: int | None = None
    """Who gave it to an event."""
    consent_id: int | None = None
    """The submission it came with."""
    pick: Pick | None = None
    sharpness: float | None = None
    """Variance of the Laplacian in the sharpest tile."""
    brightness: float | None = None
    """Mean grey, 0 to 255."""
    detail: float | None = None
    """Share of the frame that holds detail, 0 to 1: small in close-ups before a plain wall, large in wide views."""


@dataclass(frozen=True, slots=True)
class Training:
    id: int
    guild_id: int
    channel_id: int
    parent_id: int | None
    user_id: int
    dataset_id: int
    key_id: int
    provider: ProviderName
    name: str
    marker: str
    webhook_token: str
    status: TrainingStatus
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    request_id: str | None
    photo_count: int
    error: str | None
    lora_id: int | None
    balance_before: int | None
    event_id: int | None
    created_at: datetime
    submitting_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lora:
    id: int
    guild_id: int
    owner_id: int
    provider: ProviderName
    request_id: str
    name: str
    trigger_word: str | None
    subject_kind: SubjectKind
    training_id: int
    version: int
    previous_id: int | None
    """The LoRA that this one is a newer version of."""
    note: str | None
    cost: int | None
    """Credits that the training took, None when the balance did not tell."""
    created_at: datetime
    archived_at: datetime | None
    missing_since: datetime | None
    """The provider no longer had it when we looked."""
    retiring_since: datetime | None
    """Somebody whose photos it was trained on took their consent back: nobody may use it any more."""
    event_id: int | None

    @property
    def is_usable(self) -> bool:
        """Whether new pictures may be made with it, as far as the LoRA itself is concerned."""
        return self.archived_at is None and self.missing_since is None and self.retiring_since is None

    @property
    def is_character(self) -> bool:
        return self.subject_kind is SubjectKind.CHARACTER


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
    estimate: int | None
    """Credits, as the provider said before the order."""
    cost: int | None
    """Credits really charged."""
    error: str | None
    created_at: datetime
    submitting_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None
    deleted_at: datetime | None
    event_id: int | None
    pack_index: int | None
    """Which prompt of the event's pack this was ordered for, counted from 0."""


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
    """One generated image. `file` is its name in the spool, None once the retention rule took it."""

    id: int
    generation_id: int
    position: int
    url: str
    file: str | None
    content_type: str
    size: int
    saves: int
    """How often somebody kept it: saved, upscaled or sent to the gallery."""


def places_for(job: Training | Generation) -> tuple[Place, ...]:
    """Where a job's outcome may go, best first: its channel or thread, the thread's channel, a private message."""
    channels = [job.channel_id] if job.parent_id is None else [job.channel_id, job.parent_id]
    return (*(Place(PlaceKind.CHANNEL, channel) for channel in channels), Place(PlaceKind.USER, job.user_id))


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    kind: PostKind
    subject_table: SubjectTable
    subject_id: int
    guild_id: int
    user_id: int
    nonce: str
    places: tuple[Place, ...]
    place_index: int
    status: PostStatus
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    message_id: int | None
    revision: int
    sending_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Style:
    """A ready-made LoRA of a provider, as a guild's key may use it; `retired_at`: the provider no longer lists it."""

    id: int
    guild_id: int
    provider: ProviderName
    request_id: str
    slug: str | None
    name: str
    description: str
    preview_url: str | None
    denoise: float | None
    guidance: float | None
    steps: int | None
    has_template: bool
    is_public: bool
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """Who besides its owner may use a LoRA; `audience_id` is a member or a role, None for the whole guild."""

    id: int
    guild_id: int
    lora_id: int
    audience: Audience
    audience_id: int | None
    granted_by: int
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """A LoRA that its owner wants to hand over to another member, who has to accept it."""

    id: int
    guild_id: int
    channel_id: int
    lora_id: int
    from_id: int
    to_id: int
    status: OfferStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a member used for pictures last, to be used again where `/imagine` leaves something out."""

    lora_id: int | None
    style_id: int | None
    settings: GenerationSettings


@dataclass(frozen=True, slots=True)
class Guild:
    """What a guild's admins have chosen; `left_at`: since when the bot is no longer a member there."""

    id: int
    guild_id: int
    default_provider: ProviderName | None
    gallery_channel_id: int | None
    reports_channel_id: int | None
    left_at: datetime | None


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
