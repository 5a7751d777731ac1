"""`restore`: puts a backup in the place of a stopped bot. Killed at any time it leaves the old state or the new one."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from bot.backup import archive, contents, postgres, sqlite
from bot.backup.archive import DATABASE, MASTER_KEY, SPOOL, Archive, Manifest
from bot.backup.place import Place, disk_trouble, size_of, sync_folder
from bot.errors import StartupError
from bot.process.permissions import FOLDER_MODE
from bot.storage import restored
from bot.storage.database import take_lock
from bot.storage.migrations import UNFINISHED_RESTORE
from bot.storage.restored import Restored

STAGING = "restoring"
"""A folder in the data folder, for what is not verified yet."""


def restore(place: Place, file: Path, *, is_forced: bool, now: datetime) -> list[str]:
    """Put the backup back; lines for the operator. StartupError says in one sentence why nothing was changed.

    `is_forced`: a SQLite database that is there is kept aside, and not used any more.
    """
    with archive.opened(file) as backup:
        _check_fits(place, file, backup.manifest)
        with disk_trouble(place.data_dir):
            place.data_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            with _locked(place):
                aside = _check_target(place, is_forced=is_forced, now=now)
                with _staged(place, backup) as staged:
                    put_back = _replace_file if place.kind == "sqlite" else _fill_server
                    done = put_back(place, backup, staged, aside, now)
    return [*_said(place, backup.manifest, done, aside), *_about_key(place, done)]


@dataclass(frozen=True, slots=True)
class Staged:
    """What was taken out of the backup and is what its manifest says: the database, and a folder of files."""

    database: Path
    spool: Path


@dataclass(frozen=True, slots=True)
class Done:
    """`is_openable`: whether the master key here opens the API keys; None when there is no master key."""

    mark: Restored
    is_openable: bool | None


def _check_fits(place: Place, file: Path, manifest: Manifest) -> None:
    if manifest.database != place.kind:
        raise StartupError(
            f"{file} is a backup of {manifest.database}, and DARKROOM_DATABASE_URL names {place.kind}. "
            "A backup goes back into a database of its own kind."
        )
    contents.check_revision(manifest.revision)


@contextlib.contextmanager
def _locked(place: Place) -> Iterator[None]:
    """Meanwhile no bot can start. StartupError while one runs."""
    if place.kind != "sqlite":
        with postgres.locked(place.url):
            yield
        return
    lock = take_lock(place.file)
    try:
        yield
    finally:
        lock.release()


def _check_target(place: Place, *, is_forced: bool, now: datetime) -> Path | None:
    """Where what is there is kept; None when there is nothing."""
    if place.kind != "sqlite":
        postgres.check_empty(place.url)
        return None
    if not sqlite.is_there(place.file):
        return None
    if not is_forced:
        raise StartupError(
            f"There is a database in {place.file} already. With --force it is kept in a folder beside it, with its "
            "files, and the backup takes its place."
        )
    return place.file.parent / f"before-restore-{now:%Y%m%d-%H%M%S}"


@contextlib.contextmanager
def _staged(place: Place, backup: Archive) -> Iterator[Staged]:
    """Everything that is in the backup, on the disks where it will be; it is gone afterwards."""
    folder = place.data_dir / STAGING
    beside = Path(f"{place.file}.restoring") if place.kind == "sqlite" else folder / DATABASE
    staged = Staged(beside, folder / "spool")

    def clear() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        staged.database.unlink(missing_ok=True)

    clear()
    place.check_room(place.data_dir, backup.manifest.size)
    try:
        staged.spool.mkdir(mode=FOLDER_MODE, parents=True)
        backup.extract(DATABASE, staged.database)
        for name in backup.manifest.spool_files:
            backup.extract(SPOOL + name, staged.spool / name)
        yield staged
    finally:
        clear()


def _replace_file(place: Place, backup: Archive, staged: Staged, aside: Path | None, now: datetime) -> Done:
    """SQLite. One rename decides; what comes before it does no harm to the database that was there."""
    sqlite.check(staged.database)
    earlier = 0
    if aside is not None:
        sqlite.settle(place.file)
        earlier = sqlite.generation_of(place.file)
    with sqlite.written(staged.database) as connection:
        done = _finish(place, backup, connection, earlier, now)
    if aside is not None:
        aside.mkdir(mode=FOLDER_MODE)
        sqlite.keep_aside(place.file, aside)
        _link_all(place.spool, aside / "spool")
    else:
        sqlite.drop_logs(place.file)
    _move_files(staged, place)
    staged.database.replace(place.file)
    sync_folder(place.file.parent)
    return done


def _fill_server(place: Place, backup: Archive, staged: Staged, _aside: Path | None, now: datetime) -> Done:
    """PostgreSQL. Until the last transaction a bot does not start on it, and another try begins anew."""
    postgres.begin(place.url)
    try:
        postgres.load(place.url, staged.database)
    except StartupError:
        postgres.empty(place.url)
        raise
    _move_files(staged, place)
    with postgres.finishing(place.url) as connection:
        return _finish(place, backup, connection, 0, now)


def _finish(place: Place, backup: Archive, connection: sa.Connection, earlier: int, now: datetime) -> Done:
    """Verify what is in the database, and mark it."""
    manifest, found = backup.manifest, contents.read(connection)
    rows = {name: count for name, count in found.rows.items() if name != UNFINISHED_RESTORE}
    if (found.revision, rows) != (manifest.revision, manifest.rows):
        raise StartupError("The database in this backup does not hold what its manifest says. Use another backup.")
    if MASTER_KEY in manifest.members and place.master_key.is_kept_here:
        place.master_key.put_first(backup.read_text(MASTER_KEY))
    sealer = place.master_key.sealer()
    is_openable = None if sealer is None else contents.is_sealed_with(connection, sealer)
    generation = max(earlier, manifest.generation) + 1
    mark = restored.mark(connection, taken_at=manifest.taken_at, now=now, generation=generation)
    return Done(mark, is_openable)


def _link_all(spool: Path, kept: Path) -> None:
    kept.mkdir(mode=FOLDER_MODE)
    for file in spool.iterdir() if spool.exists() else ():
        sqlite.link_or_copy(file, kept / file.name)


def _move_files(staged: Staged, place: Place) -> None:
    """Their names are drawn by lot, so they take nobody's place; the bot deletes those that no row names."""
    place.spool.mkdir(mode=FOLDER_MODE, exist_ok=True)
    for file in staged.spool.iterdir():
        file.replace(place.spool / file.name)
    sync_folder(place.spool)


def _said(place: Place, manifest: Manifest, done: Done, aside: Path | None) -> Iterator[str]:
    where = place.file if place.kind == "sqlite" else place.url.render_as_string()
    yield (
        f"The backup of {manifest.taken_at:%Y-%m-%d %H:%M} UTC is back in {where}: {size_of(manifest.size)}, "
        f"{sum(manifest.rows.values())} rows, photos and pictures: {len(manifest.spool_files)}, "
        f"restore number {done.mark.generation} of this database."
    )
    if aside is not None:
        yield f"What was there is in {aside}. It holds personal data: delete it when you do not need it any more."
    yield (
        "What happened since is not in it. Darkroom looks at the providers and in the channels before it pays or posts "
        "anything again, and numbers of new orders begin higher."
    )
    yield (
        "Please see to this yourself: credits spent since then are missing in /budget, LoRAs trained since then come "
        "back with /loras import, and erasures, withdrawn consents and removed keys since then have to be repeated."
    )


def _about_key(place: Place, done: Done) -> Iterator[str]:
    if done.is_openable is None:
        yield (
            f"There is no master key in {place.master_key.where}. Put the one of this backup there before you start "
            "the bot: without it the stored API keys cannot be opened."
        )
    elif not done.is_openable:
        yield (
            f"The master key in {place.master_key.where} is not the one of this backup. Put that one there before you "
            "start the bot."
        )
