"""The words and values every layer shares: closed sets and frozen records. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LaneName(StrEnum):
    """The engine's lanes, one for each table whose rows are jobs."""

    TRAININGS = "training"
    GENERATIONS = "generation"
    POSTS = "post"
    DATASETS = "dataset"
    KEYS = "key"


class ProviderName(StrEnum):
    APIFRAME = "apiframe"

    @property
    def label(self) -> str:
        return {ProviderName.APIFRAME: "Apiframe"}[self]


class SubjectKind(StrEnum):
    PERSON = "person"
    STYLE = "style"
    OBJECT = "object"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    NON_BINARY = "non-binary"


class Verdict(StrEnum):
    """What we say of one photo: accepted and advised photos are sent, refused ones are not."""

    ACCEPTED = "accepted"
    ADVISED = "advised"
    REFUSED = "refused"


class DatasetStatus(StrEnum):
    OPEN = "open"
    STARTED = "started"
    DISCARDED = "discarded"
    EXPIRED = "expired"


class TrainingStatus(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    """The paid call may have left; nobody knows whether it was taken."""
    SUBMITTED = "submitted"
    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in {TrainingStatus.READY, TrainingStatus.FAILED, TrainingStatus.CANCELLED}

    @property
    def is_in_flight(self) -> bool:
        """Counts towards the provider's cap on concurrent trainings."""
        return self in {TrainingStatus.SUBMITTING, TrainingStatus.SUBMITTED, TrainingStatus.TRAINING}


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


class PostKind(StrEnum):
    TRAINING_STATUS = "training_status"
    """One message that is edited at milestones; the only kind that is ever posted twice (as an edit)."""
    TRAINING_READY = "training_ready"
    TRAINING_FAILED = "training_failed"
    PICTURES = "pictures"
    PICTURES_FAILED = "pictures_failed"
    KEY_PAUSED = "key_paused"


class PostStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    """A message may have reached Discord; the nonce, then the channel's history, tell."""
    POSTED = "posted"
    KEPT = "kept"
    """No place would take it; it waits for its owner under /jobs."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where somebody acted; for a thread, `parent_id` is the channel it belongs to."""

    id: int
    parent_id: int | None = None


class PlaceKind(StrEnum):
    CHANNEL = "channel"
    """A channel or a thread."""
    USER = "user"
    """A private message."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post may go."""

    kind: PlaceKind
    id: int


class SubjectTable(StrEnum):
    """Which kind of row a timeline entry or a post is about."""

    TRAINING = "training"
    GENERATION = "generation"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a photo: a code from photos/checks.py and, for duplicates, the other photo's name."""

    code: str
    detail: str = ""


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
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What `/imagine` asks for; None leaves the choice to the provider's documented default.

    Ranges: Apiframe /docs/images/flux-lora. `count` 1-4, `strength` 0-1.5, `guidance` 1-10, `steps` 4-50,
    `seed` 0..2**31-1.
    """

    count: int = 1
    aspect: str = "1:1"
    format: str = "png"
    strength: float | None = None
    guidance: float | None = None
    steps: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    id: int
    guild_id: int
    channel_id: int
    parent_id: int | None
    user_id: int
    lora_id: int
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
    cost: int | None
    error: str | None
    created_at: datetime
    submitting_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None


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
