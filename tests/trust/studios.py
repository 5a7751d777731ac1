"""A studio of its own for each run of a row: folder, database and rehearsal providers, gone afterwards."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import stamina

from bot.storage.database import sqlite_url
from tests.fakes.clock import ManualClock
from tests.fakes.studio import Studio, open_studio

MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own in it
"""Every commit waits for the disk otherwise; what a disk keeps is the matter of T01."""


@contextlib.asynccontextmanager
async def fresh_studio(
    clock: ManualClock | None = None, *, extra_hosts: Sequence[str] = ("127.0.0.1",)
) -> AsyncIterator[Studio]:
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder, stamina.set_testing(True, attempts=3, cap=True):
        url = sqlite_url(Path(folder) / "darkroom.db")
        async with open_studio(Path(folder), url, clock, extra_hosts=extra_hosts) as studio:
            yield studio
