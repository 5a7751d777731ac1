"""The PDF of a yearbook: every page is in it once, in order, in its own shape."""

from pathlib import Path

import pytest
from PIL import Image
from PIL.PdfParser import PdfParser

from bot.events.yearbook.pdf import AT_ONCE, write_pdf
from tests.photos.sample_photos import encode, noise


def pages_of(folder: Path, count: int) -> list[Path]:
    """Each a little wider than the one before."""
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(encode(noise(40 + number, 60, seed=number), "JPEG"))
    return paths


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 3])
def test_every_page_is_in_it_once_and_in_order(tmp_path: Path, count: int) -> None:
    """Mutant: without `append` the pages of the last call alone are left."""
    pages = pages_of(tmp_path, count)
    write_pdf(tmp_path / "book.pdf", "日本語 (Fox)", pages)
    with PdfParser(str(tmp_path / "book.pdf")) as pdf:
        widths = [pdf.read_indirect(page)[b"MediaBox"][2] for page in pdf.pages]
        title = pdf.info.Title
    assert widths == [pytest.approx((40 + number) * 72 / 150) for number in range(count)]
    assert title == "日本語 (Fox)"


def test_a_page_of_a_yearbook_is_as_wide_as_a4(tmp_path: Path) -> None:
    Image.new("RGB", (1240, 1640)).save(tmp_path / "page.jpg")
    write_pdf(tmp_path / "book.pdf", "Book", [tmp_path / "page.jpg"])
    with PdfParser(str(tmp_path / "book.pdf")) as pdf:
        assert pdf.read_indirect(pdf.pages[0])[b"MediaBox"][2] == pytest.approx(595, abs=1)
