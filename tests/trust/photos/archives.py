"""T23: archives where photos belong: taken photo by photo when called ZIPs, looked into under no other name."""

import bz2
import gzip
import io
import lzma
import mmap
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.datasets.rules import DatasetOrder
from bot.photos import pool, prepare
from bot.photos.checks import ALLOWED_TYPES, Code
from bot.photos.filetypes import identify
from bot.records.dataset import Photo, SubjectKind, Upload, Verdict
from tests.fakes.attachments import Attachments, open_attachments
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.photos.hostile import samples
from tests.trust.photos.temporary import temporary_files_counted
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

THING = DatasetOrder("Rex", SubjectKind.OBJECT)
NAMES = ("photos.zip", "photo.jpg", "photo.jpeg.zip", "photo.png", "../photos.zip", "photo.zip\u202egpj.")
UNPACKED_BYTES = 30_000_000
ENTRIES = 200_000


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    """A thousand to one."""
    return zipped(("photo.jpg", bytes(UNPACKED_BYTES)))


def nested() -> bytes:
    """Sixteen archives in each of sixteen, four times, around a bomb."""
    content = zip_bomb()
    for level in range(4):
        content = zipped(*((f"{level}-{number}.zip", content) for number in range(16)))
    return content


def climbing() -> bytes:
    return zipped(*((name, b"x") for name in ("../../etc/cron.d/x", "/etc/passwd", "C:\\x.bat", "a/../../../b")))


def linking() -> bytes:
    link = zipfile.ZipInfo("photo.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped((link, b"/etc/passwd"), ("photo.jpg/x", b"x"))


def many_entries() -> bytes:
    """Empty ones, as their headers stand in the file; so many that a list of them takes much memory."""
    name = b"a.jpg"
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), *[0] * 6) + name
    counts = (ENTRIES % 65_536, ENTRIES % 65_536, len(central) * ENTRIES, len(local) * ENTRIES, 0)
    return local * ENTRIES + central * ENTRIES + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, *counts)


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("../../x", tarfile.REGTYPE), ("link", tarfile.SYMTYPE), ("device", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    return buffer.getvalue()


PACKED: dict[str, list[Code]] = {
    "zip bomb": [Code.TOO_LARGE],
    "nested zips": [Code.WRONG_TYPE] * 16,
    "zip slip": [Code.NOT_AN_IMAGE] * 4,
    "symlinks": [Code.NOT_AN_IMAGE] * 2,
    "many entries": [Code.ZIP_FULL],
    "empty zip": [Code.ZIP_EMPTY],
}
"""What is said of ZIPs that are called so, whose files are looked at one by one."""
ARCHIVES: dict[str, tuple[Callable[[], bytes], Code]] = {
    "zip bomb": (zip_bomb, Code.WRONG_TYPE),
    "nested zips": (nested, Code.WRONG_TYPE),
    "zip slip": (climbing, Code.WRONG_TYPE),
    "symlinks": (linking, Code.WRONG_TYPE),
    "many entries": (many_entries, Code.WRONG_TYPE),
    "empty zip": (zipped, Code.WRONG_TYPE),
    "gzip bomb": (lambda: gzip.compress(bytes(UNPACKED_BYTES)), Code.WRONG_TYPE),
    "tar.gz": (lambda: gzip.compress(tarred()), Code.WRONG_TYPE),
    "7z": (lambda: b"7z\xbc\xaf'\x1c\x00\x04" + bytes(500), Code.WRONG_TYPE),
    "rar": (lambda: b"Rar!\x1a\x07\x01\x00" + bytes(500), Code.WRONG_TYPE),
    "tar": (tarred, Code.NOT_AN_IMAGE),
    "xz bomb": (lambda: lzma.compress(bytes(UNPACKED_BYTES)), Code.NOT_AN_IMAGE),
    "bzip2 bomb": (lambda: bz2.compress(bytes(UNPACKED_BYTES)), Code.NOT_AN_IMAGE),
    "zlib bomb": (lambda: zlib.compress(bytes(UNPACKED_BYTES)), Code.NOT_AN_IMAGE),
    "program with an archive": (lambda: b"MZ" + bytes(500) + climbing(), Code.NOT_AN_IMAGE),
}


class Unpackers:
    """Counts whoever opens an archive, unpacks anything or looks beyond the head of a file."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[str] = Counter()
        for owner, name in (
            (zipfile.ZipFile, "__init__"),
            (tarfile, "open"),
            (zlib, "decompress"),
            (zlib, "decompressobj"),
            (lzma, "LZMADecompressor"),
            (bz2, "BZ2Decompressor"),
            (mmap, "mmap"),
        ):
            patch.setattr(owner, name, self._counted(name, getattr(owner, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return call(*arguments, **options)

        return counted


async def send_archives(names: int, seed: int) -> Score:
    """Each archive under so many names, and once behind a photo, which is taken without it."""
    score, dice = Score(), random.Random(seed)
    with temporary_files_counted(score):
        async with fresh_studio() as studio, open_attachments() as attachments:
            await _send_each(score, studio, attachments, dice, names)
            behind = attachments.add("photo.jpg", samples()["JPEG"] + climbing())
            score.fired["behind a photo"] += 1
            [photo] = await _send(studio, behind)
            score.bad["a photo with an archive behind it is refused"] += photo.verdict is Verdict.REFUSED
    return score


async def _send_each(score: Score, studio: Studio, attachments: Attachments, dice: random.Random, names: int) -> None:
    for kind, (make, expected) in ARCHIVES.items():
        file = attachments.add("file", make())
        for name in dice.sample(NAMES, min(names, len(NAMES))):
            is_zip = name.endswith(".zip") and kind in PACKED
            with pytest.MonkeyPatch.context() as patch:
                unpackers = Unpackers(patch)
                photos = await _send(studio, Upload(name, file.url, file.size))
            said = [each.code for photo in photos for each in photo.findings]
            score.tried += 1
            score.fired[kind] += 1
            score.bad[f"{kind} is not {expected}"] += said != (PACKED[kind] if is_zip else [expected])
            score.bad[f"{kind} was looked into"] += 0 if is_zip else unpackers.calls.total()
            score.bad["files left"] += len(studio.files())
        attachments.files.clear()


async def _send(studio: Studio, upload: Upload) -> Sequence[Photo]:
    dataset = await studio.datasets.create(THING, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
    board = await studio.datasets.take_in(dataset, [upload])
    await studio.datasets.discard(dataset.id, guild_id=GUILD, user_id=ANNA)
    return board.photos


def believe_the_name(patch: pytest.MonkeyPatch) -> None:
    """What is unknown or no picture may still be one when it is decoded."""
    patch.setattr(prepare, "identify", lambda head: identify(head) if identify(head) in ALLOWED_TYPES else "jpeg")


def look_for_photos_inside(patch: pytest.MonkeyPatch) -> None:
    def examine(source: Path, target: Path) -> prepare.Measured:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.namelist()
        return prepare.examine(source, target)

    patch.setattr(pool, "examine", examine)


ROW = Row(
    "T23",
    "archives where photos belong",
    "refused by type, or as ZIP bounded; 0 files left",
    (1, len(NAMES)),
    (*ARCHIVES, "behind a photo"),
    send_archives,
    (believe_the_name, look_for_photos_inside),
)
