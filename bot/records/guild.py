"""Servers, their channels and who acts in them: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from bot.records.key import ProviderName


class Sight(Protocol):
    """What somebody may be shown outside the channel in which it was made: nothing of a private or an age-restricted
    one unless they could see it there."""

    def sees(self, channel_id: int) -> bool:
        """Whether they may be shown here and now what stands in this channel or thread."""
        ...

    def may_repost(self, channel_id: int, target_id: int) -> bool:
        """Whether everybody who reads the target may see what was made in this channel or thread."""
        ...


class Everything:
    """The sight of who acts for themselves alone, or where nothing is shown."""

    def sees(self, channel_id: int) -> bool:
        return True

    def may_repost(self, channel_id: int, target_id: int) -> bool:
        return True


EVERYTHING: Final = Everything()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as Discord said with the interaction."""

    guild_id: int
    user_id: int
    role_ids: frozenset[int] = frozenset()
    is_admin: bool = False
    """Manage Server, or the guild's owner."""
    is_moderator: bool = False
    """An admin, or has the moderators' role that the admins chose."""
    is_event_host: bool = False
    """An admin, or has the role for hosts of events that the admins chose."""
    sight: Sight = field(default=EVERYTHING, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """Where somebody acted; for a thread that everybody may read, `parent_id` is the channel it belongs to."""

    id: int
    parent_id: int | None = None
    is_age_restricted: bool = False


NOBODY = 0
"""Stands for a member who was erased, in rows that others depend on."""


class PlaceKind(StrEnum):
    CHANNEL = "channel"
    """A channel or a thread."""
    USER = "user"
    """A private message."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post may go."""

    kind: PlaceKind
    id: int


@dataclass(frozen=True, slots=True)
class Guild:
    """What a guild's admins have chosen; `left_at`: since when the bot is no longer a member there.

    `limited_at`: when its members were first given a limit. `training_pause_h`: the hours between a member's trainings.
    `moderator_role_id`: whose members moderate, beside the admins. `host_role_id`: whose members plan and run events
    like them. `words`: what no text may hold, None for no list.
    `is_adult_allowed`: explicit pictures may be made in age-restricted channels. `needs_approval`: a moderator looks at
    pictures before they are in the gallery or stand for a vote. `makes_samples`: a first picture follows each LoRA.
    `news_role_id`: the role that is mentioned when something happens in an event.
    `welcomed_at`: when the server was told how to begin, which is done once.
    """

    id: int
    guild_id: int
    default_provider: ProviderName | None
    gallery_channel_id: int | None
    reports_channel_id: int | None
    limited_at: datetime | None
    training_pause_h: int | None
    moderator_role_id: int | None
    host_role_id: int | None
    log_channel_id: int | None
    words: tuple[str, ...] | None
    is_adult_allowed: bool
    needs_approval: bool
    makes_samples: bool
    news_role_id: int | None
    welcomed_at: datetime | None
    left_at: datetime | None
