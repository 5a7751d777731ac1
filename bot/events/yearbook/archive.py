"""ZIP files of a yearbook: which file goes into which of them, and writing them without holding them. Blocking."""

import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

ENTRY_BYTES: Final = 200
"""More than the headers that a ZIP keeps for a file besides its name twice (PKWARE APPNOTE 4.3.7, 4.3.12: 76)."""
END_BYTES: Final = 1000
SPARE_BYTES: Final = 50
"""What naming its ZIP may add to one entry of the page."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies on disk, byte for byte. `size` in bytes."""

    name: str
    path: Path
    size: int

    @property
    def room(self) -> int:
        return room_for(self.name, self.size)


@dataclass(frozen=True, slots=True)
class Written:
    """A text that is compressed while it is written, piece by piece."""

    name: str
    pieces: Callable[[], Iterable[str]]


Content = Stored | Written


def room_for(name: str, size: int) -> int:
    """Bytes that a file takes in a ZIP, at most."""
    return size + 2 * len(name.encode()) + ENTRY_BYTES


def fits_alone(name: str, size: int, limit: int) -> bool:
    return room_for(name, size) + END_BYTES <= limit


def written_room(text: Written) -> int:
    """As `room_for`, found by compressing it once."""
    press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = sum(len(press.compress(piece.encode())) for piece in text.pieces())
    return room_for(text.name, size + len(press.flush()))


def share_out(files: Sequence[Stored], limit: int, taken: int) -> list[list[Stored]]:
    """The files by ZIP, in order, so that none exceeds `limit` bytes; `taken` bytes of the first are spoken for.

    Every file has to fit a ZIP of its own.
    """
    parts: list[list[Stored]] = [[]]
    used = END_BYTES + taken
    for file in files:
        if used + file.room > limit:
            parts.append([])
            used = END_BYTES
        parts[-1].append(file)
        used += file.room
    return parts


def write_zip(target: Path, contents: Iterable[Content], made_at: datetime) -> None:
    """Raises FileNotFoundError when a file has gone in the meantime."""
    with zipfile.ZipFile(target, "w") as archive:
        for content in contents:
            info = zipfile.ZipInfo(content.name, made_at.timetuple()[:6])
            info.external_attr = 0o644 << 16
            if isinstance(content, Stored):
                info.file_size = content.size
                with content.path.open("rb") as source, archive.open(info, "w") as entry:
                    shutil.copyfileobj(source, entry)
            else:
                info.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info, "w") as entry:
                    for piece in content.pieces():
                        entry.write(piece.encode())


def zip_names(name: str, count: int) -> list[str]:
    """One plain name, or numbered ones that say how many there are."""
    if count == 1:
        return [f"{name}.zip"]
    return [f"{name}-part-{number}-of-{count}.zip" for number in range(1, count + 1)]
