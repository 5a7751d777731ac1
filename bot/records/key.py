"""API keys without their secrets, and the providers they belong to. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.doubt import Doubt


class ProviderName(StrEnum):
    APIFRAME = "apiframe"
    AUROUS = "aurous"

    @property
    def label(self) -> str:
        return {ProviderName.APIFRAME: "Apiframe", ProviderName.AUROUS: "Aurous Labs"}[self]


class KeyStatus(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"


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
    doubt: Doubt | None
    """Answers that contradict that this key works."""
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
    account: str | None
    """A fingerprint of the team at the provider, whose credits and slots several keys may share."""
    slots: int | None
    """Trainings at once that an admin allows; None: as many as the provider documents."""
    slots_learnt: int | None
    """Trainings at once after which the provider said that it takes no more; None when it never did."""
