"""That pages and sheets can be drawn of whatever members are called and whatever became of their pictures."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.events.yearbook.pages import (
    GRID_BOTTOM,
    GRID_TOP,
    PAGE_PX,
    PREVIEW_PX,
    SHEET_PX,
    cells,
    draw_page,
    draw_sheet,
    reduced_copy,
)
from tests.events.yearbook.yearbooks import book, noise, plate, png

NAMES = ["Anna", "Zoë Ünal", "Анна", "日本語", "عربي", "🦊🦊", "\u202eevil", "W" * 200, "a\nb", "\ud800", ""]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(png(1))
    return path


def size_of(jpeg: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        image.load()
        return image.size


@pytest.mark.parametrize("name", NAMES)
def test_every_name_and_prompt_can_be_drawn(picture: Path, name: str) -> None:
    plates = [plate(picture, number, maker=name, prompt=name * 20, place=number) for number in range(1, 8)]
    one = book(*plates, title=name)
    assert size_of(draw_page(one, one.chapters[0], 500_000)) == PAGE_PX
    previews = {each.number: reduced_copy(picture, 60_000) for each in plates}
    assert size_of(draw_sheet(one, previews, 1_000_000))[0] <= SHEET_PX


@given(st.integers(1, 6))
def test_pictures_on_a_page_lie_within_it_and_apart(count: int) -> None:
    boxes = cells(count)
    assert len(boxes) == count
    for index, (left, top, right, bottom) in enumerate(boxes):
        assert 0 < left < right < PAGE_PX[0]
        assert GRID_TOP <= top < bottom <= GRID_BOTTOM
        for other in boxes[index + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1]


def test_the_winners_mark_is_seen_on_page_and_sheet(picture: Path) -> None:
    plain, won = book(plate(picture)), book(plate(picture, place=1))
    assert draw_page(plain, plain.chapters[0], 500_000) != draw_page(won, won.chapters[0], 500_000)
    previews = {1: reduced_copy(picture, 60_000)}
    assert draw_sheet(plain, previews, 500_000) != draw_sheet(won, previews, 500_000)


@pytest.mark.parametrize("limit", [60_000, 5_000, 1_000])
def test_copies_keep_to_their_limit(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(noise(1, 900))
    copy = reduced_copy(path, limit)
    assert len(copy) <= limit
    assert max(size_of(copy)) <= PREVIEW_PX


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"no picture", None])
def test_a_picture_that_does_not_open_is_a_grey_one(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)
    one = book(plate(path))
    assert size_of(draw_page(one, one.chapters[0], 500_000)) == PAGE_PX
    with Image.open(io.BytesIO(reduced_copy(path, 60_000))) as copy:
        red, green, blue = copy.convert("RGB").resize((1, 1)).tobytes()
    assert max(red, green, blue) - min(red, green, blue) < 30


def test_transparent_parts_lie_on_white(tmp_path: Path) -> None:
    path = tmp_path / "cut-out.png"
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(path)
    with Image.open(io.BytesIO(reduced_copy(path, 60_000))) as copy:
        assert min(copy.convert("RGB").resize((1, 1)).tobytes()) > 250


def test_five_hundred_pictures_fit_a_sheet_of_one_megabyte(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(noise(1, 200))
    one = book(*(plate(path, number) for number in range(1, 501)))
    preview = reduced_copy(path, 20_000)
    sheet = draw_sheet(one, dict.fromkeys(range(1, 501), preview), 1_000_000)
    assert len(sheet) <= 1_000_000


def test_a_name_that_cannot_be_drawn_is_the_user_name_and_never_a_word_of_ours(picture: Path) -> None:
    """Mutant: without the handle both pages say "Member"."""
    unknown = "\U0001e900\U0001e901"  # Adlam, which no typeface of the chain has
    sheets = {}
    for handle in ("anna_77", "ben_88", ""):
        one = book(plate(picture, maker=unknown, handle=handle))
        one = replace(one, chapters=tuple(replace(each, handle=handle) for each in one.chapters))
        sheets[handle] = (
            draw_page(one, one.chapters[0], 500_000),
            draw_sheet(one, {1: reduced_copy(picture, 60_000)}, 500_000),
        )
    assert len({page for page, _ in sheets.values()}) == len({sheet for _, sheet in sheets.values()}) == 3
