"""Hostile photos, made by code: samples of every type times everything that is done to them, and random mutations."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.photos.leaving import XMP, personal_exif
from tests.photos.sample_photos import chunk, claim_jpeg_size, encode, noise, riff_chunk, segment

SIDES = (288, 264)
TINY = (72, 66)
"""A sixteenth of the pixels, written in the same parts."""
PAGE = b"<!doctype html><script>alert('secret remark')</script>"
PAYLOAD = b"<?php system($_GET['c']); ?>"
MAGICS = (
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x20\x00\x00\x01\x20\x08\x02\x00\x00\x00",
    b"RIFF\x00\x01\x00\x00WEBP",
    b"RIFF\x00\x01\x00\x00WEBPVP8 ",
    b"\x00\x00\x00\x18ftypheic",
    b"\x00\x00\x00\x18ftypavif",
)
NAMES = (
    "../../etc/passwd",
    "..\\..\\windows\\system32\\config.sys",
    "/data/master.key",
    "C:\\Users\\me\\cat.jpg",
    "cat\u202egpj.exe",
    "\u2067cat\u2069.jpg",
    "cat.jpg\x00.php",
    "a" * 500 + ".jpg",
    "@everyone `<@1>`.png",
    "<script>alert(1)</script>.webp",
    "'; DROP TABLE photos; --.jpg",
    "con.jpg",
    ".htaccess",
    "\u0335" * 60,
    "$(reboot).jpg",
    "{0}{finding}%s%n.jpg",
    "",
)

Mangling = Callable[[bytes, random.Random], bytes]


@cache
def samples(sides: tuple[int, int] = SIDES) -> dict[str, bytes]:
    """A good photo in every way of writing one, with a camera, a serial number and a place in it.

    The HEIC is a file, whatever the sides.
    """
    picture, exif = noise(*sides), personal_exif()
    seen_through = picture.convert("RGBA")
    seen_through.putalpha(picture.convert("L"))
    deep = picture.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    return {
        "JPEG": encode(picture, "JPEG", exif=exif, xmp=XMP, comment=b"secret remark"),
        "progressive JPEG": encode(picture, "JPEG", exif=exif, progressive=True),
        "grey JPEG": encode(picture.convert("L"), "JPEG", exif=exif),
        "CMYK JPEG": encode(picture.convert("CMYK"), "JPEG", exif=exif),
        "PNG": encode(picture, "PNG", exif=exif),
        "palette PNG": encode(picture.convert("P"), "PNG", exif=exif),
        "16-bit PNG": encode(deep, "PNG", exif=exif),
        "transparent PNG": encode(seen_through, "PNG", exif=exif),
        "WebP": encode(picture, "WEBP", exif=exif, xmp=XMP),
        "WebP without loss": encode(picture, "WEBP", lossless=True, method=0),
        "transparent WebP": encode(seen_through, "WEBP", exif=exif, method=0),
        "AVIF": encode(picture, "AVIF", exif=exif, speed=10),
        "HEIC": (Path(__file__).parents[1] / "samples/photo.heic").read_bytes(),
    }


DECODED_ELSEWHERE = ("AVIF", "HEIC")


def block(content: bytes, body: bytes) -> bytes:
    """A part beside the pixels that holds `body`."""
    if content.startswith(b"\xff\xd8"):
        return segment(0xFE, body[:65_000])
    if content.startswith(b"\x89PNG"):
        return chunk(b"tEXt", b"Comment\x00" + body)
    return riff_chunk(b"note", body) if content.startswith(b"RIFF") else box(b"free", body)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def beside(content: bytes, parts: bytes) -> bytes:
    """Where a reader meets them before or after the pixels, as the type allows without moving those."""
    if content.startswith(b"\xff\xd8"):
        return content[:2] + parts + content[2:]
    if content.startswith(b"\x89PNG"):
        return content[:33] + parts + content[33:]
    if content.startswith(b"RIFF"):
        longer = content + parts
        return longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]
    return content + parts


def with_exif(content: bytes, exif: bytes) -> bytes:
    if content.startswith(b"\xff\xd8"):
        return beside(content, segment(0xE1, b"Exif\x00\x00" + exif))
    if content.startswith(b"\x89PNG"):
        return beside(content, chunk(b"eXIf", exif))
    return beside(content, riff_chunk(b"EXIF", exif) if content.startswith(b"RIFF") else box(b"Exif", exif))


def with_profile(content: bytes, profile: bytes) -> bytes:
    if content.startswith(b"\xff\xd8"):
        return beside(content, segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + profile[:60_000]))
    if content.startswith(b"\x89PNG"):
        return beside(content, chunk(b"iCCP", b"p\x00\x00" + zlib.compress(profile)))
    return beside(content, riff_chunk(b"ICCP", profile) if content.startswith(b"RIFF") else box(b"colr", profile))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("../../evil.sh", "echo secret remark")
    return buffer.getvalue()


def with_sides(content: bytes, width: int, height: int) -> bytes:
    """The same file, which says that it has other sides."""
    if content.startswith(b"\xff\xd8"):
        return claim_jpeg_size(content, width, height)
    if content.startswith(b"\x89PNG"):
        header = content[12:16] + struct.pack(">II", width, height) + content[24:29]
        return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    if content[12:16] == b"VP8X":
        claimed = ((side - 1) % 2**24 for side in (width, height))
        return content[:24] + b"".join(side.to_bytes(3, "little") for side in claimed) + content[30:]
    if content.startswith(b"RIFF"):
        return content[:26] + struct.pack("<HH", width & 0x3FFF, height & 0x3FFF) + content[30:]
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


def _overwritten(content: bytes, start: float, share: float, filler: bytes) -> bytes:
    at, count = int(len(content) * start), max(1, int(len(content) * share))
    made = bytearray(content)
    made[at : at + count] = (filler * count)[: len(made[at : at + count])]
    return bytes(made)


HARMLESS: dict[str, Mangling] = {
    "a page in the EXIF": lambda content, _: with_exif(content, PAGE * 50),
    "EXIF that leads in circles": lambda content, _: with_exif(content, b"MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(99)),
    "random EXIF": lambda content, dice: with_exif(content, b"II*\x00\x08\x00\x00\x00" + dice.randbytes(4000)),
    "a page in a comment": lambda content, _: beside(content, block(content, PAGE)),
    "a payload in a comment": lambda content, _: beside(content, block(content, PAYLOAD)),
    "much text": lambda content, _: beside(content, block(content, b"secret remark" * 5000) * 4),
    "a few hundred parts": lambda content, _: beside(content, block(content, b"") * 300),
    "an archive behind": lambda content, _: content + archive(),
    "a page behind": lambda content, _: content + PAGE,
    "a program behind": lambda content, dice: content + b"MZ" + dice.randbytes(50_000),
    "zeros behind": lambda content, _: content + bytes(1_000_000),
    "a nonsense profile": lambda content, dice: with_profile(content, dice.randbytes(3000)),
    "a profile of zeros": lambda content, _: with_profile(content, bytes(3_000_000)),
    "a script's first line in a comment": lambda content, _: beside(content, block(content, b"#!/bin/sh\nreboot\n")),
    "nothing": lambda content, _: content,
}
"""A photo stays one, whatever stands beside its pixels."""

HARMFUL: dict[str, Mangling] = {
    "another photo behind": lambda content, dice: content + dice.choice(list(samples().values())),
    "a flood of parts": lambda content, _: beside(content, block(content, b"") * 20_000),
    "an archive in front": lambda content, _: archive() + content,
    "a page in front": lambda content, _: PAGE + content,
    "a document in front": lambda content, _: b"%PDF-1.7\n" + content,
    "a byte order mark in front": lambda content, _: b"\xef\xbb\xbf" + content,
    "a GIF's head": lambda content, _: b"GIF89a" + content[6:],
    "another type's head": lambda content, dice: dice.choice(list(samples().values()))[:40] + content[40:],
    "no sides": lambda content, _: with_sides(content, 0, 0),
    "one pixel wide": lambda content, _: with_sides(content, 1, SIDES[1]),
    "65,535 wide": lambda content, _: with_sides(content, 65_535, 65_535),
    "a little wider": lambda content, _: with_sides(content, SIDES[0] + 17, SIDES[1] + 9),
    "cut after 12 bytes": lambda content, _: content[:12],
    "cut after a hundredth": lambda content, _: content[: len(content) // 100],
    "cut after a tenth": lambda content, _: content[: len(content) // 10],
    "cut in the middle": lambda content, _: content[: len(content) // 2],
    "cut near the end": lambda content, _: content[: len(content) * 99 // 100],
    "without its last byte": lambda content, _: content[:-1],
    "a hole of zeros": lambda content, _: _overwritten(content, 0.4, 0.1, b"\x00"),
    "a hole of ones": lambda content, _: _overwritten(content, 0.4, 0.1, b"\xff"),
    "its second half empty": lambda content, _: _overwritten(content, 0.5, 0.5, b"\x00"),
    "noise in the middle": lambda content, dice: _overwritten(content, 0.5, 0.05, dice.randbytes(997)),
    "a head of ones": lambda content, _: content[:12] + b"\xff" * 60 + content[72:],
    "its middle twice": lambda content, _: content[: len(content) * 2 // 3] + content[len(content) // 3 :],
    "backwards": lambda content, _: content[:40] + content[:39:-1],
    "line ends changed": lambda content, _: content.replace(b"\n", b"\r\n"),
    "taken for text": lambda content, _: content.decode("latin-1").encode(),
}
MANGLINGS = HARMLESS | HARMFUL


def mutate(content: bytes, dice: random.Random) -> bytes:
    """One to four accidents: bits, bytes, lengths, slices."""
    made = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(min(len(made), dice.choice((64, 800, len(made)))) or 1)
        count = dice.choice((1, 2, 4, 32, 500))
        accident = dice.randrange(8)
        if accident == 0 and made:
            made[at] ^= 1 << dice.randrange(8)
        elif accident == 1:
            made[at : at + count] = dice.randbytes(count)
        elif accident == 2:
            made[at : at + 4] = dice.choice((bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01"))
        elif accident == 3:
            made[at:at] = dice.randbytes(count)
        elif accident == 4:
            del made[at : at + count]
        elif accident == 5:
            made[at:at] = made[at : at + count] * dice.choice((1, 3, 200))
        elif accident == 6:
            other = dice.choice(list(samples().values()))
            made[at : at + count] = other[at : at + count]
        elif dice.random() < 0.2:
            del made[at:]
    return bytes(made)


def headed(dice: random.Random) -> bytes:
    """Random bytes behind the beginning of a photo."""
    return dice.choice(MAGICS) + dice.randbytes(dice.randrange(400))
