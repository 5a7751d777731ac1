"""What Python has not on Windows is taken away: Darkroom starts nevertheless and says what does not work."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.photos.checks import Code

pytestmark = pytest.mark.process
SAMPLE = Path(__file__).parent / "samples/photo.heic"
WITHOUT = """
import asyncio, importlib, os, pkgutil, sys
import filelock  # has a module of its own for Windows, which runs there only

sys.modules.update(fcntl=None, resource=None)

asyncio.SelectorEventLoop.add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
import bot, cogs
for package in (bot, cogs):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".migrations." not in module.name:
            importlib.import_module(module.name)

really_open = os.open

def open_files_only(path, *rest, **options):
    if os.path.isdir(path):
        raise PermissionError(path)
    return really_open(path, *rest, **options)

os.open = open_files_only
sys.platform = "win32"
"""
OPEN = f"{WITHOUT}\nsys.exit(bot.__main__.main(['rotate-keys']))\n"
DOCTOR = f"{WITHOUT}\nsys.exit(bot.__main__.main(['doctor']))\n"
EXAMINE = f"""{WITHOUT}
from pathlib import Path
print(*[finding.code for finding in bot.photos.prepare.examine(Path(sys.argv[1]), Path("never")).findings])
"""


async def run(script: str, *arguments: str, **variables: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, *arguments),
        env={"PYTHONPATH": os.pathsep.join(sys.path)} | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, logged = await process.communicate()
    return process.returncode, said.decode(), logged.decode()


async def test_everything_opens_and_ctrl_c_is_named_as_the_way_to_stop(tmp_path: Path) -> None:
    code, said, logged = await run(OPEN, DARKROOM_DATA_DIR=str(tmp_path / "data"))
    assert (code, "sealed with the first master key: 0" in said) == (0, True), logged
    assert "please stop Darkroom with Ctrl+C" in logged
    assert "chmod" not in logged
    assert "Traceback" not in logged


async def test_doctor_looks_at_everything_without_what_is_not_there(tmp_path: Path) -> None:
    """Through a proxy that is not there, so that no name is looked up."""
    data = tmp_path / "data"
    await run(OPEN, DARKROOM_DATA_DIR=str(data))
    code, said, logged = await run(DOCTOR, DARKROOM_DATA_DIR=str(data), DARKROOM_PROXY="http://127.0.0.1:9")
    assert (code, "DISCORD_TOKEN is not set" in said) == (1, True), logged
    assert "ok    master key: It fits the database." in said
    assert "This check broke" not in said
    assert "Traceback" not in logged


async def test_a_heic_photo_is_refused_before_it_is_decoded() -> None:
    code, said, logged = await run(EXAMINE, str(SAMPLE))
    assert (code, said.split()) == (0, [Code.NO_HEIC]), logged
