"""Contact sheets: size, order, and verdicts that can be told without colour."""

import io
import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from bot.photos.sheet import GAP_PX, MAX_SHEET_BYTES, TILE_PX, SheetEntry, contact_sheet
from bot.records.dataset import Verdict
from tests.photos.sample_photos import encode, noise


def open_sheet(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def write_photo(folder: Path, seed: int) -> Path:
    path = folder / f"{seed}.jpg"
    path.write_bytes(encode(noise(seed=seed), "JPEG"))
    return path


def tile_of(sheet: Image.Image) -> Image.Image:
    return sheet.crop((GAP_PX, GAP_PX, GAP_PX + TILE_PX, GAP_PX + TILE_PX))


def caption_of(sheet: Image.Image) -> Image.Image:
    return sheet.crop((0, GAP_PX + TILE_PX + 2, sheet.width, sheet.height))


@pytest.mark.parametrize("count", [0, 1, 6, 7, 30, 90])
def test_any_number_of_photos_fits_the_limits(tmp_path: Path, count: int) -> None:
    path = write_photo(tmp_path, 1)
    content = contact_sheet([SheetEntry(number + 1, path, Verdict.ACCEPTED) for number in range(count)])
    sheet = open_sheet(content)
    assert sheet.format == "JPEG"
    assert sheet.width <= 1600
    assert len(content) < MAX_SHEET_BYTES


def test_the_picture_is_on_its_tile(tmp_path: Path) -> None:
    (tmp_path / "red.jpg").write_bytes(encode(Image.new("RGB", (900, 400), "red"), "JPEG"))
    sheet = open_sheet(contact_sheet([SheetEntry(1, tmp_path / "red.jpg", Verdict.ACCEPTED)]))
    red, green, blue = ImageStat.Stat(tile_of(sheet)).mean
    assert red > 240
    assert max(green, blue) < 15


WAITING = SheetEntry(1, None, Verdict.REFUSED, is_waiting=True)
MARKED = [*(SheetEntry(1, None, verdict) for verdict in Verdict), WAITING]


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(MARKED, 2)])
def test_marks_differ_without_any_colour(one: SheetEntry, other: SheetEntry) -> None:
    sheets = [caption_of(open_sheet(contact_sheet([entry]))).convert("L") for entry in (one, other)]
    outlines = [sheet.point(lambda value: 255 * (value > 150)) for sheet in sheets]
    assert ImageStat.Stat(ImageChops.difference(*outlines)).sum[0] > 255 * 60


def test_numbers_are_drawn() -> None:
    sheets = [
        caption_of(open_sheet(contact_sheet([SheetEntry(number, None, Verdict.ACCEPTED)]))).convert("L")
        for number in (1, 28)
    ]
    assert ImageStat.Stat(ImageChops.difference(*sheets)).sum[0] > 255 * 60


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_missing_or_broken_picture_is_a_grey_tile(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gone.jpg"
    if content is not None:
        path.write_bytes(content)
    red, green, blue = ImageStat.Stat(tile_of(open_sheet(contact_sheet([SheetEntry(1, path, Verdict.REFUSED)])))).mean
    assert max(red, green, blue) - min(red, green, blue) < 20
    assert 150 < red < 230
