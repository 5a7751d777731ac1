"""A disk that notes every write and sync, and what would be left on it after a power cut at any moment."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    file: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    file: str


@dataclass(frozen=True, slots=True)
class Delete:
    file: str


@dataclass(frozen=True, slots=True)
class Promise:
    """At this moment somebody was told that the row with this name has at least this value."""

    row: str
    value: int


Entry = Write | Truncate | Sync | Delete | Promise


class RecordingDisk(apsw.VFS):
    """A VFS of SQLite (sqlite.org/vfs.html) that works on real files; `log` is what happened, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[Entry] = []
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's name
        return _File(name, flags, self.log)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.log.append(Delete(Path(filename).name))

    def promise(self, row: str, value: int = 1) -> None:
        self.log.append(Promise(row, value))


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], log: list[Entry]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "").name
        self._log = log

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._log.append(Write(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._log.append(Truncate(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - the real disk need not do it
        self._log.append(Sync(self._name))


class Replay:
    """Plays a log from its beginning. Creating and deleting a file counts as done at once; a disk never lies."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._synced = {name: bytearray(content) for name, content in files.items()}
        self._pending: dict[str, list[Write | Truncate]] = defaultdict(list)
        self.promised: dict[str, int] = {}

    def play(self, entry: Entry) -> None:
        match entry:
            case Write() | Truncate():
                self._pending[entry.file].append(entry)
            case Sync():
                for change in self._pending.pop(entry.file, []):
                    _apply(self._synced, change)
            case Delete():
                self._pending.pop(entry.file, None)
                self._synced.pop(entry.file, None)
            case Promise():
                self.promised[entry.row] = max(entry.value, self.promised.get(entry.row, 0))

    @property
    def unsynced(self) -> set[str]:
        """Files with writes that a cut would lose."""
        return {name for name, changes in self._pending.items() if changes}

    def after_cut(self, torn: random.Random | None) -> dict[str, bytes]:
        """Every file: what was synced and, when `torn`, any half of the sectors that were not."""
        left = {name: bytearray(content) for name, content in self._synced.items()}
        if torn is not None:
            for change in (change for changes in self._pending.values() for change in changes):
                for piece in _pieces(change):
                    if torn.random() < 0.5:
                        _apply(left, piece)
        return {name: bytes(content) for name, content in left.items()}


def _pieces(change: Write | Truncate) -> Iterator[Write | Truncate]:
    if isinstance(change, Truncate):
        yield change
        return
    start, end = change.offset, change.offset + len(change.content)
    while start < end:
        border = min(end, (start // SECTOR + 1) * SECTOR)
        yield Write(change.file, start, change.content[start - change.offset : border - change.offset])
        start = border


def _apply(files: dict[str, bytearray], change: Write | Truncate) -> None:
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncate):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.content)] = change.content
