"""LoRAs, styles, shares and offers: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.dataset import SubjectKind
from bot.records.key import ProviderName


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


@dataclass(frozen=True, slots=True)
class Lora:
    id: int
    guild_id: int
    owner_id: int
    provider: ProviderName
    remote_id: str
    name: str
    trigger_word: str | None
    subject_kind: SubjectKind
    training_id: int
    """A number of its own below 0 when it was not trained here."""
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
    """Somebody whose photos it was trained on, or who is seen in it, does not want that: nobody may use it any more."""
    resting_since: datetime | None
    """Somebody says that they are seen in it: nobody may use it until that is decided."""
    event_id: int | None
    strength: float | None = None
    """What its pictures are made with when whoever orders them says nothing; None: what the provider takes then."""
    chosen_at: datetime | None = None
    """When this version was chosen among the others; one that was made later counts before it."""
    dataset_id: int | None = None
    """Its photos: the consents to them tell whom it shows, also when dataset and training are erased. None: not trained
    here."""

    @property
    def known_as(self) -> str:
        """What names it in every life of the database. Only those trained here ever come back in another row."""
        return str(self.id) if self.training_id < 0 else f"{self.provider}:{self.remote_id}"

    @property
    def is_usable(self) -> bool:
        """Whether new pictures may be made with it, as far as the LoRA itself is concerned."""
        ended = (self.archived_at, self.missing_since, self.retiring_since, self.resting_since)
        return all(since is None for since in ended)

    @property
    def is_character(self) -> bool:
        return self.subject_kind is SubjectKind.CHARACTER


@dataclass(frozen=True, slots=True)
class Style:
    """A ready-made LoRA of a provider, as a guild's key may use it; `retired_at`: the provider no longer lists it."""

    id: int
    guild_id: int
    provider: ProviderName
    remote_id: str
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
    created_at: datetime | None
    """When the provider first offered it; None when that is not known."""


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


NAME_MAX = 40
