"""Backups of a studio and lives that go on from one, with the same providers, the same Discord and the same clock."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.backup import restoring, saving
from bot.backup.place import MasterKey, Place
from bot.storage.database import sqlite_url
from tests.fakes.lives import life_on
from tests.fakes.studio import Studio

MINUTE = timedelta(minutes=1)
ROUNDS_MAX = 200


def place_of(folder: Path, url: str | None = None, *, key: str | None = None) -> Place:
    return Place(make_url(url or sqlite_url(folder / "darkroom.db")), folder, MasterKey(folder, key), free_disk=0)


async def backed_up(studio: Studio, name: str, url: str | None = None) -> Path:
    """A backup of the studio, which goes on meanwhile."""
    file = studio.folder / f"{name}.backup"
    saving.backup(place_of(studio.folder, url), file, with_master_key=False, now=studio.clock.now())
    return file


@contextlib.asynccontextmanager
async def life_from(studio: Studio, file: Path, url: str | None = None) -> AsyncIterator[Studio]:
    """What goes on from a backup; `url` is that of an empty database elsewhere."""
    folder = studio.folder / f"{file.stem}-restored"
    restoring.restore(place_of(folder, url), file, is_forced=False, now=studio.clock.now())
    async with life_on(studio, folder, url) as life:
        yield life


async def backups_on_the_way(studio: Studio, is_over: Callable[[], Awaitable[bool]]) -> list[Path]:
    """One before every round of steps until `is_over`, and one afterwards."""
    files = [await backed_up(studio, "backup-0")]
    for _ in range(ROUNDS_MAX):
        if await is_over():
            return files
        if await studio.work():
            files.append(await backed_up(studio, f"backup-{len(files)}"))
        else:
            studio.clock.advance(MINUTE)
    raise AssertionError("it never comes to an end")
