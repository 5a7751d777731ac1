"""The sandbox's photos: twenty good ones and seven that show what the checks say."""

import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from bot.photos.checks import NEAR_DUPLICATE_BITS, Code, find_duplicates, hamming_distance
from bot.photos.prepare import Measured, examine
from bot.sandbox.samples.photos import GOOD, PLACES, TRICKY

ROOT = Path(__file__).parents[2]
FOLDER = GOOD[0].parents[1]
LISTED = {*GOOD, *TRICKY, *PLACES}


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    target = tmp_path_factory.mktemp("prepared") / "out.jpg"
    return {path.name: examine(path, target) for path in (*GOOD, *TRICKY)}


def test_every_file_is_listed_and_together_they_are_small() -> None:
    found = {path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert found == LISTED
    assert sum(path.stat().st_size for path in LISTED) < 2_000_000


def test_every_file_is_packed_into_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packed = {path for pattern in patterns["bot.sandbox.samples"] for path in FOLDER.glob(pattern)}
    assert packed >= LISTED


def test_there_are_twenty_good_photos_of_camera_like_size() -> None:
    assert len(GOOD) == 20
    for path in GOOD:
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert 1200 <= max(image.size) <= 1600


def test_no_good_photo_gets_any_remark(examined: dict[str, Measured]) -> None:
    good = {name: measured for name, measured in examined.items() if name.startswith("mascot-")}
    assert len(good) == 20
    assert {name: measured.findings for name, measured in good.items() if measured.findings} == {}


def test_no_two_good_photos_look_alike(examined: dict[str, Measured]) -> None:
    hashes = [measured.dhash for name, measured in examined.items() if name.startswith("mascot-")]
    known = [dhash for dhash in hashes if dhash is not None]
    assert len(known) == 20
    assert min(hamming_distance(one, other) for one, other in combinations(known, 2)) > NEAR_DUPLICATE_BITS + 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blurry.jpg", [Code.BLURRY]),
        ("too-dark.jpg", [Code.DARK]),
        ("animation.gif", [Code.ANIMATED]),
        ("cut-off.jpg", [Code.DAMAGED]),
        ("really-a-png.jpg", []),
        ("sideways-with-gps.jpg", []),
        ("almost-mascot-01.jpg", []),
    ],
)
def test_each_tricky_file_shows_what_it_is_for(examined: dict[str, Measured], name: str, expected: list[Code]) -> None:
    assert [finding.code for finding in examined[name].findings] == expected


def test_the_retake_is_named_a_near_duplicate_of_the_first(examined: dict[str, Measured]) -> None:
    names = ["mascot-01.jpg", "mascot-02.jpg", "almost-mascot-01.jpg"]
    found = find_duplicates([(name, name, examined[name].dhash) for name in names])
    assert {index: (finding.code, finding.detail) for index, finding in found.items()} == {
        2: (Code.NEAR_DUPLICATE, "mascot-01.jpg")
    }


def test_the_renamed_file_is_a_png_by_its_bytes() -> None:
    renamed = sample("really-a-png.jpg")
    assert renamed.read_bytes().startswith(b"\x89PNG")


def test_the_sideways_photo_holds_a_place_and_comes_out_upright_without_it(tmp_path: Path) -> None:
    sideways = sample("sideways-with-gps.jpg")
    with Image.open(sideways) as image:
        assert image.width > image.height
        assert image.getexif().get_ifd(0x8825)
    measured = examine(sideways, tmp_path / "out.jpg")
    assert measured.height > measured.width
    assert b"Exif" not in (tmp_path / "out.jpg").read_bytes()


def test_no_other_photo_holds_anything_but_pixels() -> None:
    for path in LISTED - {sample("sideways-with-gps.jpg")}:
        with Image.open(path) as image:
            assert dict(image.getexif()) == {}
            assert {"exif", "comment", "xmp", "icc_profile", "photoshop"} & set(image.info) == set()


def sample(name: str) -> Path:
    return next(path for path in TRICKY if path.name == name)
