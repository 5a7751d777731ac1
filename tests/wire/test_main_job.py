"""The main job, from a key to a picture in the channel, by `run` itself in a process of its own.

DARKROOM_TEST_PYTHON names another interpreter, which runs the Darkroom that is installed in it: `make image` does that.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.fakes.waiting import HANG_S
from tests.wire.discord import redirect
from tests.wire.kills.ledger import judge, open_rows
from tests.wire.kills.rig import Rig, open_rig, until
from tests.wire.programs import ROOT, killed_at_the_end

RUN = """
from bot.__main__ import main
import sys
point_discord_at(sys.argv[1], sys.argv[2])
sys.exit(main(["run"]))
"""


def program() -> tuple[list[str], dict[str, str]]:
    """An interpreter with what it runs, and the variables that lead it to Darkroom."""
    other = os.environ.get("DARKROOM_TEST_PYTHON")
    text = Path(redirect.__file__).read_text(encoding="utf-8") + RUN
    return [other or sys.executable, "-P", "-c", text], {} if other else {"PYTHONPATH": str(ROOT)}


async def begin(rig: Rig, folder: Path) -> asyncio.subprocess.Process:
    command, variables = program()
    settings = {
        "PATH": os.environ["PATH"],
        "DISCORD_TOKEN": rig.standin.token,
        "DARKROOM_DATA_DIR": str(rig.folder / "data"),
        "DARKROOM_LISTEN": "127.0.0.1:0",
        "DARKROOM_APIFRAME_URL": rig.provider.base_url,
        "DARKROOM_TRUSTED_HOSTS": "127.0.0.1",
        "DARKROOM_POLL_INTERVAL": "0.2",
    }
    return await asyncio.create_subprocess_exec(
        *(*command, rig.standin.api_url, rig.standin.gateway_url),
        cwd=folder,
        env=settings | variables,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_key_a_training_and_a_picture_are_done_once_each(tmp_path: Path) -> None:
    """Mutant: the listener, the schema or a package that is missing where Darkroom is installed."""
    empty = tmp_path / "empty"
    await asyncio.to_thread(empty.mkdir)
    async with open_rig(tmp_path / "rig", members=1) as rig:
        process = await begin(rig, empty)
        async with killed_at_the_end(process):
            logging = asyncio.create_task(process.communicate())
            saving = asyncio.create_task(rig.save_key())
            await asyncio.wait({saving, logging}, return_when=asyncio.FIRST_COMPLETED)
            assert not logging.done(), logging.result()[1].decode()
            await saving
            await rig.round(rig.members[0], "Rex")
            async with asyncio.timeout(HANG_S):
                await until(lambda: not open_rows(rig.database))
                process.terminate()
                _, logged = await logging
        assert process.returncode == 0, logged.decode()
        verdict = judge(rig.promises, rig.provider, rig.messages, rig.database)
    assert (verdict.is_clean, verdict.jobs) == (True, 2), f"{verdict}\n{logged.decode()}"
