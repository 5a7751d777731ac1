"""Photos that come in a ZIP: what is in it, and each file by itself, bounded like a photo that comes alone.

Nothing is unpacked under a name from the ZIP. Blocking; `PhotoPool` runs it in threads.
"""

import hashlib
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from bot.photos.checks import MAX_INTAKE_BYTES, Code
from bot.photos.filetypes import identify
from bot.records.dataset import Finding

ENTRIES_MAX: Final = 1000
DIRECTORY_BYTES: Final = 1_000_000
"""The list of files in a ZIP is read as a whole; one of ENTRIES_MAX ordinary names takes a tenth of this."""
PIECE_BYTES: Final = 256 * 1024
_LOCKED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What ZIP tools write by default. Others may take any amount of memory to unpack."""
_UTF8: Final = 0x800
"""PKWARE APPNOTE 4.4.4: the name is UTF-8; without it, it should be in code page 437."""
_SYSTEM_FILES: Final = frozenset({"thumbs.db", "desktop.ini"})
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OverflowError,
    struct.error,
)
"""What `zipfile` raises for bytes that it does not like."""


class ArchiveRefused(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class _Bounded(io.FileIO):
    """`zipfile` reads the list of files in one piece, of the size that the ZIP claims."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset < 0:
            raise ValueError("before the beginning")
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(DIRECTORY_BYTES + 1 if size is None or size < 0 else min(size, DIRECTORY_BYTES + 1))
        if len(content) > DIRECTORY_BYTES:
            raise ArchiveRefused(Finding(Code.ZIP_FULL, str(ENTRIES_MAX)))
        return content


class Archive(zipfile.ZipFile):
    """To be closed, which closes its file, too."""

    def __init__(self, file: io.FileIO) -> None:
        self._given = file
        super().__init__(file)

    def close(self) -> None:
        super().close()
        self._given.close()


def is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return identify(file.read(64)) == "zip"


def open_archive(path: Path) -> Archive:
    """ArchiveRefused when nothing in it can be used."""
    file = _Bounded(path)
    try:
        archive = Archive(file)
        _check(archive)
    except _BROKEN:
        file.close()
        raise ArchiveRefused(Finding(Code.DAMAGED)) from None
    except BaseException:
        file.close()
        raise
    return archive


def _check(archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    if len(infos) > ENTRIES_MAX:
        raise ArchiveRefused(Finding(Code.ZIP_FULL, str(ENTRIES_MAX)))
    if any(info.flag_bits & _LOCKED for info in infos):
        raise ArchiveRefused(Finding(Code.ZIP_LOCKED))
    if not photos_in(archive):
        raise ArchiveRefused(Finding(Code.ZIP_EMPTY))


def photos_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its files in their order, without folders and what systems add by themselves."""
    return [info for info in archive.infolist() if not info.is_dir() and not _is_of_the_system(name_in(info))]


def name_in(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: some tools write UTF-8 without saying so."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> tuple[str, int]:
    """SHA-256 and size of one file, written to `target`. ArchiveRefused when it is no plain, whole, small file.

    The disk's own errors are raised as they are.
    """
    if stat.S_ISLNK(info.external_attr >> 16) or info.compress_type not in _METHODS:
        raise ArchiveRefused(Finding(Code.NOT_AN_IMAGE))
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        for piece in _pieces(archive, info):
            size += len(piece)
            if size > MAX_INTAKE_BYTES:
                raise ArchiveRefused(Finding(Code.TOO_LARGE))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest(), size


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as packed:
            while piece := packed.read(PIECE_BYTES):
                yield piece
    except _BROKEN:
        raise ArchiveRefused(Finding(Code.DAMAGED)) from None


def _is_of_the_system(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    last = parts[-1] if parts else ""
    return "__MACOSX" in parts or last.startswith(".") or last.casefold() in _SYSTEM_FILES
