"""A JPEG segment by segment, from start of image to end of image (ITU-T T.81, annex B).

What lies behind the end (the video of a motion photo, further pictures) is never looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.photos.structure.outline import (
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    Colours,
    Content,
    Outline,
    StructureError,
    TooLargeToDecode,
)

MAX_SCANS: Final = 100
"""Cameras write up to about 15 scans; every further one costs a pass over the whole picture."""
MAX_SCANNED_PIXELS: Final = 900_000_000
"""Pixels times scans: 15 scans at 60 megapixels."""
MAX_COEFFICIENT_BYTES: Final = 150_000_000
"""libjpeg holds all coefficients of a picture that comes in several scans, two bytes each."""
MAX_TABLE_BYTES: Final = 65_536
"""What the decoder is given before the first scan. All tables that a JPEG can use at once take 3 kB."""

_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Neither a stuffed or a fill byte nor a restart inside a scan."""
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD})


@dataclass(frozen=True, slots=True)
class _Segment:
    """`start` is where its marker stands, `end` where its payload ends."""

    code: int
    start: int
    payload: bytes
    end: int


def outline_jpeg(content: Content) -> Outline:
    """Raises StructureError for what is no picture or has more parts than any photo."""
    head, tables, room = _Head(), [b"\xff\xd8"], MAX_TABLE_BYTES
    segments = _walk(content)
    for segment in segments:
        if segment.code == _SOS:
            break
        tables.append(head.take(segment))
        room -= len(tables[-1])
        if room < 0:
            raise StructureError("too much before the first scan")
    else:
        raise StructureError("no scan")
    sides, end, scans, is_ended = head.sides(segment), len(content), 1, False
    for later in segments:
        scans += later.code == _SOS
        if later.code == _EOI:
            end, is_ended = later.end, True
    if scans > min(MAX_SCANS, MAX_SCANNED_PIXELS // (sides[0] * sides[1])):
        raise StructureError("too many scans")
    if not is_ended:
        end = segment.start + len(content[segment.start : end].rstrip(b"\xff"))
    with memoryview(content) as view, view[segment.start : end] as pixels:
        made = b"".join((*tables, pixels))
    return Outline(made, sides, head.colours(), head.exif, head.xmp, is_ended=is_ended)


def _walk(content: Content) -> Iterator[_Segment]:
    """The segments up to and with the end of the image; a segment that the file cuts off is not given."""
    at = 2
    for _ in range(MAX_PARTS):
        marker = _MARKER.search(content, at)
        if marker is None:
            return
        code, at = content[marker.end() - 1], marker.end()
        if code in {_SOI, _EOI, _TEM}:
            yield _Segment(code, marker.start(), b"", at)
            if code == _EOI:
                return
            continue
        length = int.from_bytes(content[at : at + 2])
        if length < 2 or at + length > len(content):
            return
        yield _Segment(code, marker.start(), content[at + 2 : at + length], at + length)
        at += length
    raise StructureError("too many segments")


class _Head:
    """What stands before the first scan."""

    def __init__(self) -> None:
        self.exif = self.xmp = b""
        self._frame: _Segment | None = None
        self._profile: dict[int, bytes] = {}
        self._profile_parts = 0

    def take(self, segment: _Segment) -> bytes:
        """The segment as the decoder needs it, empty when it does not."""
        code, payload = segment.code, segment.payload
        if code in _FRAMES:
            self._frame = segment
        elif code == 0xE1 and payload.startswith(b"Exif\x00\x00"):
            self.exif = self.exif or payload
        elif code == 0xE1 and payload.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
            self.xmp = self.xmp or payload[29:]
        elif code == 0xE2 and payload.startswith(b"ICC_PROFILE\x00"):
            self._profile_parts += 1
            self._profile[int.from_bytes(payload[12:13])] = payload[14:]
            self._declared = int.from_bytes(payload[13:14])
        needed = code in _FRAMES or code in _TABLES or _is_colour_transform(code, payload)
        return b"\xff" + bytes([code]) + (len(payload) + 2).to_bytes(2) + payload if needed else b""

    def sides(self, scan: _Segment) -> tuple[int, int]:
        """Width and height; raises StructureError without a frame or when the decoder would need too much memory."""
        frame = b"" if self._frame is None else self._frame.payload
        if self._frame is None or len(frame) < 6 or len(frame) < 6 + 3 * frame[5] or not scan.payload:
            raise StructureError("no frame")
        height, width, components = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]), frame[5]
        if not width or not height or not components:
            raise StructureError("an empty frame")
        factors = [(frame[at] >> 4, frame[at] & 15) for at in range(7, 6 + 3 * components, 3)]
        most = max(across for across, _ in factors) * max(down for _, down in factors)
        if not most:
            raise StructureError("an empty component")
        is_buffered = self._frame.code in _PROGRESSIVE or scan.payload[0] < components
        if is_buffered and 2 * width * height * sum(x * y for x, y in factors) > MAX_COEFFICIENT_BYTES * most:
            raise TooLargeToDecode("too many pixels for several scans")
        return width, height

    def colours(self) -> Colours:
        parts = range(1, self._profile_parts + 1)
        if not parts:
            return Colours()
        if self._declared != len(parts) or set(self._profile) != set(parts):
            return Colours(is_unreadable=True)
        profile = b"".join(self._profile[part] for part in parts)
        return Colours(profile) if len(profile) <= MAX_PROFILE_BYTES else Colours(is_unreadable=True)


def _is_colour_transform(code: int, payload: bytes) -> bool:
    """libjpeg tells YCbCr from RGB and CMYK from YCCK by these two."""
    return (code == 0xE0 and payload.startswith(b"JFIF\x00") and len(payload) >= 14) or (
        code == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12
    )
