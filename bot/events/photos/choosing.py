"""Chooses the photos that a shared subject is trained on: fair, good and varied. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final

from bot.photos.checks import GOOD_SIDE_PX, MAX_PHOTOS, MIN_PHOTOS, NEAR_DUPLICATE_BITS, hamming_distance
from bot.records.dataset import Photo, Pick, Verdict

# A photo's score is its quality plus its distance from what is chosen already; each of the two goes up to 1.
ACCEPTED_COUNTS: Final = 0.6
SHARPNESS_COUNTS: Final = 0.25
SIZE_COUNTS: Final = 0.15
SHARP_FROM: Final = 600.0
"""Variance of the Laplacian from which on a photo counts as fully sharp."""
LARGE_FROM_PX: Final = 2 * GOOD_SIDE_PX

MOTIF_COUNTS: Final = 0.6
LIGHT_COUNTS: Final = 0.2
DISTANCE_COUNTS: Final = 0.2
UNRELATED_BITS: Final = 32
"""Half of a hash: the difference between two photos that have nothing in common."""
OTHER_LIGHT: Final = 80.0
"""Difference of brightness that counts as full, in grey levels."""
OTHER_DISTANCE: Final = 0.5
"""Difference of detail that counts as full, in shares of the frame that hold detail."""


def waiting_among(photos: Iterable[Photo], pending: Collection[int]) -> frozenset[int]:
    """Ids of the photos that wait for somebody who may be seen in them; `pending`: consent ids of their submissions."""
    return frozenset(photo.id for photo in photos if photo.consent_id in pending)


def eligible(photos: Iterable[Photo], blocked: Collection[int] = ()) -> list[Photo]:
    """Photos that may be chosen: not refused, dropped or blocked (by id), and one of each file.

    Of identical files the pinned or earliest one is taken. A copy of a dropped or blocked file is out as well, whoever
    gave it. A pin overrides a drop; nothing overrides a block.
    """
    usable = sorted(
        (photo for photo in photos if photo.verdict is not Verdict.REFUSED),
        key=lambda photo: (photo.pick is not Pick.PINNED, photo.id),
    )
    kept_out = {photo.sha256 for photo in usable if photo.id in blocked}
    dropped = {photo.sha256 for photo in usable if photo.pick is Pick.DROPPED}
    first_of: dict[str, Photo] = {}
    for photo in usable:
        is_dropped = photo.sha256 in dropped and photo.pick is not Pick.PINNED
        if not is_dropped and photo.sha256 not in kept_out:
            first_of.setdefault(photo.sha256, photo)
    return list(first_of.values())


def choose(photos: Sequence[Photo], *, most: int = MAX_PHOTOS, blocked: Collection[int] = ()) -> tuple[Photo, ...]:
    """At most `most` eligible photos with their `pick` set, pinned ones first, then in the order they were chosen.

    Every contributor gets a first photo before anyone gets a second, and so on. A near-duplicate of a chosen photo is
    taken only as a contributor's first one, or when it is needed to reach MIN_PHOTOS. The order of `photos` does not
    matter, and choosing again among the chosen ones changes nothing.
    """
    allowed = eligible(photos, set(blocked))
    allowed.sort(key=lambda photo: (photo.contributor_id or 0, photo.id))
    choice = _Choice(allowed, most)
    choice.take(Pick.PINNED, twins_up_to=most)
    choice.take(Pick.CHOSEN, twins_up_to=MIN_PHOTOS)
    return tuple(choice.chosen)


def explain(chosen: Iterable[Photo]) -> Mapping[int, int]:
    """Number of chosen photos by contributor, the largest number first."""
    counts = Counter(photo.contributor_id for photo in chosen if photo.contributor_id is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


class _Candidate:
    """A photo with its quality and its distance from the nearest chosen photo, both from 0 to 1.

    Between equal candidates `position` decides.
    """

    def __init__(self, photo: Photo, position: int) -> None:
        self.photo = photo
        self.position = position
        self.contributor = photo.contributor_id or 0
        self.quality = _quality(photo)
        self.apart = 1.0
        self.is_twin = False
        self._compared = 0

    def catch_up(self, chosen: Sequence[Photo]) -> None:
        """Compare with the photos chosen since the last call."""
        for other in chosen[self._compared :]:
            bits = _bits_between(self.photo, other)
            self.is_twin = self.is_twin or bits <= NEAR_DUPLICATE_BITS
            self.apart = min(self.apart, _distance(self.photo, other, bits))
        self._compared = len(chosen)


_Key = tuple[bool, int, bool, float, int]


class _Choice:
    """Takes one photo after the other, always from a contributor who has the fewest so far.

    A chosen photo can only make the others less wanted. So if the first in the queue keeps its key after a new
    comparison, it is the best of all, and most others need no new comparison.
    """

    def __init__(self, allowed: Sequence[Photo], most: int) -> None:
        self.chosen: list[Photo] = []
        self._candidates = [_Candidate(photo, position) for position, photo in enumerate(allowed)]
        self._most = most
        self._taken: Counter[int] = Counter()

    def take(self, pick: Pick, *, twins_up_to: int) -> None:
        """Choose the pinned photos, or all others; needless near-duplicates only until `twins_up_to` are chosen."""
        is_pin = pick is Pick.PINNED
        pool = [each for each in self._candidates if (each.photo.pick is Pick.PINNED) is is_pin]
        queue = [(self._key(each), each) for each in pool]
        heapify(queue)
        while queue and len(self.chosen) < self._most:
            key, best = heappop(queue)
            key_now = self._key(best)
            if key_now != key:
                heappush(queue, (key_now, best))
                continue
            is_needless = key[0]
            if is_needless and len(self.chosen) >= twins_up_to:
                return
            self._taken[best.contributor] += 1
            self.chosen.append(replace(best.photo, pick=pick))

    def _key(self, candidate: _Candidate) -> _Key:
        """Sort key, the best first: needless near-duplicate, photos of its contributor, near-duplicate, score."""
        candidate.catch_up(self.chosen)
        taken, is_twin = self._taken[candidate.contributor], candidate.is_twin
        score = candidate.quality + candidate.apart
        return is_twin and taken > 0, taken, is_twin, -score, candidate.position


def _bits_between(one: Photo, other: Photo) -> int:
    if one.dhash is None or other.dhash is None:
        return UNRELATED_BITS
    return hamming_distance(one.dhash, other.dhash)


def _distance(one: Photo, other: Photo, bits: int) -> float:
    return (
        MOTIF_COUNTS * min(1.0, bits / UNRELATED_BITS)
        + LIGHT_COUNTS * _difference(one.brightness, other.brightness, OTHER_LIGHT)
        + DISTANCE_COUNTS * _difference(one.detail, other.detail, OTHER_DISTANCE)
    )


def _quality(photo: Photo) -> float:
    """0 to 1; a photo without measured sharpness counts as half sharp."""
    sharpness = 0.5
    if photo.sharpness is not None:
        sharpness = min(1.0, math.log1p(photo.sharpness) / math.log1p(SHARP_FROM))
    size = min(1.0, min(photo.width, photo.height) / LARGE_FROM_PX)
    accepted = photo.verdict is Verdict.ACCEPTED
    return ACCEPTED_COUNTS * accepted + SHARPNESS_COUNTS * sharpness + SIZE_COUNTS * size


def _difference(one: float | None, other: float | None, full: float) -> float:
    """0 (the same) to 1 (`full` or more apart); 0.5 when one of them was not measured."""
    if one is None or other is None:
        return 0.5
    return min(1.0, abs(one - other) / full)
