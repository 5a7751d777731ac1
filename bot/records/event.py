"""Events, their entrants, entries and announcements: closed sets of words and frozen rows. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.records.dataset import SubjectKind
from bot.records.guild import NOBODY, Place, PlaceKind


class EventMode(StrEnum):
    SHARED = "shared"
    """Everyone gives photos of one subject; one LoRA comes out for all."""
    PERSONAL = "personal"
    """Each entrant trains an own LoRA within the event's budget."""
    CLUB = "club"
    """No training: entrants make pictures with given styles and LoRAs."""
    BAKEOFF = "bakeoff"
    """No entrants: settings or versions of one LoRA are compared blindly."""

    @property
    def trains(self) -> bool:
        """Whether photos are given and LoRAs trained."""
        return self in {EventMode.SHARED, EventMode.PERSONAL}


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

    @property
    def takes_photos(self) -> bool:
        """Whether entrants may still give photos or take them back, where the mode trains."""
        return self in {EventStatus.COLLECTING, EventStatus.REVIEWING}


class PauseReason(StrEnum):
    """Why an event waits; until it goes on, no deadline counts and nothing is spent."""

    TOO_FEW_ENTRANTS = "too_few_entrants"
    TOO_FEW_PHOTOS = "too_few_photos"
    NO_KEY = "no_key"
    PROVIDER_DOWN = "provider_down"
    OUT_OF_CREDITS = "out_of_credits"
    TRAINING_FAILED = "training_failed"
    BUDGET_SPENT = "budget_spent"
    SERVER_LIMIT = "server_limit"
    """The server's limit of this month is used up."""
    """Not even one training fits."""

    @property
    def ends_by_itself(self) -> bool:
        """Whether the event tries again without its host."""
        return self in {PauseReason.NO_KEY, PauseReason.PROVIDER_DOWN, PauseReason.OUT_OF_CREDITS}


class Repeat(StrEnum):
    """How often an event that opens by itself is planned again."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class OnTie(StrEnum):
    """What becomes of the first place when several entries share it."""

    SHARE = "share"
    RUN_OFF = "run_off"


class EntrantStatus(StrEnum):
    IN = "in"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    """By the host, or because they left the guild."""


class DepictionStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    VETOED = "vetoed"


class AnnouncementKind(StrEnum):
    """What is announced of an event, each thing once."""

    OPENED = "opened"
    CLOSING_SOON = "closing_soon"
    CHOSEN = "chosen"
    """Whose photos were chosen."""
    TRAINING = "training"
    LORAS_READY = "loras_ready"
    NOT_TRAINED = "not_trained"
    """Entrants for whom no training fitted the budget, or whose photos were too few."""
    PACK_DONE = "pack_done"
    PAUSED = "paused"
    RESUMED = "resumed"
    NO_BALLOT = "no_ballot"
    """Fewer than two entries."""
    RUN_OFF = "run_off"
    """The first place is tied: a second vote has begun."""
    WINNER = "winner"
    CANCELLED = "cancelled"
    NOT_OPENED = "not_opened"
    """For the host: its time has come, and something is missing."""
    TAKEN_BACK = "taken_back"
    """For the host: consent was taken back after training, so a LoRA is to be retired."""

    @property
    def is_for_host(self) -> bool:
        return self in {AnnouncementKind.TAKEN_BACK, AnnouncementKind.NOT_OPENED}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One side of a bake-off: a LoRA (version) and its strength; `label` stays hidden until the votes are counted."""

    lora_id: int
    strength: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Event:
    """A photo-training event of a guild.

    `hours` is how long each stage lasts; `stage_ends_at` when the present one does, None while it has no deadline
    (draft, training, terminal). `budget` in credits, None without a limit. While `paused_at` is set, nothing counts.
    """

    id: int
    guild_id: int
    channel_id: int
    thread_id: int | None
    host_id: int
    name: str
    theme: str
    rules: str
    mode: EventMode
    subject_kind: SubjectKind
    status: EventStatus
    photo_cap: int
    """Photos of one entrant."""
    pictures_each: int
    """Own pictures of one entrant, in orders."""
    entrants_min: int
    entrants_max: int | None
    budget: int | None
    role_ids: frozenset[int]
    """Who may take part; empty: everyone."""
    moderator_ids: frozenset[int]
    jury_role_id: int | None
    pack: tuple[str, ...]
    """Prompts with `{trigger}` where the trigger word goes."""
    style_ids: tuple[int, ...]
    lora_ids: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    hours: Mapping[EventStatus, float]
    wants_thread: bool
    wants_calendar: bool
    calendar_id: int | None
    """Discord's scheduled event."""
    pinned_id: int | None
    """The panel's message that Discord was asked to pin; see bot/events/pins.py."""
    winner_role_id: int | None
    """What those who win it are given."""
    passes_role: bool
    """Whether earlier winners then lose it."""
    on_tie: OnTie
    runoff_ids: tuple[int, ...]
    """The entries that were tied for the first place and are voted on again; empty without a run-off."""
    banner: str | None
    """Spool name of the picture at the head of the panel; None: a drawn one."""
    banner_by: int | None
    """Who gave it."""
    stage_ends_at: datetime | None
    paused_at: datetime | None
    paused_why: PauseReason | None
    dataset_id: int | None
    """The one dataset of a shared subject."""
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    created_at: datetime
    opens_at: datetime | None
    """When a draft opens by itself; None: its host opens it."""
    opens_zone: str | None
    """The time zone by whose clocks it repeats; None: UTC."""
    repeats: Repeat | None
    series_from: datetime | None
    """When the first event of a repeated one was to open."""
    steps: int | None
    """Of its trainings; None: as usual."""
    rank: int | None
    """The same."""
    opened_at: datetime | None
    ended_at: datetime | None

    @property
    def trains_loras(self) -> bool:
        """Whether it takes steps and a rank: a character is not trained."""
        return self.mode.trains and self.subject_kind is not SubjectKind.CHARACTER


@dataclass(frozen=True, slots=True)
class Entrant:
    """`dataset_id`, `training_id`, `lora_id` are set in a personal event; `photos_chosen`: of theirs, for training."""

    id: int
    event_id: int
    guild_id: int
    user_id: int
    status: EntrantStatus
    dataset_id: int | None
    training_id: int | None
    lora_id: int | None
    photos_chosen: int
    joined_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Depiction:
    """A member who was named as seen in one submission's photos, given to an event or to a dataset of `named_by`.

    `in_training`: a LoRA was trained on them.
    """

    id: int
    event_id: int | None
    dataset_id: int | None
    guild_id: int
    consent_id: int
    user_id: int
    named_by: int
    status: DepictionStatus
    in_training: bool
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Announcement:
    id: int
    event_id: int
    guild_id: int
    what: AnnouncementKind
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gallery:
    """A web page with pictures of a finished event. `token` is what its address ends in."""

    id: int
    event_id: int
    guild_id: int
    token: str = field(repr=False)
    opened_at: datetime
    ends_at: datetime


def places_of(event: Event) -> tuple[Place, ...]:
    """Where an event's posts go, best first: its thread, its channel, its host if there still is one."""
    return (*channels_of(event), *host_of(event))


def channels_of(event: Event) -> tuple[Place, ...]:
    """Where everybody reads it, best first."""
    found = [each for each in (event.thread_id, event.channel_id) if each is not None]
    return tuple(Place(PlaceKind.CHANNEL, each) for each in found)


def host_of(event: Event) -> tuple[Place, ...]:
    """Where its host alone reads it; nowhere once they were erased."""
    return () if event.host_id == NOBODY else (Place(PlaceKind.USER, event.host_id),)
