"""What a file says of its colours is kept to, or its line says that they may be off."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from bot.photos.checks import Code, explain
from bot.photos.colours import to_srgb
from bot.photos.prepare import Measured, examine
from bot.photos.structure.heif import read_declared
from bot.photos.structure.outline import Colours
from bot.records.dataset import Finding
from tests.photos.sample_photos import chunk, encode, noise, with_chunks

HEIC = Path(__file__).parents[1] / "samples/photo.heic"
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
OFF = Finding(Code.COLOURS, "HDR")


def colour_of(rgb: tuple[int, int, int], said: Colours, mode: str = "RGB") -> tuple[tuple[int, ...], str]:
    picture, doubt = to_srgb(Image.new("RGB", (8, 8), rgb).convert(mode), said)
    found = picture.getpixel((4, 4))
    assert isinstance(found, tuple)
    return found, doubt


def grey_of(value: int, said: Colours) -> int:
    found, _ = colour_of((value, value, value), said)
    assert max(found) - min(found) <= 1
    return found[1]


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        (Colours(), 100, 100),
        (Colours(gamma=2.2), 100, 100),
        (Colours(cicp=(1, 13)), 100, 100),
        (Colours(cicp=(6, 6)), 100, 100),
        (Colours(cicp=(2, 2)), 100, 100),
        (Colours(cicp=(12, 13)), 100, 100),
        (Colours(gamma=1.0), 55, 128),
        (Colours(gamma=1.8), 100, 118),
        (Colours(cicp=(1, 8)), 55, 128),
        # 50 and 203 cd/m2 of ITU-R BT.2408 are 0.44 and 0.58 of a PQ signal; an HLG signal of 0.75 is white, too.
        (Colours(cicp=(9, 16)), 112, 136),
        (Colours(cicp=(9, 16)), 148, 238),
        (Colours(cicp=(9, 18)), 191, 238),
        (Colours(cicp=(9, 16)), 255, 255),
    ],
)
def test_a_grey_comes_out_as_the_light_that_was_meant(said: Colours, value: int, expected: int) -> None:
    assert grey_of(value, said) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("said", [Colours(chromaticities=P3), Colours(cicp=(12, 13)), Colours(cicp=(12, 1))])
def test_a_wide_gamut_without_a_profile_is_made_small(said: Colours) -> None:
    """Display P3 (180, 90, 60) is (193, 84, 51) in sRGB, by the matrices of CSS Color 4."""
    found, doubt = colour_of((180, 90, 60), said)
    assert doubt == ""
    assert all(abs(a - b) <= 3 for a, b in zip(found, (193, 84, 51), strict=True))


@pytest.mark.parametrize(
    ("said", "mode", "doubt"),
    [
        (Colours(cicp=(9, 16)), "RGB", "HDR"),
        (Colours(cicp=(1, 18)), "RGB", "HDR"),
        (Colours(cicp=(9, 14)), "RGB", ""),
        (Colours(cicp=(77, 13)), "RGB", "profile"),
        (Colours(cicp=(1, 17)), "RGB", "profile"),
        (Colours(is_unreadable=True), "RGB", "profile"),
        (Colours(b"nonsense"), "RGB", "profile"),
        (Colours(chromaticities=(0.0,) * 8), "RGB", "profile"),
        (Colours(chromaticities=P3), "CMYK", "profile"),
        (Colours(), "CMYK", ""),
        (Colours(gamma=1.0), "L", ""),
    ],
)
def test_what_cannot_be_kept_to_is_said(said: Colours, mode: str, doubt: str) -> None:
    assert colour_of((120, 120, 120), said, mode)[1] == doubt


def test_the_sentence_names_the_reason() -> None:
    assert explain(OFF) == "Its colours may be off: it is an HDR photo. If they are, send an ordinary JPEG."
    assert "its colour profile cannot be used" in explain(Finding(Code.COLOURS, "profile"))


def look_at(content: bytes, folder: Path) -> tuple[Measured, Image.Image]:
    (folder / "received").write_bytes(content)
    measured = examine(folder / "received", folder / "prepared.jpg")
    with Image.open(folder / "prepared.jpg") as image:
        image.load()
    return measured, image


def test_a_png_that_names_hdr_is_converted_and_its_line_says_so(tmp_path: Path) -> None:
    plain = encode(Image.new("RGB", (600, 600), (112, 112, 112)), "PNG")
    measured, image = look_at(with_chunks(plain, chunk(b"cICP", b"\x09\x10\x00\x01")), tmp_path)
    assert OFF in measured.findings
    assert ImageStat.Stat(image).mean == pytest.approx([136] * 3, abs=3)


def test_a_png_in_linear_light_is_made_as_bright_as_it_was_meant(tmp_path: Path) -> None:
    plain = encode(Image.new("RGB", (600, 600), (55, 55, 55)), "PNG")
    measured, image = look_at(with_chunks(plain, chunk(b"gAMA", struct.pack(">I", 100_000))), tmp_path)
    assert OFF not in measured.findings
    assert ImageStat.Stat(image).mean == pytest.approx([128] * 3, abs=3)


def test_a_profile_that_unpacks_without_end_costs_its_colours_and_not_the_photo(tmp_path: Path) -> None:
    bomb = chunk(b"iCCP", b"p\x00\x00" + zlib.compress(bytes(6_000_000)))
    measured, _ = look_at(with_chunks(encode(noise(), "PNG"), bomb), tmp_path)
    assert measured.findings == (Finding(Code.COLOURS, "profile"),)


@pytest.mark.parametrize("tag", [{0x8769: {0xA001: 2}}, {0x8769: {0xA001: 0xFFFF, 0xA005: {1: "R03"}}}])
def test_adobe_rgb_that_only_the_exif_names_is_kept_to(tmp_path: Path, tag: dict[int, object]) -> None:
    exif = Image.Exif()
    for number, value in tag.items():
        exif[number] = value
    leaf = Image.new("RGB", (600, 600), (140, 170, 100))
    _, image = look_at(encode(leaf, "JPEG", quality=95, exif=exif), tmp_path)
    red, middle, blue = ImageStat.Stat(image).mean
    assert (red, middle, blue) == pytest.approx((126, 171, 96), abs=3)


def with_transfer(content: bytes, primaries: int, transfer: int) -> bytes:
    at = content.index(b"colrnclx") + 8
    return content[:at] + struct.pack(">HH", primaries, transfer) + content[at + 4 :]


@pytest.mark.process
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_an_hdr_picture_comes_close_to_what_was_meant_and_its_line_says_so(
    tmp_path: Path, own_decoders: None, kind: str
) -> None:
    """Both are told from their boxes: neither decoder converts the transfer."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    greys = Image.linear_gradient("L").resize((600, 600)).convert("RGB")
    signal = greys.point([round(pq_of(value) * 255) for value in range(256)] * 3)
    content = with_transfer(encode(signal, kind, quality=95), 1, 16)
    assert read_declared(content).cicp == (1, 16)
    measured, image = look_at(content, tmp_path)
    assert OFF in measured.findings
    dark = (0, 0, 600, 400)
    off = ImageStat.Stat(ImageChops.difference(image.crop(dark), greys.crop(dark))).mean
    assert max(off) < 6


def pq_of(value: int) -> float:
    """SMPTE ST 2084: the signal for the light of an sRGB value whose white has 203 cd/m2."""
    share = value / 255
    light = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4) * 0.0203
    power = light**0.1593017578125
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


@pytest.mark.process
def test_a_heic_without_hdr_has_no_such_line(tmp_path: Path) -> None:
    measured, _ = look_at(HEIC.read_bytes(), tmp_path)
    assert not [finding for finding in measured.findings if finding.code == Code.COLOURS]
