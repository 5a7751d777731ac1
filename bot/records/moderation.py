"""The log of a server, and pictures that wait for its moderators: closed sets of words and frozen rows. No I/O."""

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

    NOBODY did what follows from a rule by itself.
    `about` names rows by their kind and number, but not what may stand in a vote, and holds nothing that a member has
    written.
    """

    id: int
    guild_id: int
    at: datetime
    act: Act
    user_id: int
    member_id: int | None
    about: str


class Purpose(StrEnum):
    """Where a picture goes once a moderator has approved it."""

    GALLERY = "gallery"
    BALLOT = "ballot"


class ApprovalStatus(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Approval:
    """A picture that somebody, `user_id`, wants to show everybody."""

    id: int
    guild_id: int
    generation_id: int
    picture_id: int
    purpose: Purpose
    user_id: int
    status: ApprovalStatus
