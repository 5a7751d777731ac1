"""Advice about the photos of a shared subject: how many, from how many people, and what the set lacks. Pure."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from bot.events.photos.choosing import eligible
from bot.photos.checks import MIN_PHOTOS
from bot.photos.coach import Advice, Sign, about_set, count_alike
from bot.records.dataset import Photo

MOST_ADVICE: Final = 5
LOOKED_AT: Final = 400
"""Newest photos that advice is about; it is given with every change of the panel."""
ENOUGH_CONTRIBUTORS: Final = 3
GOOD: Final = Advice(Sign.GOOD, "This is a good set: enough photos, and from several people.")


def advice(photos: Sequence[Photo], entrant_count: int, blocked: Collection[int] = ()) -> tuple[Advice, ...]:
    """One to five sentences, the most important first; one that says so when nothing is missing.

    `photos` as they are stored: refused, dropped, blocked (by id) and identical ones do not count.
    """
    usable = eligible(photos, blocked)
    found = [*_judge_numbers(usable, entrant_count), *about_set(usable)]
    return tuple(found[:MOST_ADVICE]) or (GOOD,)


def alike_count(photos: Sequence[Photo], blocked: Collection[int]) -> int:
    """How many usable photos look like an earlier one of the same contributor."""
    return count_alike(eligible(photos, blocked))


def _judge_numbers(usable: Sequence[Photo], entrant_count: int) -> Iterator[Advice]:
    missing = MIN_PHOTOS - len(usable)
    if missing > 0:
        photos = "photo is" if missing == 1 else "photos are"
        sentence = f"{missing} more usable {photos} needed: training takes at least {MIN_PHOTOS}."
        yield Advice(Sign.TOO_FEW_PHOTOS, sentence)
    contributors = len({photo.contributor_id for photo in usable})
    if 0 < contributors < ENOUGH_CONTRIBUTORS:
        people = "one person" if contributors == 1 else "two people"
        invitation = "Photos by somebody else would help."
        if entrant_count > contributors:
            invitation = "Everyone who takes part is welcome to add some."
        yield Advice(Sign.TOO_FEW_CONTRIBUTORS, f"So far all photos come from {people}. {invitation}")
