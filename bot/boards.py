"""What may be trained, what was uploaded, and what a dataset's photos amount to as a set. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import UserError
from bot.models import Dataset, DatasetStatus, Finding, Gender, Photo, SubjectKind, Verdict
from bot.photos import checks

CONSENT_POLICY = "2026-11"
"""Version of the sentence members agree to; recorded with every consent."""
CONSENT_SENTENCE = (
    "These are photos of me, or I have the permission of everyone in them, and everyone is 18 or older. "
    "They may be sent to {provider} to train a LoRA."
)


@dataclass(frozen=True, slots=True)
class DatasetOrder:
    """What /train asks for. Limits: Apiframe /docs/loras/create."""

    name: str
    subject_kind: SubjectKind
    gender: Gender | None = None
    ethnicity: str | None = None
    age: str | None = None
    steps: int = 1000
    rank: int = 32


@dataclass(frozen=True, slots=True)
class Upload:
    """An attachment as Discord announced it; nothing of it is trusted."""

    name: str
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class Board:
    """A dataset and what we say of its photos: each photo's verdict counts duplicates and the limit of 30."""

    dataset: Dataset
    photos: tuple[Photo, ...]

    @property
    def usable(self) -> tuple[Photo, ...]:
        return tuple(photo for photo in self.photos if photo.verdict is not Verdict.REFUSED)

    @property
    def missing(self) -> int:
        """How many more usable photos it takes."""
        return max(0, checks.MIN_PHOTOS - len(self.usable))

    @property
    def can_start(self) -> bool:
        return self.dataset.status is DatasetStatus.OPEN and self.missing == 0


def check_order(order: DatasetOrder) -> None:
    """UserError when the order cannot be trained, before anybody uploads anything."""
    if order.subject_kind is SubjectKind.PERSON and (order.gender is None or not (order.ethnicity or "").strip()):
        raise UserError(
            "To train a person, the provider needs `gender` and `ethnicity`. "
            "Please fill in both options of `/train` and send it again; they are deleted with the photos."
        )
    for label, value in (("ethnicity", order.ethnicity), ("age", order.age)):
        if value is not None and not 1 <= len(value.strip()) <= 40:
            raise UserError(f"`{label}` takes 1 to 40 characters. Please shorten it.")
    if not 500 <= order.steps <= 3000:
        raise UserError("`steps` takes a number from 500 to 3000; 1000 is a good start.")
    if not 8 <= order.rank <= 64:
        raise UserError("`rank` takes a number from 8 to 64; 32 is a good start.")


def judge_set(photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """Each photo's verdict within its set: later duplicates are marked, and only the first 30 usable ones are sent."""
    duplicates = checks.find_duplicates([(photo.name, photo.sha256, photo.dhash) for photo in photos])
    judged: list[Photo] = []
    used = 0
    for index, photo in enumerate(photos):
        findings = photo.findings
        if index in duplicates and photo.verdict is not Verdict.REFUSED:
            findings = (*findings, duplicates[index])
        verdict = checks.verdict_of(findings)
        if verdict is not Verdict.REFUSED:
            used += 1
            if used > checks.MAX_PHOTOS:
                findings = (*findings, Finding(checks.Code.OVER_LIMIT))
                verdict = Verdict.REFUSED
        judged.append(replace(photo, findings=findings, verdict=verdict))
    return tuple(judged)
