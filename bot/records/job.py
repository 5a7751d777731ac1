"""Jobs: the engine's lanes, timeline entries, and what an entry or a post is about. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    what: str
    detail: str


class LaneName(StrEnum):
    """The engine's lanes, one for each table whose rows are jobs."""

    TRAININGS = "training"
    GENERATIONS = "generation"
    POSTS = "post"
    DATASETS = "dataset"
    KEYS = "key"
    GUILDS = "guild"
    EVENTS = "event"
    REMOVALS = "removal"
    REQUESTS = "request"
    LIKENESS = "likeness"


class SubjectTable(StrEnum):
    """Which kind of row a timeline entry or a post is about."""

    TRAINING = "training"
    GENERATION = "generation"
    KEY = "key"
    OFFER = "offer"
    LORA = "lora"
    PICTURE = "picture"
    REPORT = "report"
    EVENT = "event"
    ANNOUNCEMENT = "announcement"
    DEPICTION = "depiction"
    ENTRANT = "entrant"
    REMOVAL = "removal"
    LOG = "log"
    APPROVAL = "approval"
    REQUEST = "request"
    LIKENESS = "likeness"
    GUILD = "guild"
    MESSAGE = "message"
    """A message of Discord's, by its own id."""


JOB_NAMES = {SubjectTable.TRAINING: "training", SubjectTable.GENERATION: "pictures"}
"""What people read of a job, before its number."""


@dataclass(frozen=True, slots=True)
class JobRef:
    """A training or a generation."""

    subject: SubjectTable
    id: int
