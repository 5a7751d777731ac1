"""Datasets and the photos in them: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.key import ProviderName


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


class Pick(StrEnum):
    """What became of one photo of an event's subject."""

    CHOSEN = "chosen"
    PINNED = "pinned"
    """Chosen by the host."""
    DROPPED = "dropped"
    """Left out by the host."""


class ConsentKind(StrEnum):
    PHOTOS = "photos"
    """Somebody gave photos."""
    DEPICTED = "depicted"
    """Somebody who was named as seen in photos agreed."""
    AUTHOR = "author"
    """The author of a message agreed that somebody else uses its photos."""
    IMPORT = "import"
    """An admin said that everyone agreed who can be seen in a LoRA that was not trained here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a photo: a code from photos/checks.py and, for duplicates, the other photo's name."""

    code: str
    detail: str = ""


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
    kept_hours: int | None = None
    """For how long its member wants its photos to be kept; None: as long as usual."""


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
class Upload:
    """An attachment as Discord announced it; nothing of it is trusted."""

    name: str
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The proof of one submission or one confirmation, with the sentence that was shown. Also the submission's id."""

    id: int
    guild_id: int
    user_id: int
    event_id: int | None
    dataset_id: int | None
    """None: it is about photos from which an order of pictures starts."""
    kind: ConsentKind
    policy_version: str
    wording: str | None
    given_at: datetime
    withdrawn_at: datetime | None
