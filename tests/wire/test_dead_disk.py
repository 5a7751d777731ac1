"""SIGTERM ends the whole bot although its disk is dead: one that fails every write, or one that never answers."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.wire.discord.standin import DiscordStandin
from tests.wire.programs import running

RUN = """
import os, sqlite3, sys, threading
from bot.__main__ import main
from bot.storage import database
from bot.storage.driver import Connection
from tests.wire.discord.redirect import point_discord_at

def die():
    if os.path.exists("fails"):
        print("FAILED", flush=True)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error
    if os.path.exists("hangs"):
        print("HANGS", flush=True)
        threading.Event().wait()

class Dying(Connection):
    async def commit(self):
        await self._execute(die)
        await super().commit()

database.Connection = Dying
point_discord_at(sys.argv[1], sys.argv[2])
sys.exit(main(["run"]))
"""
"""The bot on a disk that dies when a file of that name is there."""


@pytest.mark.parametrize(("disk", "met", "code"), [("fails", b"FAILED", 0), ("hangs", b"HANGS", 1)])
async def test_sigterm_ends_a_bot_whose_disk_is_dead(
    tmp_path: Path, standin: DiscordStandin, disk: str, met: bytes, code: int
) -> None:
    """A thread that waits for the disk cannot be ended: then the process ends itself after its bound, with code 1."""
    async with running(RUN, tmp_path, standin, token=standin.token, options=(), port=0) as process:
        await standin.gateway.wait_connected(HANG_S)
        assert process.stdout is not None
        (tmp_path / disk).touch()
        standin.gateway.close_all(4009)  # what comes after the reconnection is written down
        async with asyncio.timeout(HANG_S):
            while met not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGTERM)
            _, logged = await process.communicate()
    assert process.returncode == code, logged.decode()
    assert (b"could not end in order" in logged) == (disk == "hangs"), logged.decode()
