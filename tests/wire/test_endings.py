"""The end of every command, whatever it is doing: in order, in time, with nothing left behind."""

import asyncio
import contextlib
import re
import signal
from pathlib import Path

import pytest

from tests.fakes.sockets import free_port
from tests.fakes.waiting import HANG_S
from tests.wire.discord.standin import DiscordStandin
from tests.wire.programs import running

RUN = """
import asyncio.runners, sys
from bot.__main__ import main
from tests.wire.discord.redirect import point_discord_at

def count_left(loop, cancel_all=asyncio.runners._cancel_all_tasks):
    left = [task for task in asyncio.all_tasks(loop) if not task.done()]
    print(f"LEFT {len(left)} {left}", flush=True)
    cancel_all(loop)

asyncio.runners._cancel_all_tasks = count_left
point_discord_at(sys.argv[1], sys.argv[2])
sys.exit(main([sys.argv[3]]))
"""
UNTIDY = (
    "Unclosed",
    "was destroyed",
    "never awaited",
    "never retrieved",
    "ResourceWarning",
    "Exception ignored",
    "Traceback",
)


NOT_THERE = "http://127.0.0.1:9"
"""A proxy, so that `doctor` looks up no names: it finds that nothing outside this machine answers."""
DEVELOPMENT = ("-X", "dev", "-W", "error::ResourceWarning")


def command(
    folder: Path, name: str, standin: DiscordStandin, token: str, port: int = 0
) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """A command against the stand-in; killed if it is still there at the end."""
    variables = {"DARKROOM_PROXY": NOT_THERE} if name == "doctor" else {}
    return running(RUN, folder, standin, name, token=token, options=DEVELOPMENT, port=port, **variables)


async def assert_tidy(process: asyncio.subprocess.Process, code: int) -> None:
    async with asyncio.timeout(HANG_S):
        said, logged = await process.communicate()
    assert process.returncode == code, logged.decode()
    assert b"LEFT 0 []" in said, said.decode()
    assert [word for word in UNTIDY if word in logged.decode()] == [], logged.decode()


async def until_there(path: Path) -> None:
    async with asyncio.timeout(HANG_S):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("state", ["starting", "connecting", "connected", "disconnected"])
async def test_sigterm_ends_the_bot_in_order_in_every_state(
    tmp_path: Path, standin: DiscordStandin, state: str
) -> None:
    async with command(tmp_path, "run", standin, standin.token) as process:
        if state == "starting":
            await until_there(tmp_path / "data/darkroom.db")
        elif state == "connecting":
            await until_there(tmp_path / "data/spool")
        else:
            await standin.gateway.wait_connected(HANG_S)
        if state == "disconnected":
            standin.gateway.close_all(4000)
        process.send_signal(signal.SIGTERM)
        await assert_tidy(process, 0)


async def test_ctrl_c_ends_the_bot_in_order(tmp_path: Path, standin: DiscordStandin) -> None:
    async with command(tmp_path, "run", standin, standin.token) as process:
        await standin.gateway.wait_connected(HANG_S)
        process.send_signal(signal.SIGINT)
        await assert_tidy(process, 0)


async def test_a_token_that_is_refused_leaves_nothing_open(tmp_path: Path, standin: DiscordStandin) -> None:
    async with command(tmp_path, "run", standin, "not-the-right-token-0123456789") as process:
        await assert_tidy(process, 1)


@pytest.mark.parametrize(("name", "code"), [("migrate", 0), ("doctor", 1), ("rotate-keys", 0)])
async def test_a_command_that_has_done_its_work_leaves_nothing_open(
    tmp_path: Path, standin: DiscordStandin, name: str, code: int
) -> None:
    async with command(tmp_path, name, standin, standin.token) as process:
        await assert_tidy(process, code)


async def test_health_without_a_bot_says_so(tmp_path: Path, standin: DiscordStandin) -> None:
    async with command(tmp_path, "health", standin, standin.token) as process:
        await assert_tidy(process, 1)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_the_sandbox_ends_in_order(tmp_path: Path, standin: DiscordStandin, ending: signal.Signals) -> None:
    async with command(tmp_path, "sandbox", standin, standin.token) as process:
        assert process.stdout is not None
        async with asyncio.timeout(HANG_S):
            while b"http://" not in await process.stdout.readline():
                pass
        process.send_signal(ending)
        await assert_tidy(process, 0)


@pytest.mark.parametrize("name", ["run", "migrate", "doctor", "rotate-keys"])
async def test_a_command_that_cannot_begin_leaves_nothing_open(
    tmp_path: Path, standin: DiscordStandin, name: str
) -> None:
    """The database is that of another program."""
    await asyncio.to_thread((tmp_path / "data").mkdir)
    await asyncio.to_thread((tmp_path / "data/darkroom.db").write_bytes, b"a diary" * 1000)
    async with command(tmp_path, name, standin, standin.token) as process:
        await assert_tidy(process, 1)


async def test_health_of_a_running_bot_leaves_nothing_open(tmp_path: Path, standin: DiscordStandin) -> None:
    port = free_port()
    async with command(tmp_path, "run", standin, standin.token, port) as running:
        await standin.gateway.wait_connected(HANG_S)
        async with command(tmp_path, "health", standin, standin.token, port) as asking:
            await assert_tidy(asking, 0)
        running.send_signal(signal.SIGTERM)
        await assert_tidy(running, 0)


async def test_the_first_lines_say_where_it_listens_and_how_it_is_invited(
    tmp_path: Path, standin: DiscordStandin
) -> None:
    """Mutant: port 0, which was asked for, instead of the one that it got; a link before the id is known."""
    async with command(tmp_path, "run", standin, standin.token) as process:
        assert process.stderr is not None
        logged = ""
        async with asyncio.timeout(HANG_S):
            while "Invite" not in logged:
                logged += (await process.stderr.readline()).decode()
        process.send_signal(signal.SIGTERM)
        await assert_tidy(process, 0)
    assert re.search(r"Listening on http://127\.0\.0\.1:[1-9]\d+ for .*/metrics", logged)
    bot_id = standin.world.bot.id
    assert re.search(rf"Invite the bot with https://\S+client_id={bot_id}&\S*permissions=\d+", logged)
