"""What the log says of each change of state: the words, the sentence and the JSON fields, in one place.

Storage notes changes inside a transaction; they are said once it is committed, so that each line says what is true.
A process that dies between the two says nothing.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.process.figures import CHANGES, CREDITS
from bot.records.event import EventStatus
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.key import KeyStatus, ProviderName
from bot.records.post import PostStatus
from bot.records.removal import RemovalStatus
from bot.records.training import TrainingStatus

log = logging.getLogger(__name__)


class Turn(StrEnum):
    """Changes that are no word of a status."""

    ACCEPTED = "accepted"
    PAUSED = "paused"
    RESUMED = "resumed"
    EDITED = "edited"
    HANDED_OVER = "handed_over"
    ERASED = "erased"
    MEMBER_ERASED = "member_erased"


WORDS: Mapping[LaneName, Mapping[str, str]] = {
    LaneName.TRAININGS: {
        TrainingStatus.QUEUED: "queued",
        TrainingStatus.SUBMITTING: "submitting",
        TrainingStatus.SUBMITTED: "submitted",
        TrainingStatus.TRAINING: "running",
        TrainingStatus.READY: "ready",
        TrainingStatus.FAILED: "failed",
        TrainingStatus.CANCELLED: "cancelled",
    },
    LaneName.GENERATIONS: {
        GenerationStatus.QUEUED: "queued",
        GenerationStatus.SUBMITTING: "submitting",
        GenerationStatus.SUBMITTED: "submitted",
        GenerationStatus.FETCHING: "fetching",
        GenerationStatus.READY: "ready",
        GenerationStatus.FAILED: "failed",
    },
    LaneName.POSTS: {
        PostStatus.PENDING: "waiting",
        PostStatus.SENDING: "sending",
        PostStatus.POSTED: "posted",
        PostStatus.KEPT: "kept",
        PostStatus.WITHDRAWN: "withdrawn",
    },
    LaneName.EVENTS: {
        EventStatus.DRAFT: "draft",
        EventStatus.COLLECTING: "collecting",
        EventStatus.REVIEWING: "reviewing",
        EventStatus.TRAINING: "training",
        EventStatus.SHOWING: "showing",
        EventStatus.VOTING: "voting",
        EventStatus.FINISHED: "finished",
        EventStatus.CANCELLED: "cancelled",
    },
    LaneName.KEYS: {KeyStatus.ACTIVE: "set", KeyStatus.RETIRED: "removed"},
    LaneName.REMOVALS: {RemovalStatus.WAITING: "waiting", RemovalStatus.ENDED: "ended"},
}
"""The word for each status, by lane. The other lanes keep no state that an operator waits for."""
ON_ARRIVAL: Mapping[LaneName, str] = {
    LaneName.TRAININGS: Turn.ACCEPTED,
    LaneName.GENERATIONS: Turn.ACCEPTED,
    LaneName.REMOVALS: Turn.ACCEPTED,
}
"""The word for a new row, where it is not that of its status."""
PASSING = frozenset({"waiting", "sending", Turn.EDITED})
"""Words of what is still under way for a message; they are said at DEBUG."""
PAUSED = (LaneName.KEYS, LaneName.EVENTS)
"""Lanes whose rows can be paused."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row. `seconds`: its age then; `credits`: what it took in the end; `detail`: a word of ours."""

    lane: LaneName
    id: int | None
    word: str
    guild: int = 0
    provider: str | None = None
    credits: int | None = None
    seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a job took; said with the last change of it."""

    lane: LaneName
    id: int
    provider: str
    credits: int


def word_for(lane: LaneName, status: str, *, is_new: bool = False) -> str:
    usual = WORDS[lane].get(status, status)
    return ON_ARRIVAL.get(lane, usual) if is_new else usual


def possible() -> Iterator[tuple[str, str]]:
    """Every lane with each word that can be said of it. In a series that begins above 0 Prometheus sees no increase."""
    for lane, words in WORDS.items():
        yield from ((lane, word) for word in (*words.values(), Turn.ERASED))
        yield lane, ON_ARRIVAL.get(lane, Turn.ERASED)
    yield from ((lane, word) for lane in PAUSED for word in (Turn.PAUSED, Turn.RESUMED))
    yield from ((LaneName.POSTS, word) for word in (Turn.EDITED, Turn.HANDED_OVER))
    yield from ((LaneName.GUILDS, word) for word in (Turn.ERASED, Turn.MEMBER_ERASED))


for _lane, _word in possible():
    CHANGES.add(_lane, _word, by=0)
for _provider in ProviderName:
    CREDITS.add(_provider, by=0)


def tell(noted: Sequence[Change | Settled]) -> None:
    """Log and count what a commit has stored, in its order."""
    if not noted:
        return
    took: dict[tuple[LaneName, int | None], int] = {}
    for each in noted:
        if isinstance(each, Settled):
            took[each.lane, each.id] = each.credits
            CREDITS.add(each.provider, by=each.credits)
    changes = [each for each in reversed(noted) if isinstance(each, Change)]
    for line in reversed([replace(each, credits=took.pop((each.lane, each.id), None)) for each in changes]):
        CHANGES.add(line.lane, line.word)
        level = logging.DEBUG if line.word in PASSING else logging.INFO
        if log.isEnabledFor(level):
            log.log(level, sentence(line), extra={"fields": fields(line)})


def sentence(change: Change) -> str:
    """`training 12 ready · guild 5 · apiframe · 257 credits · 812 s`."""
    parts = [
        f"{change.lane} {change.id} {change.word}" if change.id is not None else f"{change.lane} {change.word}",
        change.detail,
        f"guild {change.guild}" if change.guild else "",
        change.provider,
        None if change.credits is None else f"{change.credits} credits",
        None if change.seconds is None else f"{change.seconds:.0f} s",
    ]
    return " · ".join(part for part in parts if part)


def fields(change: Change) -> dict[str, str | int | float]:
    """The same for JSON; what is not known is left out."""
    known = {
        "event": change.word,
        "job": None if change.id is None else f"{change.lane}-{change.id}",
        "guild": str(change.guild) if change.guild else None,
        "provider": change.provider,
        "credits": change.credits,
        "seconds": None if change.seconds is None else round(change.seconds, 3),
        "detail": change.detail or None,
    }
    return {name: value for name, value in known.items() if value is not None}
