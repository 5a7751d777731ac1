"""Room on the disk: what photos take of it, and when there is too little to take new ones."""

import asyncio
import contextlib
import errno
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StorageTrouble, UserError

log = logging.getLogger(__name__)

NO_ROOM = (
    "Darkroom's disk is nearly full, so it takes no new photos just now. "
    "Nothing was lost: please tell whoever runs this bot, and send them again later."
)
NO_DISK = (
    "Darkroom cannot write to its disk just now, so nothing was taken. "
    "Please tell whoever runs this bot, and send them again later."
)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """What the disk refuses is told as the disk's trouble, and not as that of whoever sent the file: StorageTrouble."""
    try:
        yield
    except OSError as error:
        log.error("A file could not be written: %s", error.strerror)
        raise StorageTrouble(NO_ROOM if error.errno in FULL else NO_DISK) from error


@dataclass(frozen=True, slots=True)
class Room:
    """The disk below `folder`, where the photos are. `floor` bytes of it are kept for what is already under way."""

    folder: Path
    floor: int

    async def check(self) -> None:
        """UserError, with a sentence, when less than the floor is free.

        A file system that does not say how much room it has (some network disks) stops nobody.
        """
        try:
            space = await asyncio.to_thread(shutil.disk_usage, self.folder)
        except OSError as error:
            log.warning("How much room there is for photos cannot be told: %s", error.strerror)
            return
        free = space.free
        if space.total > 0 and free < self.floor:
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
