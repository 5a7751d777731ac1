"""ZIP files below a limit of size: which file goes into which, and writing them. Blocking."""

import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

ENTRY_BYTES: Final = 200
"""More than a ZIP's headers for a file, besides its name twice (PKWARE APPNOTE 4.3.7, 4.3.12: 76 bytes)."""
END_BYTES: Final = 1000
SPARE_BYTES: Final = 50
"""Bytes that the number of its ZIP may add to one entry of a page that links to it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is stored as it lies on disk. `size` in bytes."""

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
    """Most bytes that a file takes in a ZIP."""
    return size + 2 * len(name.encode()) + ENTRY_BYTES


def fits_alone(name: str, size: int, limit: int) -> bool:
    return room_for(name, size) + END_BYTES <= limit


def written_room(text: Written) -> int:
    """Like `room_for`; the text is compressed once to find out."""
    press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = sum(len(press.compress(piece.encode())) for piece in text.pieces())
    return room_for(text.name, size + len(press.flush()))


def share_out(files: Sequence[Stored], limit: int, taken: int) -> list[list[Stored]]:
    """The files of each ZIP, in order, so that none exceeds `limit` bytes.

    `taken` bytes of the first ZIP are used already. Every file must fit a ZIP of its own.
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
    """Write the ZIP; FileNotFoundError when a file was deleted meanwhile."""
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
    """One plain name, or numbered names with the number of all."""
    if count == 1:
        return [f"{name}.zip"]
    return [f"{name}-part-{number}-of-{count}.zip" for number in range(1, count + 1)]
