"""The words and values every layer shares: closed sets and small frozen values. No I/O."""

from dataclasses import dataclass
from enum import StrEnum


class LaneName(StrEnum):
    """The engine's lanes, one for each table whose rows are jobs."""

    TRAININGS = "training"
    GENERATIONS = "generation"
    POSTS = "post"
    DATASETS = "dataset"
    KEYS = "key"
    GUILDS = "guild"


class ProviderName(StrEnum):
    APIFRAME = "apiframe"
    AUROUS = "aurous"

    @property
    def label(self) -> str:
        return {ProviderName.APIFRAME: "Apiframe", ProviderName.AUROUS: "Aurous Labs"}[self]


class SubjectKind(StrEnum):
    PERSON = "person"
    STYLE = "style"
    OBJECT = "object"
    CHARACTER = "character"
    """A person or a being from 1 to 6 reference photos, without training any weights (Aurous Labs /characters)."""

    @property
    def provider(self) -> ProviderName:
        """Who makes it: LoRAs are trained at Apiframe, characters are kept at Aurous Labs."""
        return ProviderName.AUROUS if self is SubjectKind.CHARACTER else ProviderName.APIFRAME


class Operation(StrEnum):
    """What is ordered: pictures from a prompt, or one made picture worked on further."""

    IMAGINE = "imagine"
    UPSCALE_CLARITY = "upscale_clarity"
    """Twice the size, details invented (Apiframe /docs/image-edits/clarity-upscale)."""
    UPSCALE_TOPAZ = "upscale_topaz"
    """Twice the size, faithful."""
    REMOVE_BACKGROUND = "remove_background"


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
    LORA_OFFER = "lora_offer"
    """Somebody wants to hand a LoRA over; its receiver accepts or declines."""
    LORA_OFFER_ANSWERED = "lora_offer_answered"
    """What became of it, for whoever offered."""
    GALLERY = "gallery"
    PICTURE_REPORT = "picture_report"


class Audience(StrEnum):
    """Whom a LoRA is shared with."""

    MEMBER = "member"
    ROLE = "role"
    GUILD = "guild"


class OfferStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class PostStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    """A message may have reached Discord; the nonce, then the channel's history, tell."""
    POSTED = "posted"
    KEPT = "kept"
    """No place would take it; it waits for its owner under /jobs."""
    WITHDRAWN = "withdrawn"
    """What it showed was deleted: its message is gone, or never was sent."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as Discord said with the interaction."""

    guild_id: int
    user_id: int
    role_ids: frozenset[int] = frozenset()
    is_admin: bool = False
    """Manage Server, or the guild's owner."""
    is_moderator: bool = False
    """May delete others' messages where this happens."""


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
    OFFER = "offer"
    PICTURE = "picture"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a photo: a code from photos/checks.py and, for duplicates, the other photo's name."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What `/imagine` asks for; None leaves the choice to the provider's documented default.

    Which settings a provider takes, and their ranges, is decided in generation/abilities.py.
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
