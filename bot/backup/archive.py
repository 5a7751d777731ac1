"""The file of a backup: a ZIP with the database, the files of the spool, and a manifest that vouches for each of them.

Only members with exactly our names are ever read out of it, into files that we name ourselves, and never more bytes
than the manifest says.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

from bot.errors import StartupError

FORMAT = 1
MANIFEST, DATABASE, MASTER_KEY, SPOOL = "manifest.json", "database", "master.key", "spool/"
_NAME = re.compile(r"database|master\.key|spool/[0-9a-f]{32}(\.[a-z0-9]{1,8})?")
MANIFEST_MAX = 64_000_000
PIECE_BYTES = 1 << 20
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
    *(AttributeError, KeyError, TypeError, ValueError),
)
"""What zipfile and json raise for a file that was cut off, changed or is something else (Python /library/zipfile)."""


@dataclass(frozen=True, slots=True)
class Member:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`database` is sqlite or postgresql; `rows` counts those of each table; `taken_at` is the moment it shows."""

    darkroom: str
    database: str
    revision: str
    generation: int
    taken_at: datetime
    rows: Mapping[str, int]
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all members together."""
        return sum(member.size for member in self.members.values())

    @property
    def spool_files(self) -> list[str]:
        return sorted(name.removeprefix(SPOOL) for name in self.members if name.startswith(SPOOL))


class Writer:
    """Writes members one after the other, then the manifest, as a context manager. `finish` makes it durable."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w")
        self._members: dict[str, Member] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        # After a full disk it cannot be closed in order, and nobody needs it any more.
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()

    def add(self, name: str, source: IO[bytes], *, is_compressed: bool = False) -> None:
        """`is_compressed`: photos and pictures; they do not get smaller."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as target:
            while piece := source.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        self._members[name] = Member(size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        said: dict[str, Any] = asdict(manifest) | {"format": FORMAT, "taken_at": manifest.taken_at.isoformat()}
        said["members"] = {name: asdict(member) for name, member in self._members.items()}
        self._zip.writestr(MANIFEST, json.dumps(said, indent=1), zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())


class Archive:
    """A backup that is read. Every method raises StartupError, with a sentence, for what is damaged or not ours."""

    def __init__(self, file: Path, opened: zipfile.ZipFile, manifest: Manifest) -> None:
        self._file = file
        self._zip = opened
        self.manifest = manifest

    def read_text(self, name: str) -> str:
        """A member of a few bytes."""
        member = self.manifest.members[name]
        with _told(self._file), self._zip.open(name) as source:
            content = source.read(member.size + 1)
        self._check(name, len(content), hashlib.sha256(content).hexdigest())
        return content.decode("ascii")

    def extract(self, name: str, target: Path) -> None:
        """Write a member into a new file and make it durable."""
        member, digest, size = self.manifest.members[name], hashlib.sha256(), 0
        with _told(self._file), self._zip.open(name) as source, target.open("xb") as out:
            while piece := source.read(PIECE_BYTES):
                size += len(piece)
                if size > member.size:
                    break
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        self._check(name, size, digest.hexdigest())

    def _check(self, name: str, size: int, sha256: str) -> None:
        if Member(size, sha256) != self.manifest.members[name]:
            raise StartupError(f"{self._file} is damaged: {name} is not what was written. Use another backup.")


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """Check everything that can be told without reading the members."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise StartupError(f"The backup {file} cannot be read: {error.strerror}.") from None
    with source, _told(file):
        archive = zipfile.ZipFile(source)
        manifest = _manifest_of(file, archive)
        _check_members(file, archive, manifest)
    with file.open("rb") as source, zipfile.ZipFile(source) as archive:
        yield Archive(file, archive, manifest)


def _manifest_of(file: Path, archive: zipfile.ZipFile) -> Manifest:
    if archive.getinfo(MANIFEST).file_size > MANIFEST_MAX:
        raise ValueError("the manifest is too long")
    said = json.loads(archive.read(MANIFEST))
    if said["format"] != FORMAT:
        raise StartupError(f"{file} was written by a newer Darkroom ({said['darkroom']}). Use that version, or newer.")
    return Manifest(
        darkroom=str(said["darkroom"]),
        database=str(said["database"]),
        revision=str(said["revision"]),
        generation=int(said["generation"]),
        taken_at=datetime.fromisoformat(said["taken_at"]),
        rows={str(name): int(count) for name, count in said["rows"].items()},
        members={name: Member(int(each["size"]), str(each["sha256"])) for name, each in said["members"].items()},
    )


def _check_members(file: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    infos = [info for info in archive.infolist() if info.filename != MANIFEST]
    if sorted(info.filename for info in infos) != sorted(manifest.members):
        raise StartupError(f"{file} does not hold what its manifest says. Use another backup.")
    for info in infos:
        is_file = stat.S_IFMT(info.external_attr >> 16) == stat.S_IFREG
        is_whole = info.file_size == manifest.members[info.filename].size
        if not (_NAME.fullmatch(info.filename) and is_file and is_whole):
            raise StartupError(f"{file} was not made by `backup`: {info.filename!r} does not belong into it.")
    if DATABASE not in manifest.members or manifest.taken_at.tzinfo is None:
        raise ValueError("no database")


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise StartupError(f"{file} is no backup of Darkroom's, or it is damaged. Use another one.") from error
