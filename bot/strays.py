"""Strays: files in the spool that no row refers to, left behind by interrupted uploads."""

import asyncio
import logging
from datetime import timedelta

from bot.clock import Clock
from bot.photos.intake import Spool
from bot.storage.database import Database
from bot.storage.events import banners
from bot.storage.jobs import datasets, generations, previews

log = logging.getLogger(__name__)

STRAY_AGE = timedelta(hours=1)
"""A younger file may be coming in just now; its row is written when all files of its form are there."""


class Strays:
    def __init__(self, spool: Spool, database: Database, clock: Clock) -> None:
        self._spool = spool
        self._database = database
        self._clock = clock

    async def sweep(self) -> int:
        """Delete the strays; how many there were."""
        async with self._database.read() as connection:
            named = await datasets.files_in_use(connection) | await generations.files_in_use(connection)
            named |= await banners.files_in_use(connection)
            named |= await previews.files_in_use(connection)
        return await asyncio.to_thread(self._spool.sweep, named, age=STRAY_AGE)

    async def run(self) -> None:
        """Sweep again and again until cancelled, so that no photo stays longer than was promised."""
        never = asyncio.Event()
        while True:
            await self._clock.wait(never, self._clock.now() + STRAY_AGE)
            try:
                # The age of a file is told by the computer's clock; in an hour it is right.
                if self._clock.is_settled:
                    await self.sweep()
            except Exception:
                log.exception("The spool could not be swept; it is tried again in an hour")
