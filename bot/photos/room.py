"""Room on the disk: what photos take of it, and when there is too little to take new ones."""

import asyncio
import contextlib
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError

log = logging.getLogger(__name__)

NO_ROOM = (
    "Darkroom's disk is nearly full, so it takes no new photos just now. "
    "Nothing was lost: please tell whoever runs this bot, and send them again later."
)


@dataclass(frozen=True, slots=True)
class Room:
    """The disk below `folder`, where the photos are. `floor` bytes of it are kept for what is already under way."""

    folder: Path
    floor: int

    async def check(self) -> None:
        """UserError, with a sentence, when less than the floor is free."""
        free = await asyncio.to_thread(self.free_bytes)
        if free < self.floor:
            log.warning("New photos are refused: %s of at least %s bytes are free", free, self.floor)
            raise UserError(NO_ROOM)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free

    def used_bytes(self) -> int:
        """What the files in the folder take."""
        used = 0
        for file in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was deleted this moment
                used += file.stat().st_size
        return used
