"""Rules for photos given to an event: who may give them, which are kept. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.datasets.ages import check_words
from bot.datasets.rules import PhotoLimits, judge_set, photo_limits
from bot.datasets.service import HELD_MAX
from bot.errors import UserError
from bot.events import lifecycle
from bot.photos.checks import Code, verdict_of
from bot.records.dataset import Dataset, DatasetStatus, Finding, Gender, Photo, SubjectKind, Verdict
from bot.records.event import Depiction, Entrant, EntrantStatus, Event, EventMode, EventStatus
from bot.records.guild import Actor

UPLOADS_MAX = 30
"""Files of one submission: what three upload fields take (Discord /docs/components/reference)."""
SOMEBODY_ELSES = "another member's photo"
ETHNICITY_MAX = 40


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one member has given: `photos` judged as a set, `depicted` members they named as seen in them.

    Of the newest submission: how many photos were `received`, and those that were over the limit and are not kept.
    """

    event: Event
    entrant: Entrant | None
    photos: tuple[Photo, ...] = ()
    depicted: tuple[Depiction, ...] = ()
    left_out: tuple[Photo, ...] = ()
    received: int = 0
    dataset: Dataset | None = None
    """What they are in."""

    @property
    def of_a_person(self) -> Dataset | None:
        """Their own set, as long as gender, ethnicity and age of the person in it can be said."""
        is_open = self.dataset is not None and self.dataset.status is DatasetStatus.OPEN
        return self.dataset if is_open and asks_about_person(self.event) else None

    @property
    def usable(self) -> tuple[Photo, ...]:
        return tuple(photo for photo in self.photos if photo.verdict is not Verdict.REFUSED)

    @property
    def room(self) -> int:
        """How many more photos fit."""
        return max(0, limits_each(self.event).most - len(self.usable))


@dataclass(frozen=True, slots=True)
class SplitPhotos:
    """New photos that are stored, and those over the limit that are not."""

    kept: tuple[Photo, ...]
    left_out: tuple[Photo, ...]

    @property
    def files(self) -> frozenset[str]:
        """Spool names of the photos that are stored."""
        return frozenset(photo.file for photo in self.kept if photo.file is not None)


def limits_each(event: Event) -> PhotoLimits:
    """How many usable photos one entrant may give."""
    return PhotoLimits(1, min(event.photo_cap, photo_limits(event.subject_kind).most))


def judge_own(event: Event, photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """One contributor's photos, judged as a set of their own."""
    return judge_set(photos, limits_each(event))


def split_new_photos(
    event: Event, new: Sequence[Photo], held: Sequence[Photo], elsewhere: Collection[str]
) -> SplitPhotos:
    """`held`: the contributor's earlier photos; `elsewhere`: hashes of files that others have given.

    A file that was given already is stored as a refused photo without its file, so that the board can name it.
    """
    marked = [_mark(photo) if photo.sha256 in elsewhere else photo for photo in new]
    judged = judge_own(event, [*held, *marked])[len(held) :]
    kept: list[Photo] = []
    left_out: list[Photo] = []
    for photo, verdict in zip(marked, judged, strict=True):
        if any(finding.code == Code.OVER_LIMIT for finding in verdict.findings):
            left_out.append(replace(verdict, file=None))
        elif verdict.verdict is Verdict.REFUSED:
            kept.append(replace(verdict, file=None))
        else:
            kept.append(photo)
    return SplitPhotos(tuple(kept), tuple(left_out))


def check_uploads(event: Event, held: Sequence[Photo], count: int) -> None:
    """UserError, before anything is downloaded, when none of it could be kept."""
    if not 1 <= count <= UPLOADS_MAX:
        raise UserError(f"Please send 1 to {UPLOADS_MAX} photos at once.")
    most = limits_each(event).most
    if sum(photo.verdict is not Verdict.REFUSED for photo in held) >= most:
        photos = "1 photo" if most == 1 else f"{most} photos"
        raise UserError(f"You have given {photos} already, as many as fit. Remove one under **My photos** first.")
    if len(held) + count > HELD_MAX:
        raise UserError("That is more than fits. Remove some under **My photos** first, then add these.")


def check_can_give(event: Event, *, names_others: bool) -> None:
    """UserError when no photos are taken now."""
    if not event.mode.trains:
        raise UserError("This event needs no photos. Its panel shows how to take part.")
    if not lifecycle.can_give(event):
        raise UserError("The time for giving photos to this event is over, so nothing was added.")
    if names_others and event.status is EventStatus.TRAINING:
        raise UserError(
            "Training begins in a moment, too soon to ask whoever can be seen in the photos. "
            "Please send only photos without other members."
        )


def check_may_give(own: Contribution, actor: Actor) -> None:
    """UserError, before the member picks photos, when none could be taken."""
    is_in = own.entrant is not None and own.entrant.status is EntrantStatus.IN
    refusal = None if is_in else lifecycle.may_enter(own.event, actor, 0)
    if refusal is not None:
        raise UserError(refusal)
    check_can_give(own.event, names_others=False)
    check_uploads(own.event, own.photos, 1)


def asks_about_person(event: Event) -> bool:
    """Whether the provider needs gender and ethnicity to train."""
    return event.mode is EventMode.PERSONAL and event.subject_kind is SubjectKind.PERSON


def check_person(event: Event, gender: Gender | None, ethnicity: str | None) -> None:
    """UserError when the provider needs details of the person to be trained that are missing."""
    if not asks_about_person(event):
        return
    words = (ethnicity or "").strip()
    if gender is None or not words:
        raise UserError(
            "To train a person, the provider needs gender and ethnicity. Please fill in both and send the form again. "
            "Both are deleted with the photos."
        )
    if len(words) > ETHNICITY_MAX:
        raise UserError(f"Ethnicity takes 1 to {ETHNICITY_MAX} characters. Please shorten it.")
    check_words(words)


def _mark(photo: Photo) -> Photo:
    findings = (*photo.findings, Finding(Code.EXACT_DUPLICATE, SOMEBODY_ELSES))
    return replace(photo, findings=findings, verdict=verdict_of(findings))
