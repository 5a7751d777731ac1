"""What a walk over a picture's parts finds: the pixels alone, and what stands beside them. No decoding."""

import mmap
import zlib
from dataclasses import dataclass, field
from typing import Final

Content = bytes | mmap.mmap

MAX_PARTS: Final = 1000
"""Segments, chunks or boxes of one file. Pillow keeps each in an object of its own, and photos have below a hundred."""
MAX_PROFILE_BYTES: Final = 4_000_000
"""The largest profiles of printers and scanners have about 3 MB."""


class StructureError(ValueError):
    """There is no picture in these parts, or there are too many of them."""


class TooLargeToDecode(StructureError):
    """Decoding it would take more memory than a photo may cost."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What a file says of its colours.

    `profile` is an ICC profile, `cicp` the primaries and the transfer as ITU-T H.273 numbers them, `gamma` the
    exponent from values to light, `chromaticities` x and y of white, red, green and blue; `is_unreadable` when it says
    something that cannot be made out. Nothing at all means sRGB.
    """

    profile: bytes = b""
    cicp: tuple[int, int] | None = None
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """`content` is the file anew: the pixels and what decoding them takes, nothing else.

    `is_ended` is False when the file stops without saying that the picture is over. `exif` and `xmp` may be anything.
    """

    content: bytes
    sides: tuple[int, int]
    colours: Colours = field(default_factory=Colours)
    exif: bytes = b""
    xmp: bytes = b""
    is_animated: bool = False
    is_ended: bool = True


def unpack(packed: bytes, limit: int) -> bytes | None:
    """What zlib data unpacks to; None when it is broken or more than `limit` bytes."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, limit)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail or not unpacker.eof else plain
