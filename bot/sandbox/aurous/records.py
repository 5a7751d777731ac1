"""The records of the rehearsal Aurous Labs: teams, styles, pictures, files, characters, endpoints, charges. No I/O."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from bot.sandbox.aurous.orders import ImageOrder

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_BODY_LENGTH = 26
FILE_LIFE = timedelta(hours=24)
FILE_URL_LIFE = timedelta(hours=1)
TICKET_LIFE = timedelta(hours=24)
TICKET_URL_LIFE = timedelta(minutes=15)
POSES = ("portrait", "front", "side", "back", "other")


class ImageFault(StrEnum):
    FAIL = "fail"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MODERATION_REJECTED = "moderation_rejected"
    PARTIAL = "partial"
    """One picture fewer than ordered."""
    GONE = "gone"
    """It succeeds, and its outputs have expired at once."""
    ONE_GONE = "one_gone"
    """Only the last output has expired at once."""


@dataclass(frozen=True, slots=True)
class AurousTimings:
    """Seconds that each state lasts, and the pauses between deliveries; how registered ones repeat is assumed."""

    pending_s: float = 1.0
    processing_s: float = 4.0
    callback_gap_s: float = 2.0
    retry_delays_s: tuple[float, ...] = (1.0, 4.0, 16.0)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """`what`: a kind of thing and what happened to its credits, as in "image hold", "image charge", "image release".

    A hold is charged or released when its thing ends; `credits` is negative for a release.
    """

    team: str
    what: str
    ref: str
    credits: float


@dataclass(slots=True)
class RehearsalTeam:
    """`credits` falls when something is charged; `held` is set aside for what is unfinished."""

    id: str
    name: str
    credits: float
    created_at: datetime
    held: float = 0
    balance_low_at: datetime | None = None
    """When the last warning of a low balance was sent."""


@dataclass(slots=True)
class RehearsalStyle:
    """A LoRA of the catalogue; `team` is the only one that sees it when it is not public.

    `mood` and `place` say how its pictures are painted; `is_text_only`: it refuses reference pictures and characters.
    """

    id: str
    uuid: str
    name: str
    slug: str | None
    description: str
    mood: str
    place: int
    created_at: datetime
    denoise: float | None = None
    guidance: float | None = None
    steps: int | None = None
    has_template: bool = False
    team: str | None = None
    is_active: bool = True
    is_text_only: bool = False

    def answers_to(self, ref: str) -> bool:
        """The id is the canonical handle; a slug or a legacy UUID does, too (Aurous Labs /loras)."""
        return ref in {self.id, self.uuid} or (self.slug is not None and ref == self.slug)

    def is_usable_by(self, team: str) -> bool:
        return self.is_active and self.team in {None, team}


@dataclass(frozen=True, slots=True)
class StoredReference:
    """One picture of a character, or one that a picture is made from; `path` may still have to be painted."""

    pose: str
    path: Path
    recipe: str = ""
    """What to paint when there is no file; empty for an uploaded one."""


@dataclass(slots=True)
class RehearsalImage:
    """`held` is given back or charged when it ends; `charged` is what it took."""

    id: str
    team: str
    order: ImageOrder
    styles: tuple[RehearsalStyle, ...]
    character: str | None
    character_name: str
    sources: tuple[StoredReference, ...]
    held: float
    held_for_enhancing: float
    seed: int
    request_id: str
    version: str
    created_at: datetime
    state_since: datetime
    fault: ImageFault | None = None
    status: str = "pending"
    count: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: str | None = None
    charged: float = 0

    @property
    def is_live(self) -> bool:
        return self.status in {"pending", "processing"}


@dataclass(slots=True)
class RehearsalFile:
    id: str
    team: str
    path: Path
    purpose: str
    content_type: str
    size_bytes: int
    width_px: int
    height_px: int
    metadata: Mapping[str, object] | None
    created_at: datetime


@dataclass(slots=True)
class UploadTicket:
    """A place for one photo of a character; `pose` once it was classified."""

    id: str
    team: str
    path: Path
    content_type: str
    created_at: datetime
    is_filled: bool = False
    is_used: bool = False
    pose: str = "other"


@dataclass(slots=True)
class RehearsalCharacter:
    id: str
    team: str
    name: str
    refs: tuple[StoredReference, ...]
    version: str
    created_at: datetime
    updated_at: datetime
    status: str = "ready"


@dataclass(slots=True)
class RehearsalEndpoint:
    """A registered webhook address."""

    id: str
    team: str
    url: str
    events: tuple[str, ...]
    secret: str = field(repr=False)
    description: str | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    is_active: bool = True
    consecutive_failures: int = 0
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None


def make_id(prefix: str) -> str:
    """As `img_01J9…`; the length of the body is nothing to rely on (Aurous Labs names a ULID, its examples differ)."""
    return f"{prefix}_" + "".join(secrets.choice(CROCKFORD) for _ in range(ID_BODY_LENGTH))


def make_secret() -> str:
    return f"whsec_{secrets.token_hex(24)}"
