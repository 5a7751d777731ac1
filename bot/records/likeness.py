"""Members who say that a LoRA shows them: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LikenessStatus(StrEnum):
    OPEN = "open"
    """The LoRA rests until somebody decides."""
    KEPT = "kept"
    RETIRED = "retired"
    LAPSED = "lapsed"
    """Nobody decided in time, so the LoRA is retired."""
    GONE = "gone"
    """The LoRA was archived or erased meanwhile."""


@dataclass(frozen=True, slots=True)
class LikenessClaim:
    """A member (`user_id`, a pseudonym once they are erased) says that they can be seen in what a LoRA makes.

    `reason` says why it is kept.
    """

    id: int
    guild_id: int
    lora_id: int
    user_id: int
    status: LikenessStatus
    reason: str | None
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    created_at: datetime
    decided_at: datetime | None
