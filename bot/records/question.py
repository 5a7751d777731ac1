"""Private questions to members, and requests for photos of somebody else's message. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.dataset import Upload
from bot.records.generation import GenerationSettings
from bot.records.post import PostKind


class RequestStatus(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    """The author said yes; what was asked for is done next."""
    REFUSED = "refused"
    EXPIRED = "expired"
    """No answer in time, which is a no."""
    DONE = "done"
    FAILED = "failed"
    """The author said yes, but it could not be done."""

    @property
    def is_terminal(self) -> bool:
        return self not in {RequestStatus.ASKED, RequestStatus.GRANTED}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a member prefers in a guild: pictures privately first, no pings about results."""

    is_private: bool = False
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class PhotoRequest:
    """A member (`from_id`) wants photos of a message of somebody else (`to_id`): for a dataset, or for new pictures.

    `dataset_id` is set for a dataset; `prompt`, `settings` and the asker's `role_ids` are for pictures.
    """

    id: int
    guild_id: int
    channel_id: int
    parent_id: int | None
    from_id: int
    to_id: int
    uploads: tuple[Upload, ...]
    dataset_id: int | None
    prompt: str | None
    settings: GenerationSettings | None
    role_ids: frozenset[int]
    is_age_restricted: bool
    status: RequestStatus
    outcome: str | None
    """What came of a yes, for the asker."""
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """Something that `from_id` wants `to_id` to answer; the post of this kind about this row asks it.

    `asked_at` is when its message goes out, which may be later. One that is not open still counts for the day.
    """

    id: int
    guild_id: int
    from_id: int
    to_id: int
    kind: PostKind
    subject_id: int
    asked_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A member who was asked something that is open. Its message goes out `at` this time, or never: `is_muted`."""

    user_id: int
    at: datetime
    is_muted: bool
