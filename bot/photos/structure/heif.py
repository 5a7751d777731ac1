"""A HEIC or AVIF box by box: what it declares of its pictures (ISO/IEC 14496-12 and 23008-12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.photos.structure.outline import MAX_PARTS, Content, StructureError

MAX_META_BYTES: Final = 4_000_000
"""What describes the pictures; phones write below 100 kB."""


@dataclass(frozen=True, slots=True)
class Declared:
    """`sides` of the largest picture, None when none is declared; `cicp` of the one that is shown: its primaries and
    its transfer as ITU-T H.273 numbers them, None when the file does not say.
    """

    sides: tuple[int, int] | None
    cicp: tuple[int, int] | None


def read_declared(content: Content) -> Declared:
    """Raises StructureError when there are more boxes than any photo has."""
    meta = next((content[at:end] for kind, at, end in _boxes(content, 0, len(content)) if kind == b"meta"), b"")
    if len(meta) > MAX_META_BYTES:
        raise StructureError("too much before the pixels")
    parts = {kind: meta[at:end] for kind, at, end in _boxes(meta, 4, len(meta)) if kind in {b"pitm", b"iprp"}}
    properties, links = list[tuple[bytes, bytes]](), b""
    holder = parts.get(b"iprp", b"")
    for kind, at, end in _boxes(holder, 0, len(holder)):
        if kind == b"ipco":
            properties = [(name, holder[start:stop]) for name, start, stop in _boxes(holder, at, end)]
        elif kind == b"ipma":
            links = links or holder[at:end]
    sides = [
        (int.from_bytes(body[4:8]), int.from_bytes(body[8:12]))
        for name, body in properties
        if name == b"ispe" and len(body) >= 12
    ]
    shown = _linked(links, _item_id(parts.get(b"pitm", b"")))
    colours = [
        (int.from_bytes(body[4:6]), int.from_bytes(body[6:8]))
        for number, (name, body) in enumerate(properties, start=1)
        if number in shown and name == b"colr" and body[:4] == b"nclx" and len(body) >= 10
    ]
    return Declared(max(sides, key=lambda each: each[0] * each[1], default=None), colours[0] if colours else None)


def _boxes(content: Content, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the body of each box, those that are cut off included."""
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            return
        length, kind, body = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8], at + 8
        if length == 1:
            length, body = int.from_bytes(content[at + 8 : at + 16]), at + 16
        stop = min(at + length, end) if length else end
        if stop < body:
            return
        yield kind, body, stop
        at = stop
    raise StructureError("too many boxes")


def _item_id(pitm: bytes) -> int:
    return int.from_bytes(pitm[4:6] if pitm[:1] == b"\x00" else pitm[4:8])


def _linked(ipma: bytes, item: int) -> set[int]:
    """The numbers of the properties that belong to an item, counted from 1."""
    id_bytes, is_wide, at = (2 if ipma[:1] == b"\x00" else 4), bool(ipma[3:4] and ipma[3] & 1), 8
    step, mask = (2, 0x7FFF) if is_wide else (1, 0x7F)
    for _ in range(min(int.from_bytes(ipma[4:8]), len(ipma))):
        found, count = int.from_bytes(ipma[at : at + id_bytes]), int.from_bytes(ipma[at + id_bytes : at + id_bytes + 1])
        at += id_bytes + 1
        if found == item:
            return {int.from_bytes(ipma[spot : spot + step]) & mask for spot in range(at, at + count * step, step)}
        at += count * step
    return set()
