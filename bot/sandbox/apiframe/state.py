"""The state of the rehearsal Apiframe: teams, LoRAs, jobs, credits; it changes with time. No I/O."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

CREATE_FEE = 2
TRAINING_FEE = 255
IDEMPOTENCY_WINDOW = timedelta(hours=24)
IN_FLIGHT = frozenset({"PENDING", "UPLOADING", "TRAINING"})
UNFINISHED = frozenset({"QUEUED", "PROCESSING"})


@dataclass(frozen=True, slots=True)
class RehearsalTimings:
    """Seconds that each state lasts."""

    pending_s: float = 2.0
    uploading_s: float = 3.0
    training_s: float = 12.0
    image_queue_s: float = 1.0
    image_work_s: float = 4.0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """`credits` is negative for a refund; `ref` is the id of the LoRA or job."""

    team: str
    what: str
    ref: str
    credits: int


class TrainingFault(StrEnum):
    FAIL_BEFORE_CHARGE = "fail_before_charge"
    FAIL_AFTER_CHARGE = "fail_after_charge"


class JobFault(StrEnum):
    FAIL = "fail"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """The job completes, then its files are purged."""
    PARTIAL = "partial"
    """One picture fewer than ordered."""
    ONE_GONE = "one_gone"
    """The job names all pictures, and the file of the last one is not there."""


@dataclass(slots=True)
class JobFaults:
    """Faults of trainings and jobs. The queues hold one entry for each coming LoRA or job; None: no fault."""

    trainings: deque[TrainingFault | None] = field(default_factory=deque)
    jobs: deque[JobFault | None] = field(default_factory=deque)
    hold_trainings: bool = False
    hold_generations: bool = False
    refund_create_fee: bool = True
    """Whether the 2 credits come back when a training fails after it began: the documentation says both."""
    failure_text: str = "Rehearsed failure: the content was not accepted."


@dataclass(slots=True)
class RehearsalLora:
    id: str
    team: str
    api_key: str
    name: str
    subject_kind: str
    gender: str | None
    ethnicity: str | None
    age: str | None
    steps: int
    rank: int
    photos: tuple[Path, ...]
    webhook_url: str | None
    webhook_events: tuple[str, ...]
    number: int
    created_at: datetime
    state_since: datetime
    fault: TrainingFault | None = None
    status: str = "PENDING"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: str | None = None
    trigger_word: str | None = None


@dataclass(slots=True)
class RehearsalJob:
    """`sources` are the photos that its pictures are composed from; `model` says how."""

    id: str
    team: str
    api_key: str
    model: str
    order: Mapping[str, object]
    sources: tuple[Path, ...]
    count: int
    file_format: str
    cost: int
    webhook_url: str | None
    webhook_events: tuple[str, ...]
    seed: int
    created_at: datetime
    state_since: datetime
    fault: JobFault | None = None
    status: str = "QUEUED"
    progress: int = 0
    completed_at: datetime | None = None
    error: str | None = None
    expired: bool = False
    webhook_status: str | None = None

    @property
    def file_names(self) -> list[str]:
        return [f"{self.id}-{position}.{self.file_format}" for position in range(1, self.count + 1)]


class NotEnoughCredits(Exception):
    def __init__(self, required: int, available: int) -> None:
        super().__init__("Insufficient credits")
        self.required = required
        self.available = available


class RehearsalWorld:
    """The state behind the routes. Call `settle` before looking at anything."""

    def __init__(self, credits_by_team: dict[str, int], timings: RehearsalTimings, faults: JobFaults) -> None:
        self.credits = credits_by_team
        self.timings = timings
        self.faults = faults
        self.ledger: list[LedgerEntry] = []
        self.loras: dict[str, RehearsalLora] = {}
        self.jobs: dict[str, RehearsalJob] = {}
        self._replays: dict[tuple[str, str], tuple[str, str, datetime]] = {}

    def charge(self, team: str, what: str, ref: str, amount: int) -> None:
        """Take `amount` credits, or give them back when it is negative."""
        if amount > self.credits[team]:
            raise NotEnoughCredits(amount, self.credits[team])
        self.credits[team] -= amount
        self.ledger.append(LedgerEntry(team, what, ref, amount))

    def trainings_in_flight(self, team: str) -> int:
        return sum(lora.team == team and lora.status in IN_FLIGHT for lora in self.loras.values())

    def add_lora(self, lora: RehearsalLora) -> None:
        self.charge(lora.team, "create", lora.id, CREATE_FEE)
        lora.fault = self.faults.trainings.popleft() if self.faults.trainings else None
        self.loras[lora.id] = lora

    def add_job(self, job: RehearsalJob) -> None:
        self.charge(job.team, "images", job.id, job.cost)
        job.fault = self.faults.jobs.popleft() if self.faults.jobs else None
        job.webhook_status = "pending" if job.webhook_url else None
        if job.fault is JobFault.PARTIAL:
            job.count = max(1, job.count - 1)
        self.jobs[job.id] = job

    def remember(self, api_key: str, idempotency_key: str, body: bytes, job: RehearsalJob) -> None:
        self._replays[api_key, idempotency_key] = (hashlib.sha256(body).hexdigest(), job.id, job.created_at)

    def replayed(
        self, api_key: str, idempotency_key: str, body: bytes, now: datetime
    ) -> tuple[RehearsalJob, bool] | None:
        """The job made under this key within the window, and whether its body was the same."""
        found = self._replays.get((api_key, idempotency_key))
        if found is None or now - found[2] > IDEMPOTENCY_WINDOW:
            return None
        return self.jobs[found[1]], found[0] == hashlib.sha256(body).hexdigest()

    def settle(self, now: datetime) -> list[RehearsalLora | RehearsalJob]:
        """Bring everything to its state at `now`; returns what has just ended."""
        ended: list[RehearsalLora | RehearsalJob] = []
        if not self.faults.hold_trainings:
            ended += [lora for lora in self.loras.values() if self._advance_lora(lora, now)]
        if not self.faults.hold_generations:
            ended += [job for job in self.jobs.values() if self._advance_job(job, now)]
        return ended

    def next_due(self) -> datetime | None:
        """When the next state ends; None when nothing is unfinished or everything is held."""
        loras = [] if self.faults.hold_trainings else list(self.loras.values())
        jobs = [] if self.faults.hold_generations else list(self.jobs.values())
        due = [self._lora_due(lora) for lora in loras if lora.status in IN_FLIGHT]
        due += [self._job_due(job) for job in jobs if job.status in UNFINISHED]
        return min(due, default=None)

    def _lora_due(self, lora: RehearsalLora) -> datetime:
        lasts = {
            "PENDING": self.timings.pending_s,
            "UPLOADING": self.timings.uploading_s,
            "TRAINING": self.timings.training_s,
        }
        return lora.state_since + timedelta(seconds=lasts[lora.status])

    def _job_due(self, job: RehearsalJob) -> datetime:
        lasts = self.timings.image_queue_s if job.status == "QUEUED" else self.timings.image_work_s
        return job.state_since + timedelta(seconds=lasts)

    def _advance_lora(self, lora: RehearsalLora, now: datetime) -> bool:
        """True when it has just become READY or FAILED."""
        while lora.status in IN_FLIGHT and self._lora_due(lora) <= now:
            lora.state_since = self._lora_due(lora)
            if lora.status == "PENDING":
                lora.status = "UPLOADING"
            elif lora.status == "UPLOADING":
                self._begin_training(lora)
            elif lora.fault is TrainingFault.FAIL_AFTER_CHARGE:
                self._fail_training(lora, self.faults.failure_text, began=True)
            else:
                lora.status, lora.completed_at = "READY", lora.state_since
                lora.trigger_word = make_trigger_word(lora.number)
            if lora.status in {"READY", "FAILED"}:
                return True
        return False

    def _begin_training(self, lora: RehearsalLora) -> None:
        if lora.fault is TrainingFault.FAIL_BEFORE_CHARGE:
            self._fail_training(lora, self.faults.failure_text, began=False)
            return
        try:
            self.charge(lora.team, "training", lora.id, TRAINING_FEE)
        except NotEnoughCredits:
            self._fail_training(lora, "Insufficient credits to start the training.", began=False)
            return
        lora.status, lora.started_at = "TRAINING", lora.state_since

    def _fail_training(self, lora: RehearsalLora, error: str, *, began: bool) -> None:
        lora.status, lora.error, lora.completed_at = "FAILED", error, lora.state_since
        if began:
            self.charge(lora.team, "training refund", lora.id, -TRAINING_FEE)
        if not began or self.faults.refund_create_fee:
            self.charge(lora.team, "create refund", lora.id, -CREATE_FEE)

    def _advance_job(self, job: RehearsalJob, now: datetime) -> bool:
        """True when it has just ended."""
        while job.status in UNFINISHED and self._job_due(job) <= now:
            job.state_since = self._job_due(job)
            if job.status == "QUEUED":
                job.status = "PROCESSING"
                continue
            self._end_job(job)
            return True
        if job.status == "PROCESSING":
            worked_s = (now - job.state_since).total_seconds()
            job.progress = min(95, round(100 * worked_s / max(self.timings.image_work_s, 0.001)))
        return False

    def _end_job(self, job: RehearsalJob) -> None:
        job.completed_at = job.state_since
        if job.fault in {JobFault.FAIL, JobFault.CANCELLED}:
            is_cancelled = job.fault is JobFault.CANCELLED
            job.status, job.error = ("CANCELLED", None) if is_cancelled else ("FAILED", self.faults.failure_text)
            self.charge(job.team, "images refund", job.id, -job.cost)
            job.cost, job.progress = 0, 0
            return
        job.status, job.progress = "COMPLETED", 100
        job.expired = job.fault is JobFault.EXPIRED


def make_id() -> str:
    return str(uuid4())


def make_trigger_word(number: int) -> str:
    """Five or six capital letters, in turn: the documentation's text and its examples differ."""
    letters = hashlib.sha256(f"trigger {number}".encode()).digest()
    return "".join(chr(ord("A") + letter % 26) for letter in letters[: 5 + number % 2])
