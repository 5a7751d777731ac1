"""What may be spent in a month, and what each job has taken: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.job import SubjectTable
from bot.records.key import ProviderName


class LimitKind(StrEnum):
    """Whose spending a limit bounds."""

    SERVER = "server"
    MEMBER = "member"
    """Each member, by themselves."""
    ROLE = "role"
    """Each member who has this role, instead of what holds for each member, if it is larger."""


class Unit(StrEnum):
    """What is counted."""

    CREDITS = "credits"
    TRAININGS = "trainings"
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Amount:
    """What a job takes, or what several have taken."""

    credits: int = 0
    trainings: int = 0
    pictures: int = 0

    def of(self, unit: Unit) -> int:
        return {Unit.CREDITS: self.credits, Unit.TRAININGS: self.trainings, Unit.PICTURES: self.pictures}[unit]


@dataclass(frozen=True, slots=True)
class Limit:
    """What may be spent in each calendar month (UTC). What is None is not limited; `role_id` is 0 without a role."""

    id: int
    guild_id: int
    who: LimitKind
    role_id: int
    credits: int | None
    trainings: int | None
    pictures: int | None
    set_by: int
    set_at: datetime

    def of(self, unit: Unit) -> int | None:
        return {Unit.CREDITS: self.credits, Unit.TRAININGS: self.trainings, Unit.PICTURES: self.pictures}[unit]


@dataclass(frozen=True, slots=True)
class Spend:
    """What one job takes. Until `settled_at` it is what was reserved, afterwards what the job really took.

    `user_id` is a pseudonym (negative) when the member was erased.
    """

    id: int
    guild_id: int
    user_id: int
    event_id: int | None
    subject_table: SubjectTable
    subject_id: int
    provider: ProviderName
    reserved: int
    """Credits reserved when the job was stored."""
    credits: int
    trainings: int
    pictures: int
    created_at: datetime
    settled_at: datetime | None
