"""What is to be removed at a provider, and what it answered: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.doubt import Doubt
from bot.records.job import SubjectTable
from bot.records.key import ProviderName


class RemovalKind(StrEnum):
    LORA = "lora"
    CHARACTER = "character"
    TRAINING = "training"
    """It may be under way: it becomes a LoRA or a character here as soon as it has ended."""
    PICTURES = "pictures"
    """An order of pictures that was under way. No provider has a call to delete what it made."""
    UPLOAD = "upload"
    """A reference picture."""


class RemovalReason(StrEnum):
    ERASED = "erased"
    TAKEN_BACK = "taken_back"
    """Somebody whose photos it was made from took their consent back."""
    LIKENESS = "likeness"
    """A member is seen in what it makes."""
    ARCHIVED = "archived"
    LEFT = "left"
    """The server removed the bot, and the admin who set its key wanted its LoRAs gone."""


class RemovalStatus(StrEnum):
    WAITING = "waiting"
    ENDED = "ended"


class RemovalAnswer(StrEnum):
    REMOVED = "removed"
    """The provider has done what it was asked (204, or 200 at Aurous Labs)."""
    NOT_THERE = "not_there"
    """The provider says that it has no such thing (404), again and again."""
    NEVER_MADE = "never_made"
    """The provider never had it."""
    NO_CALL = "no_call"
    """The provider cannot be asked to delete this; it does so by itself after some time."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One object at a provider that is to go, and afterwards the receipt for it.

    `subject_table` and `subject_id` name the job that made it, which may be gone here.
    """

    id: int
    guild_id: int
    user_id: int
    """Who gets the receipt; NOBODY when nobody asked."""
    provider: ProviderName
    account: str | None
    """The team at the provider that has it; None: whichever the server's key belongs to."""
    kind: RemovalKind
    subject_table: SubjectTable
    subject_id: int
    remote_id: str | None
    marker: str | None
    """Part of its name at the provider, by which it is found when its id is not known."""
    why: RemovalReason
    status: RemovalStatus
    sent_at: datetime
    """When the order for it was sent, or about to be."""
    created_at: datetime
    asked_at: datetime | None
    """When the provider was last asked."""
    answered_at: datetime | None
    answer: RemovalAnswer | None
    attempt: int
    due_at: datetime | None
    """When it is looked at next; None while it waits: the server has no key under which the provider could be asked."""
    doubt: Doubt | None
    """Answers that it is not there, although we know that it was."""

    @property
    def known_as(self) -> str:
        """What names it in every life of the database: a claim that lapses again has a LoRA removed in a new row."""
        file = self.remote_id if self.kind is RemovalKind.UPLOAD else None
        return f"{self.user_id}:{self.subject_table}:{self.subject_id}:{file}"

    @property
    def is_asleep(self) -> bool:
        return self.status is RemovalStatus.WAITING and self.due_at is None
