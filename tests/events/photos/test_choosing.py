"""The choice of photos as properties: how many, how fair, what never gets in, and that nothing depends on order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.events.photos.choosing import choose, eligible, explain
from bot.photos.checks import MAX_PHOTOS, MIN_PHOTOS, NEAR_DUPLICATE_BITS, hamming_distance
from bot.records.dataset import Photo, Pick, Verdict
from tests.fakes.rows import photo

ANNA, BEN, CLARA = 1, 2, 3
MOTIFS = (0, -1, 0x00000000FFFFFFFF, 0x0000FFFF0000FFFF, 0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F, 0x3333333333333333)
"""Hashes with 32 bits or more between each two."""

# One draw for several fields at once: a set has up to 50 photos.
VERDICTS = [Verdict.ACCEPTED] * 4 + [Verdict.ADVISED] * 2 + [Verdict.REFUSED]
JUDGED = list(product(VERDICTS, [None] * 6 + list(Pick)))
MEASURED = list(product([None, 0.0, 12.5, 300.0, 2000.0], [None, 0.0, 90.0, 160.0, 255.0], [None, 0.0, 0.4, 1.0]))
LOOKS = list(product([0, 0, 0, 1], [None] * len(MOTIFS) + [*MOTIFS], range(8)))
"""How many numbers back the file is copied from, the motif if it is not its own, and bits that differ from it."""


@st.composite
def photo_sets(draw: st.DrawFn) -> list[Photo]:
    count = draw(st.integers(0, 50))
    contributors = draw(st.integers(1, 8))
    return [_drawn(draw, number, contributors) for number in range(1, count + 1)]


def _drawn(draw: st.DrawFn, number: int, contributors: int) -> Photo:
    verdict, pick = draw(st.sampled_from(JUDGED))
    sharpness, brightness, detail = draw(st.sampled_from(MEASURED))
    copied, motif, bits = draw(st.sampled_from(LOOKS))
    return photo(
        number,
        contributor_id=draw(st.integers(1, contributors)),
        verdict=verdict,
        pick=pick,
        sharpness=sharpness,
        brightness=brightness,
        detail=detail,
        sha256=f"{max(1, number - copied):064x}",
        **({} if motif is None else {"dhash": motif ^ bits}),
    )


def are_twins(one: Photo, other: Photo) -> bool:
    assert one.dhash is not None
    assert other.dhash is not None
    return hamming_distance(one.dhash, other.dhash) <= NEAR_DUPLICATE_BITS


def ids(photos: Sequence[Photo]) -> set[int]:
    return {each.id for each in photos}


MOST = st.integers(0, 40)
BLOCKED = st.sets(st.integers(1, 50), max_size=10)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_it_takes_as_many_as_allowed_and_enough_to_train_when_there_are(
    photos: list[Photo], most: int, blocked: set[int]
) -> None:
    chosen, allowed = choose(photos, most=most, blocked=blocked), eligible(photos, blocked)
    assert min(most, MIN_PHOTOS, len(allowed)) <= len(chosen) <= min(most, len(allowed))
    assert len(ids(chosen)) == len(chosen)
    assert ids(chosen) <= ids(allowed)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_refused_dropped_and_blocked_photos_and_their_copies_never_get_in(
    photos: list[Photo], most: int, blocked: set[int]
) -> None:
    chosen = choose(photos, most=most, blocked=blocked)
    usable = [each for each in photos if each.verdict is not Verdict.REFUSED]
    blocked_files = {each.sha256 for each in usable if each.id in blocked}
    dropped_files = {each.sha256 for each in usable if each.pick is Pick.DROPPED}
    before = {each.id: each for each in photos}
    assert all(before[each.id].verdict is not Verdict.REFUSED for each in chosen)
    assert all(before[each.id].pick is not Pick.DROPPED for each in chosen)
    assert not blocked_files & {each.sha256 for each in chosen}
    assert not dropped_files & {each.sha256 for each in chosen if each.pick is Pick.CHOSEN}
    assert len({each.sha256 for each in chosen}) == len(chosen)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_pinned_photos_come_first_and_keep_their_pin(photos: list[Photo], most: int, blocked: set[int]) -> None:
    chosen = choose(photos, most=most, blocked=blocked)
    pinned = [each for each in eligible(photos, blocked) if each.pick is Pick.PINNED]
    picks = [each.pick for each in chosen]
    kept = min(most, len(pinned))
    assert picks == [Pick.PINNED] * kept + [Pick.CHOSEN] * (len(chosen) - kept)
    assert ids(chosen[:kept]) <= ids(pinned)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_nobody_is_two_ahead_of_somebody_who_still_had_a_photo_to_take(
    photos: list[Photo], most: int, blocked: set[int]
) -> None:
    chosen, allowed = choose(photos, most=most, blocked=blocked), eligible(photos, blocked)
    counts = Counter(each.contributor_id for each in chosen)
    free = [each for each in chosen if each.pick is Pick.CHOSEN]
    for waiting in allowed:
        if waiting.id in ids(chosen) or any(are_twins(waiting, each) for each in chosen):
            continue
        for each in free:
            assert counts[waiting.contributor_id] >= counts[each.contributor_id] - 1


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_everybody_gets_a_first_photo_before_anybody_gets_a_second(
    photos: list[Photo], most: int, blocked: set[int]
) -> None:
    chosen = choose(photos, most=most, blocked=blocked)
    everybody = {each.contributor_id for each in eligible(photos, blocked)}
    seen: set[int | None] = set()
    for each in chosen:
        if each.pick is Pick.CHOSEN and each.contributor_id in seen:
            assert seen == everybody
        seen.add(each.contributor_id)


@given(photos=photo_sets(), most=st.integers(1, 6))
def test_too_many_pins_are_shared_out_fairly(photos: list[Photo], most: int) -> None:
    pinned = [each for each in eligible(photos) if each.pick is Pick.PINNED]
    chosen = choose(pinned, most=most)
    counts = Counter(each.contributor_id for each in chosen)
    for waiting in pinned:
        if waiting.id not in ids(chosen) and not any(are_twins(waiting, each) for each in chosen):
            assert counts[waiting.contributor_id] >= max(counts.values()) - 1


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_a_near_duplicate_gets_in_only_as_a_first_photo_or_when_photos_are_short(
    photos: list[Photo], most: int, blocked: set[int]
) -> None:
    chosen = choose(photos, most=most, blocked=blocked)
    for index, each in enumerate(chosen):
        earlier = chosen[:index]
        is_first = each.contributor_id not in {other.contributor_id for other in earlier}
        if each.pick is Pick.CHOSEN and index >= MIN_PHOTOS and not is_first:
            assert not any(are_twins(each, other) for other in earlier)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED, seed=st.randoms(use_true_random=False))
def test_the_order_of_the_photos_does_not_matter(
    photos: list[Photo], most: int, blocked: set[int], seed: Random
) -> None:
    shuffled = list(photos)
    seed.shuffle(shuffled)
    assert choose(shuffled, most=most, blocked=sorted(blocked)) == choose(photos, most=most, blocked=blocked)


@given(photos=photo_sets(), most=MOST, blocked=BLOCKED)
def test_choosing_again_among_the_chosen_changes_nothing(photos: list[Photo], most: int, blocked: set[int]) -> None:
    chosen = choose(photos, most=most, blocked=blocked)
    assert choose(chosen, most=most, blocked=blocked) == chosen


@given(burst=st.integers(1, 40), others=st.integers(MIN_PHOTOS, 29))
@example(burst=40, others=29)
def test_a_plain_photo_of_something_else_beats_another_perfect_one_of_the_same(burst: int, others: int) -> None:
    perfect = [
        photo(number, contributor_id=ANNA, dhash=number % 8, sharpness=900.0, width=2048, height=2048)
        for number in range(1, burst + 1)
    ]
    plain = [
        photo(1000 + number, contributor_id=ANNA, verdict=Verdict.ADVISED, sharpness=2.0, width=300, height=300)
        for number in range(others)
    ]
    chosen = choose(perfect + plain)
    assert len(chosen) == others + 1
    assert ids(plain) < ids(chosen)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"verdict": Verdict.ACCEPTED}, {"verdict": Verdict.ADVISED}),
        ({"sharpness": 300.0}, {"sharpness": 30.0}),
        ({"width": 1000, "height": 1000}, {"width": 600, "height": 1000}),
    ],
)
def test_of_two_unlike_photos_the_better_one_is_taken(better: dict[str, Any], worse: dict[str, Any]) -> None:
    for first, second in ((better, worse), (worse, better)):
        photos = [photo(1, contributor_id=ANNA, **first), photo(2, contributor_id=ANNA, **second)]
        assert choose(photos, most=1)[0].id == (1 if first is better else 2)


@pytest.mark.parametrize(
    "measured",
    [[{"brightness": value} for value in (90.0, 95.0, 180.0)], [{"detail": value} for value in (0.3, 0.32, 0.9)]],
)
def test_among_equally_good_photos_another_light_or_distance_is_preferred(measured: list[dict[str, Any]]) -> None:
    photos = [
        photo(number, contributor_id=ANNA, dhash=MOTIFS[number], **values)
        for number, values in enumerate(measured, start=1)
    ]
    assert [each.id for each in choose(photos, most=2)] == [1, 3]


def test_near_duplicates_fill_up_to_what_training_takes_and_no_further() -> None:
    burst = [photo(number, contributor_id=ANNA, dhash=number % 8) for number in range(1, 41)]
    assert len(choose(burst)) == MIN_PHOTOS


def test_somebody_whose_only_photo_resembles_another_is_not_left_out() -> None:
    annas = [photo(number, contributor_id=ANNA) for number in range(1, 41)]
    bens = photo(100, contributor_id=BEN, dhash=annas[0].dhash, sharpness=1.0)
    assert bens.id in ids(choose([*annas, bens]))


def test_of_the_same_file_given_twice_the_earlier_counts() -> None:
    photos = [
        photo(7, contributor_id=BEN, sha256="same"),
        photo(3, contributor_id=ANNA, sha256="same"),
        photo(9, contributor_id=CLARA),
    ]
    assert explain(choose(photos)) == {ANNA: 1, CLARA: 1}


def test_of_the_same_file_given_twice_the_pinned_one_counts_unless_it_is_blocked() -> None:
    annas, bens = photo(3, contributor_id=ANNA, sha256="same"), photo(7, contributor_id=BEN, sha256="same")
    pinned = replace(bens, pick=Pick.PINNED)
    for other in (annas, replace(annas, pick=Pick.DROPPED)):
        assert choose([other, pinned]) == (pinned,)
        assert choose([other, pinned], blocked=[other.id]) == ()


def test_a_draw_goes_to_the_lower_contributor_id() -> None:
    photos = [photo(1, contributor_id=BEN), photo(2, contributor_id=ANNA), photo(3, contributor_id=CLARA)]
    assert [each.contributor_id for each in choose(photos)] == [ANNA, BEN, CLARA]


def test_everyone_sees_whose_photos_made_it() -> None:
    photos = [photo(number, contributor_id=BEN if number % 3 else ANNA) for number in range(1, 10)]
    found = explain((*choose(photos), photo(50)))
    assert list(found.items()) == [(BEN, 6), (ANNA, 3)]


def test_photos_without_measurements_are_chosen_all_the_same() -> None:
    photos = [photo(number, contributor_id=ANNA, dhash=None) for number in range(1, 41)]
    assert len(choose(photos)) == MAX_PHOTOS


def test_a_stampede_is_sorted_out_fairly() -> None:
    rng = Random(1)
    photos = [
        photo(
            number,
            contributor_id=number % 500 + 1,
            sharpness=rng.uniform(5, 900),
            brightness=rng.uniform(20, 240),
            detail=rng.random(),
        )
        for number in range(1, 15_001)
    ]
    chosen = choose(photos)
    assert set(explain(chosen).values()) == {1}
    assert len(chosen) == MAX_PHOTOS
