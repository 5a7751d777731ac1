"""Pictures for the photo tests, made from seeds."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image, ImageFilter


def noise(width: int = 800, height: int = 600, seed: int = 1) -> Image.Image:
    """Coarse coloured noise: sharp, of middling brightness, and unlike any other seed."""
    rng = random.Random(seed)
    small = Image.frombytes("RGB", (40, 30), rng.randbytes(40 * 30 * 3))
    return small.resize((width, height), Image.Resampling.NEAREST)


def camera_photo(seed: int, width: int = 4000, height: int = 3000) -> bytes:
    """A 12-megapixel JPEG with smooth parts and grain, turned by EXIF like a phone's."""
    rng = random.Random(seed)
    smooth = noise(width, height, seed).filter(ImageFilter.BoxBlur(6))
    grain = Image.frombytes("L", (500, 500), rng.randbytes(250_000)).resize((width, height))
    picture = Image.blend(smooth, Image.merge("RGB", (grain, grain, grain)), 0.12)
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(picture, "JPEG", quality=90, exif=exif)


def in_every_type(picture: Image.Image) -> dict[str, bytes]:
    """The picture in each type that is decoded in the bot's own process, made quickly rather than small."""
    seen_through = picture.convert("RGBA")
    seen_through.putalpha(picture.convert("L"))
    return {
        "JPEG": encode(picture, "JPEG", quality=90),
        "JPEG in several scans": encode(picture, "JPEG", quality=90, progressive=True, subsampling=0),
        "PNG": encode(seen_through, "PNG", compress_level=1),
        "WebP": encode(picture, "WEBP", quality=80, method=0),
        "transparent WebP": encode(seen_through, "WEBP", quality=80, method=0),
        "WebP without loss": encode(picture, "WEBP", lossless=True, quality=0, method=0),
    }


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def flat_png(width: int, height: int, *, grey_bits: int = 8, before_data: bytes = b"") -> bytes:
    """A one-colour grey PNG of any size in very few bytes, packed line by line so that making it is cheap."""
    header = struct.pack(">IIBBBBB", width, height, grey_bits, 0, 0, 0, 0)
    line = bytes(1 + (width * grey_bits + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    parts = (chunk(b"IHDR", header), before_data, chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def claim_jpeg_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG with other sides in its frame header."""
    at = next(found for marker in (b"\xff\xc0", b"\xff\xc2") if (found := jpeg.find(marker)) > 0)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def claim_webp_size(webp: bytes, width: int, height: int) -> bytes:
    """The same extended WebP with another canvas."""
    assert webp[12:16] == b"VP8X"
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp[:24] + sides + webp[30:]


def segment(code: int, payload: bytes) -> bytes:
    return b"\xff" + bytes([code]) + struct.pack(">H", len(payload) + 2) + payload


def with_segments(jpeg: bytes, segments: bytes) -> bytes:
    return jpeg[:2] + segments + jpeg[2:]


def with_chunks(png: bytes, chunks: bytes) -> bytes:
    """Behind the header."""
    return png[:33] + chunks + png[33:]


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def with_extra_scans(progressive_jpeg: bytes, count: int) -> bytes:
    """The last scan repeated: every copy is one more pass over the picture for whoever decodes it."""
    last = progressive_jpeg.rfind(b"\xff\xda")
    return progressive_jpeg[:-2] + progressive_jpeg[last:-2] * count + b"\xff\xd9"
