"""What matters of what a camera notes: which way up a photo is, and which colours it has.

Read by hand, few entries and no values: Pillow's reader keeps a copy of the value of each entry, and four thousand
entries of one small block may all name the same 60 kB.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

# TIFF 6.0 and Exif 2.3, 4.6.
_ORIENTATION: Final = 0x0112
_EXIF_IFD: Final = 0x8769
_COLOUR_SPACE: Final = 0xA001
_INTEROP_IFD: Final = 0xA005
_INTEROP_RULE: Final = 0x0001
_WIDTHS: Final = {1: 1, 3: 2, 4: 4, 13: 4}
"""Bytes of a value by its type, of those that may hold a small number or a place."""
_ADOBE_RGB: Final = 2
"""Not in the standard, but several makers write it; the others name the rule "R03" of DCF 2.0."""
MAX_ENTRIES: Final = 1000

_IN_XMP: Final = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Exif:
    """`orientation` is None when the block does not say."""

    orientation: int | None
    is_adobe_rgb: bool


def turn_upright(picture: Image.Image, exif: Exif, xmp: bytes) -> Image.Image:
    """As the EXIF says, or else the XMP."""
    orientation = exif.orientation
    if orientation is None and (found := _IN_XMP.search(xmp)):
        orientation = int(found[1])
    turn = _UPRIGHT.get(orientation or 1)
    return picture if turn is None else picture.transpose(turn)


def read_exif(block: bytes) -> Exif:
    """A block that is unreadable says nothing: that is no reason to refuse a photo."""
    while block.startswith(b"Exif\x00\x00"):
        block = block[6:]
    order: Literal["little", "big"] = "little" if block[:2] == b"II" else "big"
    if block[:4] not in {b"II*\x00", b"MM\x00*"}:
        return Exif(None, is_adobe_rgb=False)
    first = dict(_entries(block, int.from_bytes(block[4:8], order), order))
    camera = dict(_entries(block, _number(first.get(_EXIF_IFD), order), order))
    interop = dict(_entries(block, _number(camera.get(_INTEROP_IFD), order), order))
    names_adobe = interop.get(_INTEROP_RULE, b"")[4:7] == b"R03"
    return Exif(
        _number(first.get(_ORIENTATION), order), names_adobe or _number(camera.get(_COLOUR_SPACE), order) == _ADOBE_RGB
    )


def _entries(block: bytes, at: int | None, order: Literal["little", "big"]) -> Iterator[tuple[int, bytes]]:
    """Tag of each entry of a directory, and its type and its value or the place of that in four bytes each."""
    if not at:
        return
    count = min(int.from_bytes(block[at : at + 2], order), MAX_ENTRIES)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(block) - 11), 12):
        kind, value = block[entry + 2 : entry + 4], block[entry + 8 : entry + 12]
        yield int.from_bytes(block[entry : entry + 2], order), kind + bytes(2) + value


def _number(entry: bytes | None, order: Literal["little", "big"]) -> int | None:
    width = 0 if entry is None else _WIDTHS.get(int.from_bytes(entry[:2], order), 0)
    return int.from_bytes(entry[4 : 4 + width], order) if entry and width else None
