"""`backup`: one file with everything, written beside a running bot."""

import contextlib
import io
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bot import __version__
from bot.backup import archive, contents, postgres, sqlite
from bot.backup.archive import DATABASE, MASTER_KEY, SPOOL, Manifest
from bot.backup.contents import Contents
from bot.backup.place import Place, disk_trouble, size_of, sync_folder
from bot.errors import StartupError


def backup(place: Place, file: Path, *, with_master_key: bool, now: datetime) -> list[str]:
    """Write the backup; lines for the operator. StartupError says in one sentence why there is none.

    The database comes first, then the files that its rows name: what arrives later is not in it, what is deleted
    meanwhile is counted. `now` is before the moment that the backup shows.
    """
    began, key = time.monotonic(), place.master_key.text()
    if with_master_key and key is None:
        raise StartupError(f"There is no master key in {place.master_key.where}, so none can be put into the backup.")
    with _partial(file) as part, _snapshot(place, Path(f"{file}.part-database")) as (snapshot, found):
        needed = snapshot.stat().st_size + sum(_size(place.spool / name) for name in found.files)
        place.check_room(file.parent, needed)
        manifest = Manifest(__version__, place.kind, found.revision, found.generation, now, found.rows)
        missing = _write(place, part, snapshot, found, manifest, key if with_master_key else None)
        size = part.stat().st_size
    return [
        f"The backup is in {file}: {size_of(size)}, {time.monotonic() - began:.1f} s, "
        f"{place.kind} with schema {found.revision}, photos and pictures: {len(found.files) - missing}.",
        *([f"Files that were deleted by their time meanwhile, and are not in it: {missing}."] if missing else []),
        "It holds photos and personal data: keep it where only you can read it, and not longer than you have promised.",
        _about_key(place, is_inside=with_master_key),
    ]


def _about_key(place: Place, *, is_inside: bool) -> str:
    if is_inside:
        return "The master key is in it: whoever has this file can use the API keys. Keep it as you keep the key."
    return (
        f"The master key is NOT in it. Keep a copy of {place.master_key.where} in another place: without it the stored "
        "API keys cannot be opened."
    )


@contextlib.contextmanager
def _partial(file: Path) -> Iterator[Path]:
    """A new file that gets its name when it is whole and durable, and is gone when that does not come to pass."""
    part = Path(f"{file}.part")
    if file.exists():
        raise StartupError(f"{file} is there already. Give the backup another name.")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise StartupError(
            f"{part} is there: another backup is being written, or one was interrupted. If none is, delete that file."
        ) from None
    except OSError as error:
        raise StartupError(f"The backup cannot be written to {file.parent}: {error.strerror}.") from None
    try:
        with disk_trouble(file.parent):
            yield part
            part.rename(file)
            sync_folder(file.parent)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _snapshot(place: Place, target: Path) -> Iterator[tuple[Path, Contents]]:
    """The database as of one moment in a file of its own, which is gone afterwards."""
    target.unlink(missing_ok=True)
    try:
        if place.kind != "sqlite":
            found = postgres.dump(place.url, target)
        elif sqlite.is_there(place.file):
            place.check_room(target.parent, 2 * place.file.stat().st_size)
            sqlite.copy(place.file, target)
            with sqlite.written(target) as connection:
                found = contents.read(connection)
        else:
            raise StartupError(f"There is no database in {place.file} yet, so there is nothing to back up.")
        yield target, found
    finally:
        target.unlink(missing_ok=True)


def _write(place: Place, part: Path, snapshot: Path, found: Contents, manifest: Manifest, key: str | None) -> int:
    """How many of the files are gone."""
    missing = 0
    with part.open("wb") as out, archive.Writer(out) as writer:
        with snapshot.open("rb") as source:
            writer.add(DATABASE, source)
        for name in sorted(found.files):
            try:
                with (place.spool / name).open("rb") as source:
                    writer.add(SPOOL + name, source, is_compressed=True)
            except FileNotFoundError:
                missing += 1
        if key is not None:
            writer.add(MASTER_KEY, io.BytesIO(key.encode()))
        writer.finish(manifest)
    return missing


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
