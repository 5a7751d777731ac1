"""What the log of a server holds: a closed set of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Act(StrEnum):
    PAID = "paid"
    SHARED = "shared"
    DELETED = "deleted"
    MODERATED = "moderated"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`user_id` did it, to or for `member_id` if that is somebody; who was erased since has a negative number.

    `about` names rows by their kind and number and holds nothing that a member has written.
    """

    id: int
    guild_id: int
    at: datetime
    act: Act
    user_id: int
    member_id: int | None
    about: str
