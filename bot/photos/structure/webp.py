"""A WebP chunk by chunk (Google /speed/webp/docs/riff_container)."""

from collections.abc import Iterator
from typing import Final

from bot.photos.filetypes import read_dimensions
from bot.photos.structure.outline import MAX_PARTS, MAX_PROFILE_BYTES, Colours, Content, Outline, StructureError

MAX_SIDE_BYTES: Final = 1_000_000
"""Of EXIF and XMP."""
MIN_FILE_BYTES: Final = 12
"""A file that says less of itself has no chunk; some writers leave the size out."""

_ALPHA_AND_ANIMATION: Final = 0x12
"""The flags of an extended header that speak of the pixels; the others of what is left out here."""
_IMAGES: Final = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_BEFORE_IMAGES: Final = frozenset({b"ALPH", b"ANIM"})
_BESIDE: Final = {b"ICCP": MAX_PROFILE_BYTES, b"EXIF": MAX_SIDE_BYTES, b"XMP ": MAX_SIDE_BYTES}


def outline_webp(content: Content) -> Outline:
    """Raises StructureError for what is no picture or has more parts than any photo."""
    needed, image, beside, is_animated = list[bytes](), b"", dict[bytes, bytes](), False
    for kind, body in _walk(content):
        if kind == b"VP8X" and not needed and len(body) == 10:
            needed.append(_chunk(kind, bytes([body[0] & _ALPHA_AND_ANIMATION]) + body[1:]))
        elif kind in _BEFORE_IMAGES and not image:
            needed.append(_chunk(kind, body))
        elif kind in _IMAGES:
            if is_animated := kind == b"ANMF" and bool(image):
                break
            image = image or _chunk(kind, body)
        elif kind in _BESIDE:
            beside.setdefault(kind, body if len(body) <= _BESIDE[kind] else b"")
    parts = b"WEBP" + b"".join(needed) + image
    made = b"RIFF" + len(parts).to_bytes(4, "little") + parts
    sides = read_dimensions(made[:30])
    if not image or sides is None:
        raise StructureError("no pixels")
    profile = beside.get(b"ICCP", b"")
    colours = Colours(profile, is_unreadable=b"ICCP" in beside and not profile)
    return Outline(made, sides, colours, beside.get(b"EXIF", b""), beside.get(b"XMP ", b""), is_animated=is_animated)


def _walk(content: Content) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk that the file holds whole, up to where it says that it ends."""
    at, says = 12, int.from_bytes(content[4:8], "little")
    last = 8 + says if says >= MIN_FILE_BYTES else len(content)
    for _ in range(MAX_PARTS):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        end = at + 8 + length
        if at >= last or at + 8 > len(content) or end > len(content):
            return
        yield content[at : at + 4], content[at + 8 : end]
        at = end + length % 2
    raise StructureError("too many chunks")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)
