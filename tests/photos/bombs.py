"""Small files that claim or hold far too many pixels, and what they are refused for."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.photos.sample_photos import (
    chunk,
    claim_jpeg_size,
    claim_webp_size,
    encode,
    flat_png,
    noise,
    riff_chunk,
    segment,
    with_chunks,
    with_extra_scans,
    with_segments,
)


def scans_of(width: int, height: int, count: int) -> bytes:
    return with_extra_scans(claim_jpeg_size(encode(noise(), "JPEG", progressive=True), width, height), count)


def heic_of(width: int, height: int) -> bytes:
    """The sample HEIC with other sides in its spatial extents box."""
    content = (Path(__file__).parents[1] / "samples/photo.heic").read_bytes()
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


def avif_of(width: int, height: int) -> bytes:
    content = encode(noise(), "AVIF")
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


def webp_with(chunks: bytes) -> bytes:
    body = encode(noise(), "WEBP")[8:] + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


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
    "webp-13-mp": (
        lambda: claim_webp_size(encode(noise(), "WEBP", icc_profile=b"profile"), 4_200, 3_000),
        "too_many_pixels",
    ),
    "heic-100-mp": (lambda: heic_of(10_000, 10_000), "too_many_pixels"),
    "avif-100-mp": (lambda: avif_of(10_000, 10_000), "too_many_pixels"),
    "png-40-mp": (lambda: flat_png(8_000, 5_000), "too_many_pixels"),
    "jpeg-48-mp-in-several-scans": (
        lambda: claim_jpeg_size(encode(noise(), "JPEG", progressive=True, subsampling=0), 8_000, 6_000),
        "too_many_pixels",
    ),
    "jpeg-of-59-mp-and-100-scans": (lambda: scans_of(7_700, 7_700, 90), "too_many_pixels"),
    "jpeg-of-48-mp-and-40-scans": (lambda: scans_of(8_000, 6_000, 30), "damaged"),
    "jpeg-of-6-million-segments": (
        lambda: with_segments(encode(noise(), "JPEG"), segment(0xEB, b"") * 6_100_000),
        "damaged",
    ),
    "jpeg-of-300-000-tables": (
        lambda: with_segments(encode(noise(), "JPEG"), segment(0xDB, (b"\x00" + bytes(range(1, 65))) * 900) * 300),
        "damaged",
    ),
    "png-of-2-million-chunks": (lambda: with_chunks(flat_png(600, 600), chunk(b"prVt", b"") * 2_050_000), "damaged"),
    "png-of-2-million-data-chunks": (
        lambda: with_chunks(flat_png(600, 600), chunk(b"IDAT", b"") * 2_050_000),
        "damaged",
    ),
    "webp-of-3-million-chunks": (lambda: webp_with(riff_chunk(b"abcd", b"") * 3_000_000), "damaged"),
    "heic-of-3-million-boxes": (
        lambda: heic_of(640, 480)[:24] + (struct.pack(">I", 8) + b"free") * 3_000_000,
        "damaged",
    ),
    "animated-png-of-large-frames": (
        lambda: flat_png(5_600, 5_600, before_data=chunk(b"acTL", struct.pack(">II", 900, 0))),
        "animated",
    ),
}
