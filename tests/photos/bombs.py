"""Small files that claim or hold far too many pixels, and what they are refused for."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.photos.sample_photos import chunk, claim_jpeg_size, claim_webp_size, encode, flat_png, noise


def heic_of(width: int, height: int) -> bytes:
    """The sample HEIC with other sides in its spatial extents box."""
    content = (Path(__file__).parents[1] / "samples/photo.heic").read_bytes()
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "png-178-mp": (lambda: flat_png(13_370, 13_370), "too_many_pixels"),
    "png-400-mp": (lambda: flat_png(20_000, 20_000, grey_bits=1), "too_many_pixels"),
    "png-61-mp-16-bit": (lambda: flat_png(7_900, 7_800, grey_bits=16), "too_many_pixels"),
    "png-65535-wide": (lambda: flat_png(65_535, 900), "too_small"),
    "png-2-gigapixels-claimed": (lambda: flat_png(300, 300)[:16] + b"\x00\x01\x00\x00" * 2, "too_many_pixels"),
    "jpeg-178-mp": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 13_370, 13_370), "too_many_pixels"),
    "jpeg-61-mp": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 7_900, 7_800), "too_many_pixels"),
    "jpeg-65535-wide": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 65_535, 900), "too_small"),
    "jpeg-progressive-4-gigapixels": (
        lambda: claim_jpeg_size(encode(noise(), "JPEG", progressive=True), 65_535, 65_535),
        "too_many_pixels",
    ),
    "webp-268-mp": (
        lambda: claim_webp_size(encode(noise(), "WEBP", icc_profile=b"profile"), 16_384, 16_384),
        "too_many_pixels",
    ),
    "webp-25-mp": (
        lambda: claim_webp_size(encode(noise(), "WEBP", icc_profile=b"profile"), 5_000, 5_000),
        "too_many_pixels",
    ),
    "heic-100-mp": (lambda: heic_of(10_000, 10_000), "too_many_pixels"),
    "animated-png-of-large-frames": (
        lambda: flat_png(7_000, 7_000, before_data=chunk(b"acTL", struct.pack(">II", 900, 0))),
        "animated",
    ),
}
