"""Trainings: their states and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.doubt import Doubt
from bot.records.key import ProviderName


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
    doubt: Doubt | None
    """Answers that contradict that this training is there, or that it may be ordered."""
    lora_id: int | None
    balance_before: int | None
    event_id: int | None
    created_at: datetime
    submitting_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None

    @property
    def known_as(self) -> str:
        """What the provider knows the order by: the same in every life of the database."""
        return self.marker
