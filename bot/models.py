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
    EVENTS = "event"


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
    EVENT_PANEL = "event_panel"
    """The one live message of an event, edited as things change."""
    EVENT_BALLOT = "event_ballot"
    EVENT_NOTE = "event_note"
    """An announcement: opened, photos chosen, LoRAs ready, paused, winner, cancelled."""
    DEPICTION = "depiction"
    """Asks a member privately whether photos that they were named in may be used."""


class Audience(StrEnum):
    """Whom a LoRA is shared with."""

    MEMBER = "member"
    ROLE = "role"
    GUILD = "guild"
    EVENT = "event"
    """The entrants of an event."""


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
    event_ids: frozenset[int] = frozenset()
    """Events they take part in, as far as the question needs it; storage/entrants.py knows them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where somebody acted; for a thread, `parent_id` is the channel it belongs to."""

    id: int
    parent_id: int | None = None


class EventMode(StrEnum):
    SHARED = "shared"
    """Everyone gives photos of one subject; one LoRA comes out for all."""
    PERSONAL = "personal"
    """Each entrant trains an own LoRA within the event's budget."""
    CLUB = "club"
    """No training: entrants make pictures with given styles and LoRAs."""
    BAKEOFF = "bakeoff"
    """No entrants: settings or versions of one LoRA are compared blindly."""


class EventStatus(StrEnum):
    DRAFT = "draft"
    COLLECTING = "collecting"
    REVIEWING = "reviewing"
    TRAINING = "training"
    SHOWING = "showing"
    VOTING = "voting"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in {EventStatus.FINISHED, EventStatus.CANCELLED}

    @property
    def is_live(self) -> bool:
        """Announced and not over."""
        return not self.is_terminal and self is not EventStatus.DRAFT


class PauseReason(StrEnum):
    """Why an event waits; until it goes on, no deadline counts and nothing is spent."""

    TOO_FEW_ENTRANTS = "too_few_entrants"
    TOO_FEW_PHOTOS = "too_few_photos"
    NO_KEY = "no_key"
    PROVIDER_DOWN = "provider_down"
    OUT_OF_CREDITS = "out_of_credits"
    TRAINING_FAILED = "training_failed"
    BUDGET_SPENT = "budget_spent"
    """Not even one training fits."""

    @property
    def ends_by_itself(self) -> bool:
        """Whether the event tries again without its host."""
        return self in {PauseReason.NO_KEY, PauseReason.PROVIDER_DOWN, PauseReason.OUT_OF_CREDITS}


class EntrantStatus(StrEnum):
    IN = "in"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    """By the host, or because they left the guild."""


class Pick(StrEnum):
    """What became of one photo of an event's subject."""

    CHOSEN = "chosen"
    PINNED = "pinned"
    """Chosen by the host."""
    DROPPED = "dropped"
    """Left out by the host."""


class DepictionStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    VETOED = "vetoed"


class ConsentKind(StrEnum):
    PHOTOS = "photos"
    """Somebody gave photos."""
    DEPICTED = "depicted"
    """Somebody who was named as seen in photos agreed."""


class NoteKind(StrEnum):
    """What is announced of an event, each thing once."""

    OPENED = "opened"
    CLOSING_SOON = "closing_soon"
    CHOSEN = "chosen"
    """Whose photos made it."""
    TRAINING = "training"
    LORAS_READY = "loras_ready"
    NOT_TRAINED = "not_trained"
    """Entrants for whom no training fitted the budget, or whose photos were too few."""
    PACK_DONE = "pack_done"
    PAUSED = "paused"
    RESUMED = "resumed"
    NO_BALLOT = "no_ballot"
    """Fewer than two entries."""
    WINNER = "winner"
    CANCELLED = "cancelled"
    TAKEN_BACK = "taken_back"
    """For the host: consent was taken back after training, so a LoRA is to be retired."""

    @property
    def is_for_host(self) -> bool:
        return self is NoteKind.TAKEN_BACK


NOBODY = 0
"""Stands for a member who was erased, in rows that others depend on."""


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
    EVENT = "event"
    NOTE = "note"
    DEPICTION = "depiction"


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
