"""Types and sides by the first bytes."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.photos.filetypes import identify, read_dimensions
from tests.photos.sample_photos import encode, flat_png, noise


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
        (b"RIFF\x10\x00\x00\x00AVI LIST", "avi"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", None),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"II*\x00", "tiff"),
        (b"MM\x00*", "tiff"),
        (b"BM\x00\x00", "bmp"),
        (b"%PDF-1.7", "pdf"),
        (b"PK\x03\x04", "zip"),
        (b"Rar!\x1a\x07\x00", "rar"),
        (b"8BPS\x00\x01", "psd"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", "avif"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1", "avif"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", "mp4"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00M4A mp42", "m4a"),
        (b"\x1aE\xdf\xa3\x01", "webm"),
        (b"  <!DOCTYPE html><html>", "html"),
        (b"\xef\xbb\xbf<html lang='en'>", "html"),
        (b"<?xml version='1.0'?><!-- hi --><svg xmlns=''>", "svg"),
        (b"hello there", None),
        (b"", None),
    ],
)
def test_the_bytes_tell_the_type(head: bytes, kind: str | None) -> None:
    assert identify(head) == kind


def tiff(order: Literal["little", "big"], tags: dict[int, int]) -> bytes:
    """The first directory of a TIFF with these short values."""
    entries = b"".join(
        tag.to_bytes(2, order) + (3).to_bytes(2, order) + (1).to_bytes(4, order) + value.to_bytes(2, order) + bytes(2)
        for tag, value in tags.items()
    )
    start = b"II*\x00\x08\x00\x00\x00" if order == "little" else b"MM\x00*\x00\x00\x00\x08"
    return start + len(tags).to_bytes(2, order) + entries + bytes(4)


MAKE, COMPRESSION, SUB_IFDS, DNG_VERSION = 0x010F, 0x0103, 0x014A, 0xC612


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("CR3", b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom"),
        ("RAF", b"FUJIFILMCCD-RAW 0201FF389501"),
        ("DNG of a phone", tiff("little", {0x0100: 4000, MAKE: 1, DNG_VERSION: 1})),
        ("DNG of a drone", tiff("big", {0x0100: 4000, DNG_VERSION: 1})),
        ("NEF", tiff("big", {COMPRESSION: 1, MAKE: 1, SUB_IFDS: 2})),
        ("ARW", tiff("little", {COMPRESSION: 6, MAKE: 1, SUB_IFDS: 1})),
        ("PEF", tiff("big", {COMPRESSION: 65535, MAKE: 1})),
        ("CR2", b"II*\x00\x10\x00\x00\x00CR\x02\x00"),
        ("ORF", b"IIRO\x08\x00\x00\x00"),
        ("RW2", b"IIU\x00\x18\x00\x00\x00"),
        ("X3F", b"FOVb\x00\x00\x02\x00"),
    ],
)
def test_the_raw_files_of_cameras_are_told_from_videos_and_pictures(name: str, head: bytes) -> None:
    assert identify(head) == "raw"


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_picture_that_a_camera_or_a_scanner_stored_as_tiff_is_no_raw_file(order: Literal["little", "big"]) -> None:
    assert identify(tiff(order, {0x0100: 4000, COMPRESSION: 5, MAKE: 1})) == "tiff"
    assert identify(tiff(order, {0x0100: 4000, SUB_IFDS: 1})) == "tiff"


def test_every_cut_of_a_raw_file_can_be_asked_for_its_type() -> None:
    whole = tiff("little", {MAKE: 1, DNG_VERSION: 1})
    assert [identify(whole[:end]) for end in (4, 8, 9, 12, 21)] == ["tiff"] * 5


@given(st.binary(max_size=200))
def test_any_bytes_can_be_asked_for_their_type_and_size(head: bytes) -> None:
    for start in (b"", b"RIFF\x00\x00\x00\x00WEBP", b"\x00\x00\xff\xffftyp", b"\x89PNG\r\n\x1a\n"):
        kind, sides = identify(start + head), read_dimensions(start + head)
        assert kind is None or kind.isalnum()
        assert sides is None or all(side >= 0 for side in sides)


def test_a_comment_storm_before_an_svg_is_read_in_no_time() -> None:
    assert identify(b"<!-- -->" * 128) is None


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"icc_profile": b"profile"}])
def test_every_kind_of_webp_tells_its_sides_in_its_first_bytes(options: dict[str, object]) -> None:
    assert read_dimensions(encode(noise(311, 277), "WEBP", **options)[:30]) == (311, 277)


def test_a_png_tells_its_sides_in_its_first_bytes() -> None:
    assert read_dimensions(flat_png(311, 277)[:30]) == (311, 277)


def test_the_sample_file_is_a_heic() -> None:
    assert identify((Path(__file__).parents[1] / "samples/photo.heic").read_bytes()[:64]) == "heic"
