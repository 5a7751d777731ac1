"""What can be trained, and how a dataset's photos are judged as a set. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.clock import Timings
from bot.datasets.ages import check_age, check_words
from bot.errors import UserError
from bot.photos import checks
from bot.records.dataset import Dataset, DatasetStatus, Finding, Gender, Photo, SubjectKind, Verdict
from bot.records.event import Depiction
from bot.text import lasting

PERMISSION = "These are photos of me, or I have the permission of everyone in them, and everyone is 18 or older. "
STEPS, RANK = 1000, 32
"""Defaults for an order without them (Apiframe /docs/loras/create)."""
STEPS_LEAST, STEPS_MOST = 500, 3000
RANK_LEAST, RANK_MOST = 8, 64
USUAL_MINUTES = (15, 25)
"""What a training of STEPS takes; it grows with the steps."""


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """Least number of usable photos for a training, and the most that are sent."""

    least: int
    most: int

    @property
    def words(self) -> str:
        return f"{self.least}–{self.most}"


LORA_PHOTOS = PhotoLimits(checks.MIN_PHOTOS, checks.MAX_PHOTOS)
CHARACTER_PHOTOS = PhotoLimits(1, 6)
"""Source: Aurous Labs /characters/create-character."""


@dataclass(frozen=True, slots=True)
class DatasetOrder:
    """What /train asks for (limits: Apiframe /docs/loras/create). `previous_lora_id`: it becomes a newer version."""

    name: str
    subject_kind: SubjectKind
    gender: Gender | None = None
    ethnicity: str | None = None
    age: str | None = None
    steps: int | None = None
    rank: int | None = None
    previous_lora_id: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A dataset with its photos, which are judged as a set (`judge_set`)."""

    dataset: Dataset
    photos: tuple[Photo, ...]
    pending: tuple[Depiction, ...] = ()
    """Questions to members who were named as seen in some of them and have not said yes."""

    @property
    def asked(self) -> tuple[int, ...]:
        """These members, each once."""
        return tuple(dict.fromkeys(each.user_id for each in self.pending))

    @property
    def questions(self) -> tuple[int, ...]:
        return tuple(each.id for each in self.pending)

    @property
    def limits(self) -> PhotoLimits:
        return photo_limits(self.dataset.subject_kind)

    @property
    def usable(self) -> tuple[Photo, ...]:
        return tuple(photo for photo in self.photos if photo.verdict is not Verdict.REFUSED)

    @property
    def missing(self) -> int:
        """How many more usable photos are needed."""
        return max(0, self.limits.least - len(self.usable))

    @property
    def lacks_person(self) -> bool:
        """Whether it has not been said who the person in the photos is; events ask before they take photos."""
        dataset = self.dataset
        is_asked = dataset.subject_kind is SubjectKind.PERSON and dataset.event_id is None
        return is_asked and (dataset.gender is None or not dataset.ethnicity)

    @property
    def can_start(self) -> bool:
        return self.dataset.status is DatasetStatus.OPEN and self.missing == 0 and not self.lacks_person


def photo_limits(kind: SubjectKind) -> PhotoLimits:
    return CHARACTER_PHOTOS if kind is SubjectKind.CHARACTER else LORA_PHOTOS


def usual_time(steps: int) -> str:
    """How long a training of so many steps usually takes."""
    least, most = (round(minutes * steps / STEPS) for minutes in USUAL_MINUTES)
    return f"{least}–{most} minutes"


def consent_sentence(kind: SubjectKind, kept: timedelta) -> str:
    """The consent that a member gives before any photo is downloaded: who gets them, and how long they are `kept`."""
    is_kept = kind is SubjectKind.CHARACTER
    use = ", which keeps them as the character's reference" if is_kept else " to train a LoRA"
    return f"{PERMISSION}They may be sent to {kind.provider.label}{use}. {deletion_sentence(kind, kept)}"


def deletion_sentence(kind: SubjectKind, kept: timedelta) -> str:
    """Until when photos of this kind are kept here, at most `kept` long."""
    made = "character" if kind is SubjectKind.CHARACTER else "LoRA"
    return (
        f"Darkroom keeps them until the {made} is ready, at the latest for {lasting(kept)}, "
        "so that a failure can start again."
    )


def kept_for(dataset: Dataset, timings: Timings) -> timedelta:
    """How long its photos are kept here at most, from when it was begun."""
    return timings.photos_kept if dataset.kept_hours is None else timedelta(hours=dataset.kept_hours)


def can_be_kept_for(dataset: Dataset, timings: Timings) -> timedelta | None:
    """The same if its member asks for as long as possible; None when that is no longer than now, or not possible."""
    longest = timings.photos_kept_longest
    is_open = dataset.status is DatasetStatus.OPEN and dataset.event_id is None
    return longest if is_open and longest > kept_for(dataset, timings) else None


def check_order(order: DatasetOrder) -> None:
    """UserError when the order cannot be trained; called before any photo is uploaded.

    What the provider needs to know of a person may still be missing: the board asks for it.
    """
    check_age(order.age)
    check_words(order.ethnicity)
    if order.subject_kind is SubjectKind.PERSON:
        check_words(order.name)
    if order.subject_kind is SubjectKind.CHARACTER:
        _check_character(order)
        return
    for label, value in (("ethnicity", order.ethnicity), ("age", order.age)):
        if value is not None and not 1 <= len(value.strip()) <= 40:
            raise UserError(f"`{label}` takes 1 to 40 characters. Please shorten it.")
    check_effort(order.steps, order.rank)


def check_effort(steps: int | None, rank: int | None) -> None:
    """UserError when the provider does not train with these (Apiframe /docs/loras/create)."""
    if steps is not None and not STEPS_LEAST <= steps <= STEPS_MOST:
        raise UserError(f"`steps` takes a number from {STEPS_LEAST} to {STEPS_MOST}; {STEPS} is a good start.")
    if rank is not None and not RANK_LEAST <= rank <= RANK_MOST:
        raise UserError(f"`rank` takes a number from {RANK_LEAST} to {RANK_MOST}; {RANK} is a good start.")


def _check_character(order: DatasetOrder) -> None:
    options = {
        "gender": order.gender,
        "ethnicity": order.ethnicity,
        "age": order.age,
        "steps": order.steps,
        "rank": order.rank,
    }
    given = [f"`{option}`" for option, value in options.items() if value is not None]
    if given:
        raise UserError(
            f"A character is not trained, so {order.subject_kind.provider.label} takes no {', '.join(given)}. "
            "Please leave that out, or pick another `subject`."
        )


def judge_set(
    photos: Sequence[Photo], limits: PhotoLimits, waiting: Collection[int] = frozenset()
) -> tuple[Photo, ...]:
    """The photos with verdicts as a set: later duplicates are marked, those over `limits.most` are refused.

    So are those of the submissions that are `waiting` for the yes of somebody in them.
    Findings name a photo by its number in `photos`, too: a phone may call every photo `image0.jpg`.
    """
    photos = [_waiting(photo) if photo.consent_id in waiting else photo for photo in photos]
    numbered = [(f"{number}. {photo.name}", photo) for number, photo in enumerate(photos, start=1)]
    duplicates = checks.find_duplicates([(name, photo.sha256, photo.dhash) for name, photo in numbered])
    judged: list[Photo] = []
    used = 0
    for index, photo in enumerate(photos):
        findings = photo.findings
        if index in duplicates and photo.verdict is not Verdict.REFUSED:
            findings = (*findings, duplicates[index])
        verdict = checks.verdict_of(findings)
        if verdict is not Verdict.REFUSED:
            used += 1
            if used > limits.most:
                findings = (*findings, Finding(checks.Code.OVER_LIMIT, str(limits.most)))
                verdict = Verdict.REFUSED
        judged.append(replace(photo, findings=findings, verdict=verdict))
    return tuple(judged)


def _waiting(photo: Photo) -> Photo:
    findings = (*photo.findings, Finding(checks.Code.WAITING))
    return replace(photo, findings=findings, verdict=checks.verdict_of(findings))
