"""Entries and votes of an event, and what was won. Plain data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AwardStatus(StrEnum):
    GIVEN = "given"
    PENDING = "pending"
    """Discord has not answered: it is to be given to who stands among the winners, and taken from whoever does not."""
    REFUSED = "refused"
    """By Discord: they had left, or the bot may not give this role."""
    TAKEN = "taken"
    """It went on to the winner of a later event."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture in the ballot (all pictures of a candidate in a bake-off). `position` is its anonymous number."""

    id: int
    event_id: int
    guild_id: int
    user_id: int
    picture_ids: tuple[int, ...]
    position: int | None
    label: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Vote:
    id: int
    event_id: int
    entry_id: int
    voter_id: int
    is_jury: bool
    cast_at: datetime


@dataclass(frozen=True, slots=True)
class Honour:
    """A place in the hall of fame."""

    id: int
    event_id: int
    guild_id: int
    user_id: int
    event_name: str
    place: int
    votes: int
    picture_id: int | None
    label: str | None
    awarded_at: datetime


@dataclass(frozen=True, slots=True)
class Award:
    """The role that a member was given as a winner."""

    id: int
    event_id: int
    guild_id: int
    user_id: int
    role_id: int
    status: AwardStatus
    given_at: datetime
