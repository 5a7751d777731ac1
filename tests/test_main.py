"""The command line: what needs no settings, how it is asked, and SIGTERM before anything is open."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import COMMANDS, main
from bot.storage.database import Database, sqlite_url
from tests.fakes.own_log import own_log
from tests.fakes.waiting import HANG_S
from tests.meta.sources import ROOT

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.not-a-real-one.0123456789"
NOWHERE = "http://127.0.0.1:9"
"""A proxy, so that nothing leaves the machine."""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command sets for its process is given back: its log and the rights of the files that it makes."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("DARKROOM_", "DISCORD_"))]:
        monkeypatch.delenv(name)
    umask = os.umask(0o022)
    with own_log():
        yield
    os.umask(umask)


def test_the_version_is_said_whatever_the_settings_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DARKROOM_POLL_INTERVAL", "never")
    assert main(["version"]) == 0
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"darkroom {__version__}\n" * 2


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    said = capsys.readouterr().out
    assert re.findall(r"^    ([a-z-]+)\b", said, re.MULTILINE) == [*COMMANDS, "version"]


def test_the_invitation_is_made_from_the_token_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the link of the README, and says nothing else of the token."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    assert main(["invite"]) == 0
    said = capsys.readouterr().out.strip()
    link = re.search(r"`(https://discord\.com/oauth2/authorize\?\S+)`", (ROOT / "README.md").read_text("utf-8"))
    assert link is not None
    assert said == link[1].replace("YOUR_APPLICATION_ID", "123456789012345678")


def test_an_invitation_without_a_token_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invite"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), "DISCORD_TOKEN is not set" in said.err) == ("", 1, True)


PAUSED = """
import os, sys, threading

threading.Timer.start = lambda timer: None  # a slow machine may need longer than STOP_S

event, words = sys.argv[1:3]
is_there = False

def pause(name, given):
    global is_there
    if name == event and not is_there and words in str(given[0]):
        is_there = True
        # Not through print: Python aborts when another thread still holds the lock of sys.stdout in the end.
        os.write(1, b"here\\n")
        os.read(0, 1)

sys.addaudithook(pause)
from bot.__main__ import main
sys.exit(main(["run"]))
"""
EARLY = {
    "the event loop is imported": ("import", "asyncio"),
    "the settings are imported": ("import", "pydantic"),
    "the log is imported": ("import", "bot.process.log"),
    "the bot is imported": ("import", "bot.app"),
    "discord.py is imported": ("import", "discord"),
    "the database is opened": ("sqlite3.connect", "darkroom.db"),
    "the schema is made": ("open", "/migrations/versions/"),
    "the listener is opened": ("socket.bind", ""),
}
"""What is under way, by the event of Python's audit that tells it (Python /library/audit_events)."""


@pytest.mark.process
@pytest.mark.parametrize("state", EARLY)
async def test_sigterm_ends_a_process_that_has_hardly_begun(tmp_path: Path, state: str) -> None:
    """It exits with 0 and says nothing of it, and the next start finds nothing half done.

    Mutant: `_end_at_once` is installed after the imports, or `until_stopped` does not cancel.
    """
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DARKROOM_LISTEN": "127.0.0.1:0"}
    variables |= {"DISCORD_TOKEN": TOKEN, "DARKROOM_PROXY": NOWHERE}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PAUSED, *EARLY[state]), env=variables, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        async with asyncio.timeout(HANG_S):
            assert process.stdout is not None
            assert await process.stdout.readline() == b"here\n"
            process.terminate()
            said, logged = await process.communicate(b"\n")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, said) == (0, b""), logged.decode()
    assert b"Traceback" not in logged, logged.decode()
    async with Database(sqlite_url(tmp_path / "data/darkroom.db")):
        pass
