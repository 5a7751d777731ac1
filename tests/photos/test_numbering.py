"""Numbers on the copies of a ballot: readable on any picture, and the picture itself stays as it is."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from bot.photos.prepare import shrink
from tests.photos.sample_photos import encode, noise

LIMIT = 900_000


def numbered(path: Path, number: int | None) -> Image.Image:
    return Image.open(io.BytesIO(shrink(path, LIMIT, number))).convert("RGB")


@pytest.mark.parametrize("size", [(1024, 1024), (1600, 300), (40, 30)])
def test_the_number_is_in_the_corner_and_the_rest_is_the_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(encode(noise(*size, seed=3), "PNG"))
    before = path.read_bytes()
    plain, first, twelfth = (numbered(path, number) for number in (None, 1, 12))
    assert plain.size == first.size == twelfth.size == size
    changed = ImageChops.difference(plain, first).point(lambda value: 255 * (value > 60)).getbbox()
    assert changed is not None
    assert changed[:2] < (size[0] // 2, size[1] // 2)
    assert ImageChops.difference(first, twelfth).getbbox() is not None
    assert path.read_bytes() == before


@pytest.mark.parametrize("colour", ["white", "black", "#808080"])
def test_the_number_stands_out_from_any_picture(tmp_path: Path, colour: str) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(encode(Image.new("RGB", (512, 512), colour), "PNG"))
    counts = numbered(path, 7).crop((0, 0, 128, 128)).convert("L").histogram()
    shown = [level for level, pixels in enumerate(counts) if pixels]
    assert shown[-1] - shown[0] > 200
