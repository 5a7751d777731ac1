"""Where an installation keeps what it has, and what a disk says when it has no more room."""

import contextlib
import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from bot.backup.master_key import MasterKey as MasterKey
from bot.errors import StartupError

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """`free_disk` are bytes that stay free on the disk of the data folder, because a bot may run there."""

    url: URL
    data_dir: Path
    master_key: MasterKey
    free_disk: int

    @property
    def kind(self) -> str:
        """sqlite or postgresql."""
        return self.url.get_backend_name()

    @property
    def file(self) -> Path:
        """SQLite's."""
        return Path(self.url.database or "")

    @property
    def spool(self) -> Path:
        return self.data_dir / "spool"

    def check_room(self, folder: Path, needed: int) -> None:
        """StartupError when this many bytes do not fit there, or would take what the bot needs."""
        left = self.free_disk if self.data_dir.exists() and _is_same_disk(folder, self.data_dir) else 0
        free = shutil.disk_usage(folder).free
        if free < needed + left:
            kept = f", of which {size_of(left)} have to stay free" if left else ""
            raise StartupError(
                f"This needs about {size_of(needed)} in {folder}, and {size_of(free)} are free{kept}. Make room there, "
                "or choose another disk."
            )


def _is_same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def size_of(count: int) -> str:
    """Bytes in words."""
    return f"{count / MEGABYTE:,.1f} MB"


@contextlib.contextmanager
def disk_trouble(folder: Path) -> Iterator[None]:
    """What goes wrong with files in here is one sentence."""
    try:
        yield
    except OSError as error:
        raise StartupError(_sentence(folder, error.strerror or str(error), error.errno == errno.ENOSPC)) from error
    except sqlite3.OperationalError as error:
        raise StartupError(_sentence(folder, str(error), error.sqlite_errorcode == sqlite3.SQLITE_FULL)) from error
    except sa.exc.DatabaseError as error:
        raise StartupError(_sentence(folder, str(error.orig), is_full=False)) from error
    except sqlite3.DatabaseError as error:
        raise StartupError(f"The database cannot be read: {error}.") from error


def _sentence(folder: Path, said: str, is_full: bool) -> str:
    return f"The disk of {folder} is full." if is_full else f"The disk of {folder} does not do what is asked: {said}."


def sync_folder(folder: Path) -> None:
    """Make new names in it durable."""
    if sys.platform == "win32":
        return  # folders cannot be opened there (Microsoft, CreateFileW: FILE_FLAG_BACKUP_SEMANTICS)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
