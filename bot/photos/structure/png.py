"""A PNG chunk by chunk (W3C Portable Network Graphics, third edition)."""

import zlib
from collections.abc import Iterator
from typing import Final

from bot.photos.structure.outline import (
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    Colours,
    Content,
    Outline,
    StructureError,
    unpack,
)

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MIN_DATA_BYTES: Final = 512
"""Encoders cut the data of a picture into chunks of 4 kB or more; so many may have less."""
MAX_SIDE_BYTES: Final = 1_000_000
"""Of EXIF and of the texts in which it may be hidden."""

_COLOUR_KINDS: Final = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_WANTED: Final = _COLOUR_KINDS | {b"PLTE", b"tRNS", b"acTL", b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
_XMP: Final = b"XML:com.adobe.xmp\x00"
_RAW_EXIF: Final = (b"Raw profile type exif\x00", b"Raw profile type APP1\x00")


def outline_png(content: Content) -> Outline:
    """Raises StructureError for what is no picture or has more parts than any photo."""
    header = content[8:33]
    if len(header) < 25 or header[:8] != b"\x00\x00\x00\rIHDR":
        raise StructureError("no header")
    found: dict[bytes, bytes] = {}
    texts: list[tuple[bytes, bytes]] = []
    pixels: list[tuple[int, int]] = []
    for kind, start, end in _walk(content):
        if kind == b"IDAT":
            pixels.append((start, end))
        elif kind in _WANTED and kind not in found and (body := _checked(content, kind, start, end)) is not None:
            if kind in {b"tEXt", b"zTXt", b"iTXt"}:
                texts.append((kind, body))
            elif not pixels or kind == b"eXIf":
                found[kind] = body
    if not pixels:
        raise StructureError("no pixels")
    needed = b"".join(_chunk(kind, found[kind]) for kind in (b"PLTE", b"tRNS") if kind in found)
    sides = int.from_bytes(header[8:12]), int.from_bytes(header[12:16])
    return Outline(
        _with_pixels(content, SIGNATURE + header + needed, pixels),
        sides,
        _colours(found),
        found.get(b"eXIf") or next((exif for text in texts if (exif := _hidden_exif(*text))), b""),
        next((body for kind, body in texts if kind == b"iTXt" and body.startswith(_XMP)), b""),
        is_animated=int.from_bytes(found.get(b"acTL", b"")[:4]) > 1,
    )


def _walk(content: Content) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk's body behind the header, until the end of the picture or of the file."""
    at, others, most_data = 33, 0, MAX_PARTS + len(content) // MIN_DATA_BYTES
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        if kind == b"IEND" or not kind.isalpha():
            return
        most_data, others = most_data - (kind == b"IDAT"), others + (kind != b"IDAT")
        if others > MAX_PARTS or most_data < 0:
            raise StructureError("too many chunks")
        yield kind, at + 8, min(at + 8 + length, len(content))
        at += 12 + length


def _checked(content: Content, kind: bytes, start: int, end: int) -> bytes | None:
    """None when it is too large to matter or its checksum is not right."""
    if end - start > (MAX_PROFILE_BYTES if kind == b"iCCP" else MAX_SIDE_BYTES):
        return b"" if kind == b"iCCP" else None
    body = content[start:end]
    return body if zlib.crc32(kind + body) == int.from_bytes(content[end : end + 4]) else None


def _with_pixels(content: Content, before: bytes, pixels: list[tuple[int, int]]) -> bytes:
    """All data in one chunk, copied once."""
    with memoryview(content) as view:
        data = [view[start:end] for start, end in pixels]
        checksum = zlib.crc32(b"IDAT")
        for piece in data:
            checksum = zlib.crc32(piece, checksum)
        length = sum(map(len, data))
        made = b"".join((before, length.to_bytes(4), b"IDAT", *data, checksum.to_bytes(4), _chunk(b"IEND", b"")))
        for piece in data:
            piece.release()
    return made


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((len(body).to_bytes(4), kind, body, zlib.crc32(body, zlib.crc32(kind)).to_bytes(4)))


def _colours(found: dict[bytes, bytes]) -> Colours:
    """The first that is there counts, in the order of the standard: cICP, iCCP, sRGB, then gAMA and cHRM."""
    if (cicp := found.get(b"cICP")) is not None:
        is_rgb = len(cicp) == 4 and cicp[2:] == b"\x00\x01"
        return Colours(cicp=(cicp[0], cicp[1])) if is_rgb else Colours(is_unreadable=True)
    if (packed := found.get(b"iCCP")) is not None:
        profile = unpack(packed.partition(b"\x00")[2][1:], MAX_PROFILE_BYTES)
        return Colours(profile) if profile else Colours(is_unreadable=True)
    if b"sRGB" in found:
        return Colours()
    gamma, chromaticities = int.from_bytes(found.get(b"gAMA", b"")), found.get(b"cHRM", b"")
    return Colours(
        gamma=100_000 / gamma if gamma else None,
        chromaticities=tuple(int.from_bytes(chromaticities[at : at + 4]) / 100_000 for at in range(0, 32, 4))
        if len(chromaticities) == 32
        else None,
    )


def _hidden_exif(kind: bytes, body: bytes) -> bytes:
    """EXIF as ImageMagick writes it: a text of hexadecimal digits behind three lines."""
    if kind == b"iTXt" or not body.startswith(_RAW_EXIF):
        return b""
    text = body.partition(b"\x00")[2]
    plain = unpack(text[1:], MAX_SIDE_BYTES) if kind == b"zTXt" else text
    try:
        return bytes.fromhex("".join((plain or b"").decode("ascii").split("\n")[3:]))
    except ValueError:
        return b""
