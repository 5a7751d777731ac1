"""The bot as a process: forked from one that has everything imported, watched and ended by the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from tests.wire.kills.killable_bot import VictimSettings, fork_main

KILLED = -9
_forks = get_context("forkserver")
_forks.set_forkserver_preload(["tests.wire.kills.killable_bot"])


class BotProcess:
    """One process of the bot. `code` is None while it lives, negative when a signal ended it."""

    def __init__(self, settings: VictimSettings) -> None:
        self.settings = settings
        self.code: int | None = None
        self.ended = asyncio.Event()
        self._process = ForkServerProcess(target=fork_main, args=(settings.to_json(),), daemon=True)

    def start(self) -> None:
        self._process.start()
        asyncio.get_running_loop().add_reader(self._process.sentinel, self._note_end)

    def kill(self) -> None:
        self._process.kill()

    async def wait(self, seconds: float) -> bool:
        """Whether it ended by itself within that time."""
        try:
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        except TimeoutError:
            return False
        return True

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self.code = self._process.exitcode
        self.ended.set()


@contextlib.asynccontextmanager
async def alive(settings: VictimSettings) -> AsyncIterator[BotProcess]:
    """A life that is over when the block is left, whatever happens in it."""
    life = BotProcess(settings)
    life.start()
    try:
        yield life
    finally:
        if life.code is None:
            life.kill()
            await life.ended.wait()
