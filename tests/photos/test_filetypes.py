"""Types and sides by the first bytes."""

from pathlib import Path

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
