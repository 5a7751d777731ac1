import io
import random
from pathlib import Path

import pytest
from PIL import Image

from bot.sandbox.rehearsal import painting
from tests.providers.sample_orders import make_photos


def paint(
    photos: list[Path],
    prompt: str = "quiet",
    seed: int = 1,
    position: int = 0,
    aspect: str = "1:1",
    file_format: str = "png",
) -> bytes:
    picture = painting.compose(photos, painting.SIZES_PX[aspect], prompt=prompt, seed=seed, position=position)
    return painting.encode(picture, file_format)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [photo.path for photo in make_photos(tmp_path, 4)]


@pytest.mark.parametrize(("aspect", "size"), painting.SIZES_PX.items())
def test_picture_has_the_ordered_shape(photos: list[Path], aspect: str, size: tuple[int, int]) -> None:
    across, down = map(int, aspect.split(":"))

    with Image.open(io.BytesIO(paint(photos, aspect=aspect))) as picture:
        assert picture.size == size
        assert picture.width * down == picture.height * across


@pytest.mark.parametrize(("file_format", "name"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_picture_has_the_ordered_format_and_says_where_it_comes_from(
    photos: list[Path], file_format: str, name: str
) -> None:
    with Image.open(io.BytesIO(paint(photos, file_format=file_format))) as picture:
        note = picture.info["Description"] if name == "PNG" else picture.getexif()[0x010E]

        assert picture.format == name
        assert note == painting.PROVENANCE


def test_same_order_gives_the_same_bytes_and_any_other_gives_others(photos: list[Path]) -> None:
    first = paint(photos)

    assert paint(photos) == first
    others = [paint(photos, seed=2), paint(photos, prompt="loud"), *(paint(photos, position=n) for n in range(1, 4))]
    assert len({first, *others}) == 6


def test_every_recipe_works_with_one_photo_and_with_none_that_opens(photos: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff not a photo")

    for position in range(len(painting.RECIPES)):
        for chosen in ([photos[0]], [broken]):
            assert paint(chosen, position=position, aspect="9:16").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("prompt", "mood"), [("Rex at SUNSET, oil", "sunset"), ("two robots", "neon"), ("by the ocean", "sea")]
)
def test_words_of_the_prompt_choose_the_mood(prompt: str, mood: str) -> None:
    assert painting.choose_palette(prompt, random.Random(1)) == painting.PALETTES[mood]


def test_no_photos_at_all_still_give_a_picture() -> None:
    assert paint([]).startswith(b"\x89PNG")


def test_prompt_without_a_mood_still_gets_one() -> None:
    assert painting.choose_palette("x", random.Random(1)) in painting.PALETTES.values()


def test_enlarged_copy_keeps_its_shape_and_stays_bounded(photos: list[Path]) -> None:
    with Image.open(io.BytesIO(painting.enlarge(photos[0], 2, "png"))) as doubled:
        assert doubled.size == (192, 128)
    with Image.open(io.BytesIO(painting.enlarge(photos[0], 8, "png"))) as grown:
        assert max(grown.size) == 768


def test_cut_out_is_clear_at_the_corners_and_solid_in_the_middle(photos: list[Path]) -> None:
    with Image.open(io.BytesIO(painting.cut_out(photos[0]))) as picture:
        alpha = picture.getchannel("A")

        assert alpha.getpixel((0, 0)) == 0
        assert alpha.getpixel((48, 32)) == 255
