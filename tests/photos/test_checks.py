"""The pure rules: types by bytes, verdicts, duplicates, sentences, names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.photos import checks
from bot.photos.checks import (
    Code,
    Measures,
    display_name,
    explain,
    find_duplicates,
    hamming_distance,
    judge,
    judge_sides,
    verdict_of,
)
from bot.records.dataset import Finding, Verdict

GOOD = {"sharpness": 300.0, "brightness": 120.0, "width": 1200, "height": 900, "original_size": 400_000}


def codes_for(**changes: float) -> list[str]:
    values = GOOD | changes
    measures = Measures(
        values["sharpness"],
        values["brightness"],
        int(values["width"]),
        int(values["height"]),
        int(values["original_size"]),
    )
    return [finding.code for finding in judge(measures)]


def test_a_good_photo_gets_no_remark() -> None:
    assert codes_for() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sharpness": checks.BLURRY_BELOW - 0.1}, Code.BLURRY),
        ({"brightness": checks.DARK_BELOW - 0.1}, Code.DARK),
        ({"brightness": checks.BRIGHT_ABOVE + 0.1}, Code.BRIGHT),
        ({"height": 511}, Code.SMALL),
        ({"width": 255}, Code.TOO_SMALL),
        ({"width": 65_535, "height": 900}, Code.TOO_SMALL),
        ({"width": 10_000, "height": 6_001}, Code.TOO_MANY_PIXELS),
        ({"original_size": 10_000_001}, Code.SHRUNK),
    ],
)
def test_each_measure_has_its_own_remark(changes: dict[str, float], expected: Code) -> None:
    assert codes_for(**changes) == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"sharpness": checks.BLURRY_BELOW},
        {"brightness": checks.DARK_BELOW},
        {"brightness": checks.BRIGHT_ABOVE},
        {"height": 512},
        {"width": 10_000, "height": 6_000},
        {"original_size": 10_000_000},
    ],
)
def test_the_limit_itself_is_still_good(changes: dict[str, float]) -> None:
    assert codes_for(**changes) == []


def test_the_smallest_photo_taken_has_256_pixels_on_its_short_side() -> None:
    assert judge_sides(256, 256) is None
    assert judge_sides(255, 900) == Finding(Code.TOO_SMALL)


@pytest.mark.parametrize(
    ("kind", "sides", "most"),
    [
        ("jpeg", (10_000, 6_001), "60"),
        ("heic", (10_000, 6_001), "60"),
        ("png", (8_000, 4_001), "32"),
        ("webp", (4_200, 3_000), "12"),
    ],
)
def test_a_photo_of_too_many_pixels_is_told_how_many_its_type_may_have(
    kind: str, sides: tuple[int, int], most: str
) -> None:
    refusal = judge_sides(*sides, kind)
    assert refusal == Finding(Code.TOO_MANY_PIXELS, most)
    assert explain(refusal) == f"It has too many pixels. Send a copy of at most {most} megapixels."
    assert judge_sides(4_032, 3_024, kind) is None


def test_a_refusal_that_does_not_say_how_many_pixels_names_the_fewest() -> None:
    assert "at most 12 megapixels" in explain(Finding(Code.TOO_MANY_PIXELS))


def test_a_converted_photo_is_accepted_and_says_from_what() -> None:
    findings = judge(Measures(300, 120, 1200, 900, 400_000, "HEIC"))
    assert findings == (Finding(Code.CONVERTED, "HEIC"),)
    assert verdict_of(findings) is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([], Verdict.ACCEPTED),
        ([Code.BLURRY], Verdict.ADVISED),
        ([Code.CONVERTED, Code.SHRUNK], Verdict.ADVISED),
        ([Code.BLURRY, Code.EXACT_DUPLICATE], Verdict.REFUSED),
    ],
)
def test_the_worst_finding_decides(codes: list[Code], verdict: Verdict) -> None:
    assert verdict_of(Finding(code) for code in codes) is verdict


def test_every_code_is_either_refusal_advice_or_note() -> None:
    assert set(Code) == checks.REFUSALS | checks.ADVICE | checks.NOTES
    assert not checks.REFUSALS & (checks.ADVICE | checks.NOTES)
    refused = {"empty", "not_an_image", "wrong_type", "animated", "too_large", "too_many_pixels", "damaged"}
    refused |= {"too_small", "exact_duplicate", "over_limit", "no_heic", "waiting", "gone", "not_fetched"}
    refused |= {"zip_locked", "zip_empty", "zip_full", "zip_too_large", "zip_rest"}
    assert refused == checks.REFUSALS


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_short_sentence(code: Code) -> None:
    sentence = explain(Finding(code, "gif" if code is Code.WRONG_TYPE else "cat.jpg"))
    assert 20 < len(sentence) < 110
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_a_wrong_type_is_named() -> None:
    assert explain(Finding(Code.WRONG_TYPE, "pdf")).startswith("It is a PDF document.")
    assert explain(Finding(Code.WRONG_TYPE, "raw")).startswith("It is a camera's raw file. Send a JPEG")


def test_a_hostile_name_is_tamed_in_the_sentence() -> None:
    sentence = explain(Finding(Code.EXACT_DUPLICATE, "../`@everyone\u202egpj.exe"))
    assert sentence == "It is the same file as **\\_\\_everyonegpj.exe**. Send a different photo."


def test_the_later_twin_is_marked_and_names_the_first() -> None:
    photos = [("a.jpg", "1", 0), ("b.jpg", "2", 2**40 - 1), ("c.jpg", "1", 0), ("d.jpg", "3", 0xFF)]
    assert find_duplicates(photos) == {
        2: Finding(Code.EXACT_DUPLICATE, "a.jpg"),
        3: Finding(Code.NEAR_DUPLICATE, "a.jpg"),
    }


def test_nine_bits_apart_is_a_different_photo_and_eight_is_not() -> None:
    assert find_duplicates([("a", "1", 0), ("b", "2", 0b1_1111_1111)]) == {}
    assert set(find_duplicates([("a", "1", 0), ("b", "2", 0b1111_1111)])) == {1}


def test_photos_without_a_hash_are_only_compared_exactly() -> None:
    assert find_duplicates([("a", "1", None), ("b", "2", None), ("c", "2", None)]) == {
        2: Finding(Code.EXACT_DUPLICATE, "b")
    }


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_the_distance_does_not_depend_on_how_the_sign_is_stored(left: int, right: int) -> None:
    distance = hamming_distance(left, right)
    assert distance == hamming_distance(left % 2**64, right) == bin((left ^ right) % 2**64).count("1")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-(2**63), 2**63 - 1)), max_size=12))
def test_the_first_photo_of_a_set_is_never_a_duplicate(photos: list[tuple[str, int]]) -> None:
    found = find_duplicates([(str(index), sha256, dhash) for index, (sha256, dhash) in enumerate(photos)])
    assert 0 not in found
    assert all(int(finding.detail) < index for index, finding in found.items())


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("IMG_1234.JPG", "IMG_1234.JPG"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("c\u200ba\u200dt\ufeff.jpg", "cat.jpg"),
        ("two\r\nlines\x00.png", "twolines.png"),
        ("`rm` **bold** <@1>.jpg", "_rm_ __bold__ __1_.jpg"),
        ("", "photo"),
        (".jpg", "photo.jpg"),
        ("///", "photo"),
        ("\u3164\u3164.webp", "photo.webp"),
        ("Žluťoučký kůň.jpg", "Žluťoučký kůň.jpg"),
        ("写真.heic", "写真.heic"),
        ("a" * 300 + ".jpeg", "a" * 34 + "….jpeg"),
        ("name.with a long ending", "name.with a long ending"),
        ("Z" + "\u0335" * 50 + ".png", "Z" + "\u0335" * 2 + ".png"),
        ("Z" + "\u0335\u0335\u200b" * 20 + ".png", "Z" + "\u0335" * 2 + ".png"),
    ],
)
def test_names_are_shown_tamed(filename: str, shown: str) -> None:
    assert display_name(filename) == shown


@given(st.text(max_size=80) | st.text(alphabet="./\\`\u202e\u200b\u0335 a\n\t…", max_size=80))
def test_any_name_becomes_one_short_visible_line(filename: str) -> None:
    shown = display_name(filename)
    assert 1 <= len(shown) <= 40
    assert not set(shown) & set("`/\\<>@*|\n\r\t")
    assert all(unicodedata.category(character)[0] != "C" for character in shown)
    assert shown == shown.strip()
    assert display_name(shown) == shown


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=100))
def test_the_extension_survives_any_length(stem: str) -> None:
    assert display_name(f"{stem}.jpeg").endswith(".jpeg")
