"""Texts in every script: each run in a typeface that has it, nothing that no typeface has, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, features

from bot.lettering import SCRIPTS, Line, drawable, loses_letters, missing_scripts
from tests.fakes.examples import in_proportion

SIZE = 40


def drawn(text: str, width: float | None = None, anchor: str = "lm") -> Image.Image:
    picture = Image.new("L", (900, 120), 255)
    Line(text, SIZE, width).draw(ImageDraw.Draw(picture), (20, 60), fill="black", anchor=anchor)
    return picture


def ink(picture: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.invert(picture).getbbox()
    assert box is not None
    return box


def test_what_cannot_be_drawn_is_left_out_and_accents_leave_their_letter() -> None:
    assert drawable("a\u0000b\u2060c  d\n\U000f1234") == "abc d"
    assert drawable("Zoë") in {"Zoë", "Zoe"}
    assert drawable("\U000f1234 \u202e") == ""


@pytest.mark.parametrize("letters", SCRIPTS.values(), ids=SCRIPTS)
def test_a_name_in_this_script_is_drawn_beside_latin(letters: str) -> None:
    """Mutant: with one typeface for the whole text one of the two scripts is left out."""
    name = next(name for name, letter in SCRIPTS.items() if letter == letters)
    if name in missing_scripts():
        pytest.skip(f"this machine has no typeface for {letters}")
    assert drawable(f"Łukasz {letters} Анна") == f"Łukasz {letters} Анна"
    assert not loses_letters(f"{letters} Anna")
    assert Line(f"{letters} Anna", SIZE).length > Line("Anna", SIZE).length


def test_a_name_with_letters_that_no_typeface_has_is_said_to_lose_them() -> None:
    assert loses_letters("\U000f1234")
    assert loses_letters("")
    assert loses_letters("Anna \U0001e900")  # Adlam, which no typeface of the chain has
    assert not loses_letters("Anna \U000f1234")


def test_joiners_leave_no_mark_of_their_own() -> None:
    """Mutant: Pillow's own typeface draws one between Latin letters."""
    assert drawable("a\u200db") == "ab"
    assert drawable("👩\u200d🚀 Anna") == "Anna"
    assert drawable("\u200d\u200d") == ""
    word = "می\u200cخواهم"
    assert not features.check("raqm") or loses_letters("ی") or drawable(word) == word


def test_hebrew_after_arabic_stands_to_its_left_and_latin_where_it_was_written() -> None:
    """A Latin name first: it begins on the left, whatever follows."""
    both, first = ink(drawn("Anna שלום")), ink(drawn("Anna"))
    assert both[0] == first[0]
    assert both[2] > first[2]


@pytest.mark.parametrize("text", ["W" * 200, "Анна " * 50, "Łu" * 90, "עברית " * 50])
def test_a_text_that_is_too_long_ends_in_dots_within_its_width(text: str) -> None:
    line = Line(text, SIZE, 300)
    assert line.text.endswith("…")
    assert 200 < line.length <= 300
    assert ink(drawn(text, 300))[2] <= 20 + 300 + SIZE


def test_a_middle_anchor_has_the_same_room_on_both_sides() -> None:
    picture = Image.new("L", (900, 120), 255)
    Line("Анна OXO", SIZE).draw(ImageDraw.Draw(picture), (450, 60), fill="black", anchor="mm")
    left, top, right, bottom = ink(picture)
    assert abs((left + right) / 2 - 450) < 4
    assert abs((top + bottom) / 2 - 60) < 12


@given(st.text(max_size=40))
@settings(max_examples=in_proportion(40))
def test_what_is_left_of_any_text_is_one_line(text: str) -> None:
    shown = drawable(text)
    assert "\n" not in shown
    assert shown == shown.strip()
    assert Line(text, 20).length >= 0
    assert Line(text, 20, 50).length <= 50 or shown == ""
