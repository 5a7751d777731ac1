"""One life of Darkroom after the other, with the same providers, the same Discord and the same clock."""

import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bot.photos.intake import Spool
from bot.photos.pool import PhotoPool
from bot.photos.room import Room
from bot.storage.database import Database, sqlite_url
from tests.fakes.due_reader import DueReader
from tests.fakes.studio import Studio


@contextlib.asynccontextmanager
async def life_on(studio: Studio, folder: Path, url: str | None = None, **changes: Any) -> AsyncIterator[Studio]:
    """A life on the data in `folder`, which begins as the engine does: the leases of the one before are taken back.

    `url` is that of a database elsewhere. `changes` take the place of a resource.
    """
    opened, spool = studio.opened, Spool(folder / "spool")
    url = url or sqlite_url(folder / "darkroom.db")
    async with Database(url) as database:
        with contextlib.closing(DueReader(url)) as due, contextlib.closing(PhotoPool(spool, workers=2)) as pool:
            life = Studio(
                folder,
                studio.server,
                studio.aurous,
                studio.clock,
                due=due,
                database=database,
                spool=spool,
                room=Room(folder / "spool", floor=0),
                fetcher=opened.fetcher,
                pool=pool,
                transport=opened.transport,
                connect=opened.connect,
                **changes,
            )
            life.poster.messages = studio.poster.messages
            for rows, _ in life.lanes.values():
                await rows.release_all()
            yield life


async def copy_of(studio: Studio, name: str) -> Path:
    """The data folder as a backup has it."""
    copy = studio.folder / name
    copy.mkdir()
    source, target = sqlite3.connect(studio.folder / "darkroom.db"), sqlite3.connect(copy / "darkroom.db")
    source.backup(target)
    source.close()
    target.close()
    shutil.copytree(studio.folder / "spool", copy / "spool")
    return copy
