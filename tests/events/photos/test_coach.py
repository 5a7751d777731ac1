"""The coach: every sign by itself, their order, and that one person's habits are told without a name."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events.photos.coach import MOST_ADVICE, advice
from bot.photos.checks import MIN_PHOTOS, Code
from bot.photos.coach import Sign
from bot.records.dataset import Finding, Photo, Pick, Verdict
from tests.fakes.rows import photo

ANNA = 123456789012345678


def good_set(count: int = 20, contributors: int = 4, **changes: Any) -> list[Photo]:
    """Unlike photos by several people, in all kinds of light and from near and far."""
    return [
        photo(
            number,
            **(
                {
                    "contributor_id": ANNA + number % contributors,
                    "sharpness": 400.0,
                    "brightness": 60.0 + number * 37 % 120,
                    "detail": 0.2 + number * 7 % 16 / 20,
                }
                | changes
            ),
        )
        for number in range(1, count + 1)
    ]


def with_code(photos: Sequence[Photo], code: Code, share: float) -> list[Photo]:
    """That share of the photos is advised against for `code`."""
    marked = round(len(photos) * share)
    advised = [replace(each, verdict=Verdict.ADVISED, findings=(Finding(code),)) for each in photos[:marked]]
    return [*advised, *photos[marked:]]


def signs(photos: Sequence[Photo], entrant_count: int = 4) -> list[Sign]:
    return [each.code for each in advice(photos, entrant_count)]


def sentence(photos: Sequence[Photo], sign: Sign, entrant_count: int = 4) -> str:
    return next(each.sentence for each in advice(photos, entrant_count) if each.code is sign)


def test_a_good_set_is_praised_in_one_sentence() -> None:
    assert signs(good_set()) == [Sign.GOOD]


def test_photos_that_wait_for_a_yes_do_not_count() -> None:
    photos = good_set()
    assert [each.code for each in advice(photos, 4)] == [Sign.GOOD]
    waiting = {each.id for each in photos[:10]}
    (first, *_) = advice(photos, 4, waiting)
    assert first.sentence.startswith("5 more usable photos are")


@pytest.mark.parametrize(("count", "words"), [(0, "15 more usable photos are"), (14, "1 more usable photo is")])
def test_it_says_how_many_photos_are_missing(count: int, words: str) -> None:
    assert sentence(good_set(count), Sign.TOO_FEW_PHOTOS).startswith(words)
    assert Sign.TOO_FEW_PHOTOS not in signs(good_set(MIN_PHOTOS))


@pytest.mark.parametrize(
    "useless", [{"verdict": Verdict.REFUSED}, {"pick": Pick.DROPPED}, {"sha256": "same", "dhash": 1}]
)
def test_photos_that_cannot_be_trained_on_do_not_count(useless: dict[str, Any]) -> None:
    extra = [photo(100 + number, contributor_id=ANNA, **useless) for number in range(10)]
    found = sentence([*good_set(10), *extra], Sign.TOO_FEW_PHOTOS)
    assert found.startswith("4 more" if "sha256" in useless else "5 more")


@pytest.mark.parametrize(
    ("contributors", "entrants", "words"),
    [
        (1, 1, ("one person", "somebody else")),
        (1, 5, ("one person", "Everyone who takes part")),
        (2, 2, ("two people", "somebody else")),
        (2, 3, ("two people", "Everyone who takes part")),
    ],
)
def test_one_or_two_contributors_are_too_few(contributors: int, entrants: int, words: tuple[str, str]) -> None:
    found = sentence(good_set(contributors=contributors), Sign.TOO_FEW_CONTRIBUTORS, entrants)
    assert all(word in found for word in words)


def test_three_contributors_are_enough_and_none_is_not_a_matter_of_contributors() -> None:
    assert signs(good_set(contributors=3), entrant_count=50) == [Sign.GOOD]
    assert signs([], entrant_count=50) == [Sign.TOO_FEW_PHOTOS]


def test_nearly_the_same_photos_of_one_person_are_told_without_the_name() -> None:
    burst = [photo(100 + number, contributor_id=ANNA, dhash=number) for number in range(8)]
    others = [each for each in good_set(24) if each.contributor_id != ANNA]
    assert signs([*others, *burst]) == [Sign.NEAR_DUPLICATES]
    assert not any(character.isdigit() for character in sentence([*others, *burst], Sign.NEAR_DUPLICATES))


@pytest.mark.parametrize(
    ("similar", "unlike"), [(3, 0), (6, 8)], ids=["too few to speak of", "less than half of that person's"]
)
def test_a_few_similar_photos_are_no_matter(similar: int, unlike: int) -> None:
    newcomer = ANNA + 10
    burst = [photo(100 + number, contributor_id=newcomer, dhash=number) for number in range(similar)]
    varied = [photo(200 + number, contributor_id=newcomer) for number in range(unlike)]
    assert signs([*good_set(), *burst, *varied]) == [Sign.GOOD]


def test_the_same_motif_by_different_people_is_no_matter() -> None:
    same_motif = [photo(200 + number, contributor_id=ANNA + 10 + number, dhash=number) for number in range(8)]
    assert signs([*good_set(), *same_motif]) == [Sign.GOOD]


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        (Code.BLURRY, Sign.BLURRY),
        (Code.DARK, Sign.DARK),
        (Code.BRIGHT, Sign.BRIGHT),
        (Code.SMALL, Sign.SMALL),
    ],
)
def test_what_most_photos_suffer_from_is_named(code: Code, sign: Sign) -> None:
    assert signs(with_code(good_set(), code, 0.6)) == [sign]
    assert signs(with_code(good_set(), code, 0.4)) == [Sign.GOOD]


def test_the_same_light_and_the_same_distance_are_named() -> None:
    assert signs(good_set(brightness=120.0)) == [Sign.SAME_LIGHT]
    assert signs(good_set(detail=0.5)) == [Sign.SAME_DISTANCE]
    assert "close-ups" in sentence(good_set(detail=0.5), Sign.SAME_DISTANCE)


def test_light_is_spoken_of_once() -> None:
    dark = with_code(good_set(brightness=20.0), Code.DARK, 1.0)
    assert signs(dark) == [Sign.DARK]


def test_photos_without_measurements_are_not_called_alike() -> None:
    assert signs(good_set(sharpness=None, brightness=None, detail=None)) == [Sign.GOOD]


def test_the_first_photos_are_not_judged_as_a_set() -> None:
    first = with_code(good_set(4, brightness=120.0, detail=0.5), Code.BLURRY, 1.0)
    assert signs(first) == [Sign.TOO_FEW_PHOTOS]


def test_of_many_troubles_the_five_most_important_are_told_in_order() -> None:
    findings = tuple(Finding(code) for code in (Code.SMALL, Code.DARK, Code.BLURRY))
    poor = [
        photo(number, contributor_id=ANNA, verdict=Verdict.ADVISED, findings=findings, dhash=number, detail=0.5)
        for number in range(10)
    ]
    assert signs(poor) == [
        Sign.TOO_FEW_PHOTOS,
        Sign.TOO_FEW_CONTRIBUTORS,
        Sign.NEAR_DUPLICATES,
        Sign.BLURRY,
        Sign.DARK,
    ]


@given(
    brightness=st.lists(st.none() | st.floats(0, 255), max_size=40),
    code=st.sampled_from(sorted(Code)),
    contributors=st.integers(1, 5),
    entrants=st.integers(0, 500),
)
def test_there_is_always_something_short_to_say(
    brightness: list[float | None], code: Code, contributors: int, entrants: int
) -> None:
    photos = [
        photo(number, contributor_id=number % contributors, brightness=value, findings=(Finding(code),))
        for number, value in enumerate(brightness)
    ]
    found = advice(photos, entrants)
    order = list(Sign)
    assert 1 <= len(found) <= MOST_ADVICE
    assert [each.code for each in found] == sorted({each.code for each in found}, key=order.index)
    assert all(0 < len(each.sentence) <= 100 and each.sentence.endswith(".") for each in found)
