"""What a set of photos lacks as a whole, from their measurements: for one member's photos and for an event's. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import pstdev
from typing import Final

from bot.photos.checks import NEAR_DUPLICATE_BITS, Code, hamming_distance
from bot.records.dataset import Photo

JUDGED_FROM: Final = 5
"""Least number of usable photos that are judged as a set."""
MANY_TWINS: Final = 3
"""Near-duplicates of one contributor that get a sentence, if they are half of their photos as well."""
# Standard deviations: 40 grey levels and 0.19 of the frame in the twenty sandbox photos.
SAME_LIGHT_BELOW: Final = 12.0
SAME_DISTANCE_BELOW: Final = 0.08


class Sign(StrEnum):
    """What can be said about a set, the most important first."""

    TOO_FEW_PHOTOS = "too_few_photos"
    TOO_FEW_CONTRIBUTORS = "too_few_contributors"
    NEAR_DUPLICATES = "near_duplicates"
    BLURRY = "blurry"
    DARK = "dark"
    BRIGHT = "bright"
    SAME_LIGHT = "same_light"
    SAME_DISTANCE = "same_distance"
    SMALL = "small"
    GOOD = "good"


_SENTENCES: Final = {
    Sign.NEAR_DUPLICATES: "Many photos are nearly the same. Other angles and moments would help.",
    Sign.BLURRY: "Most photos look blurry. Sharper ones would help: hold still and use more light.",
    Sign.DARK: "Most photos are very dark. Some in better light would help.",
    Sign.BRIGHT: "Most photos are very bright and pale. Some with more contrast would help.",
    Sign.SAME_LIGHT: "All photos have nearly the same light. Add some from another place or time of day.",
    Sign.SAME_DISTANCE: "All photos look taken from the same distance. Add some close-ups and some wide views.",
    Sign.SMALL: "Most photos are small. Please send the originals instead of copies from a chat.",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """`sentence` is public: it names no contributor."""

    code: Sign
    sentence: str


def about_set(usable: Sequence[Photo]) -> list[Advice]:
    """The most important first; nothing when nothing is missing, or there are too few photos to tell."""
    if len(usable) < JUDGED_FROM:
        return []
    return [Advice(sign, _SENTENCES[sign]) for sign in _signs(usable)]


def _signs(usable: Sequence[Photo]) -> Iterator[Sign]:
    if _somebody_repeats(usable):
        yield Sign.NEAR_DUPLICATES
    if _most_are(usable, Code.BLURRY):
        yield Sign.BLURRY
    if _most_are(usable, Code.DARK):
        yield Sign.DARK
    elif _most_are(usable, Code.BRIGHT):
        yield Sign.BRIGHT
    elif _are_alike([photo.brightness for photo in usable], SAME_LIGHT_BELOW):
        yield Sign.SAME_LIGHT
    if _are_alike([photo.detail for photo in usable], SAME_DISTANCE_BELOW):
        yield Sign.SAME_DISTANCE
    if _most_are(usable, Code.SMALL):
        yield Sign.SMALL


def _most_are(usable: Sequence[Photo], code: Code) -> bool:
    named = sum(any(finding.code == code for finding in photo.findings) for photo in usable)
    return named * 2 > len(usable)


def _are_alike(measured: Sequence[float | None], spread_below: float) -> bool:
    values = [value for value in measured if value is not None]
    return len(values) >= JUDGED_FROM and pstdev(values) < spread_below


def count_alike(usable: Sequence[Photo]) -> int:
    """How many photos look like an earlier one of the same contributor."""
    return sum(_alike(hashes) for hashes in _hashes_of_each(usable))


def _somebody_repeats(usable: Sequence[Photo]) -> bool:
    return any(_repeats(hashes) for hashes in _hashes_of_each(usable))


def _hashes_of_each(usable: Sequence[Photo]) -> Collection[Sequence[int]]:
    """Of every contributor."""
    hashes_of: defaultdict[int | None, list[int]] = defaultdict(list)
    for photo in usable:
        if photo.dhash is not None:
            hashes_of[photo.contributor_id].append(photo.dhash)
    return hashes_of.values()


def _repeats(hashes: Sequence[int]) -> bool:
    twins = _alike(hashes)
    return twins >= MANY_TWINS and twins * 2 >= len(hashes)


def _alike(hashes: Sequence[int]) -> int:
    """How many are nearly the same as an earlier one."""
    return sum(
        any(hamming_distance(one, earlier) <= NEAR_DUPLICATE_BITS for earlier in hashes[:index])
        for index, one in enumerate(hashes)
    )
