"""Starting the bot when something is wrong: one sentence for the operator, exit code 1, no traceback."""

import asyncio
import base64
import json
import os
import re
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.wire.discord.standin import DiscordStandin
from tests.wire.kills.bot_process import alive
from tests.wire.kills.rig import open_rig

ROOT = Path(__file__).parents[2]
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z ")
START = """
import sys
from bot.__main__ import main
from tests.wire.discord.redirect import point_discord_at
point_discord_at(sys.argv[1], sys.argv[2])
sys.exit(main(sys.argv[3:] or ["run"]))
"""
TOKEN_SENTENCE = "Discord does not accept DISCORD_TOKEN. Copy the bot token again from the developer portal."


@dataclass(frozen=True, slots=True)
class Ending:
    code: int | None
    stderr: str
    stdout: str = ""

    @property
    def sentences(self) -> list[str]:
        """What was said beside the log."""
        return [line for line in self.stderr.splitlines() if not LOG_LINE.match(line)]


async def run_bot(
    folder: Path,
    *arguments: str,
    standin: DiscordStandin | None = None,
    python: Sequence[str] = (),
    **variables: str,
) -> Ending:
    """`python -m bot …` in an empty folder with only these variables; against the stand-in when there is one."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {"PYTHONPATH": str(ROOT), "DARKROOM_LISTEN": "127.0.0.1:0"}
    pointed = [] if standin is None else ["-c", START, standin.api_url, standin.gateway_url]
    program = [*(pointed or ["-m", "bot"]), *arguments]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *python,
        *program,
        cwd=folder,
        env=inherited | settings | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(HANG_S):
            stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ending(process.returncode, stderr.decode(), stdout.decode())


def assert_one_sentence(ending: Ending, *wanted: str) -> None:
    assert ending.code == 1, ending.stderr
    assert len(ending.sentences) == 1, ending.stderr
    assert "Traceback" not in ending.stderr
    for part in wanted:
        assert part in ending.sentences[0]


async def test_a_missing_token_is_named_together_with_the_sandbox(tmp_path: Path) -> None:
    ending = await run_bot(tmp_path / "empty", "run")
    assert_one_sentence(ending, "DISCORD_TOKEN is not set", "make sandbox")


async def test_a_setting_that_cannot_be_used_is_named_without_its_value(tmp_path: Path) -> None:
    ending = await run_bot(tmp_path / "empty", "run", DISCORD_TOKEN="x" * 40, DARKROOM_POLL_INTERVAL="7777777")
    assert_one_sentence(ending, "DARKROOM_POLL_INTERVAL", "at most 3600")
    assert "7777777" not in ending.stderr


async def test_a_token_that_discord_refuses_at_login_is_said_to_be_wrong(
    tmp_path: Path, standin: DiscordStandin
) -> None:
    wrong = "not-the-right-token-0123456789"
    ending = await run_bot(tmp_path / "empty", standin=standin, DISCORD_TOKEN=wrong)
    assert_one_sentence(ending, TOKEN_SENTENCE)
    assert wrong not in ending.stderr


async def test_the_public_key_of_another_application_is_refused(tmp_path: Path, standin: DiscordStandin) -> None:
    """Mutant: it is taken; whoever owns the other application could then act for every member."""
    standin.application.about = {"verify_key": "0a" * 32}
    ending = await run_bot(
        tmp_path / "empty", standin=standin, DISCORD_TOKEN=standin.token, DARKROOM_PUBLIC_KEY="0b" * 32
    )
    assert_one_sentence(ending, "DARKROOM_PUBLIC_KEY is not the public key of this bot's application")


LEFT_OPEN = ("Unclosed", "ResourceWarning", "destroyed but it is pending", "never awaited", "never retrieved")


WATCHED = ("-X", "dev", "-W", "error::ResourceWarning", "-W", "error::RuntimeWarning")
"""Python's development mode: what was not closed is said in the log and beside it."""


@pytest.mark.parametrize("at", ["login", "gateway"])
async def test_a_token_that_discord_refuses_leaves_nothing_open(
    tmp_path: Path, standin: DiscordStandin, at: str
) -> None:
    token = standin.token if at == "gateway" else "not-the-right-token-0123456789"
    running = asyncio.create_task(run_bot(tmp_path / "empty", standin=standin, python=WATCHED, DISCORD_TOKEN=token))
    if at == "gateway":
        await standin.gateway.wait_connected(HANG_S)
        standin.gateway.close_all(4004)
    ending = await running
    assert TOKEN_SENTENCE in ending.sentences
    assert [words for words in LEFT_OPEN if words in ending.stderr] == [], ending.stderr
    assert "Traceback" not in ending.stderr


@pytest.mark.parametrize(("code", "wanted"), [(4004, TOKEN_SENTENCE), (4014, "intents"), (4013, "intents")])
async def test_a_final_close_code_ends_the_bot_with_its_sentence(
    tmp_path: Path, standin: DiscordStandin, code: int, wanted: str
) -> None:
    running = asyncio.create_task(run_bot(tmp_path / "empty", standin=standin, DISCORD_TOKEN=standin.token))
    await standin.gateway.wait_connected(HANG_S)
    standin.gateway.close_all(code)
    assert_one_sentence(await running, wanted)


async def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    data = str(tmp_path / "data")
    ending = await run_bot(tmp_path / "empty", "run", DISCORD_TOKEN="x" * 40, DARKROOM_DATA_DIR=data)
    assert_one_sentence(ending, data, "DARKROOM_DATA_DIR")


async def test_another_master_key_than_before_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    first, second = (base64.b64encode(bytes([letter]) * 32).decode() for letter in b"ab")
    made = await run_bot(tmp_path / "empty", "rotate-keys", DARKROOM_DATA_DIR=data, DARKROOM_MASTER_KEY=first)
    assert made.code == 0, made.stderr
    ending = await run_bot(
        tmp_path / "empty", "run", DISCORD_TOKEN="x" * 40, DARKROOM_DATA_DIR=data, DARKROOM_MASTER_KEY=second
    )
    assert_one_sentence(ending, "master key", "DARKROOM_MASTER_KEY")
    assert first not in ending.stderr
    assert second not in ending.stderr


async def test_without_the_master_key_of_the_database_none_is_made(tmp_path: Path) -> None:
    """Mutant: the log asks to keep a copy of a new key, which opens nothing."""
    data = tmp_path / "data"
    made = await run_bot(tmp_path / "empty", "rotate-keys", DARKROOM_DATA_DIR=str(data))
    assert made.code == 0, made.stderr
    key = data / "master.key"
    await asyncio.to_thread(key.unlink)
    ending = await run_bot(tmp_path / "empty", "run", DISCORD_TOKEN="x" * 40, DARKROOM_DATA_DIR=str(data))
    assert_one_sentence(ending, str(key), "DARKROOM_MASTER_KEY")
    assert not await asyncio.to_thread(key.exists)


async def test_a_second_bot_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with open_rig(tmp_path / "first", members=0) as rig, alive(rig.settings) as life:
        await rig.standin.gateway.wait_connected()
        data = str(tmp_path / "first" / "data")
        ending = await run_bot(tmp_path / "empty", "run", DISCORD_TOKEN="x" * 40, DARKROOM_DATA_DIR=data)
        assert_one_sentence(ending, "Another Darkroom is already running", "DARKROOM_DATA_DIR")
        assert life.code is None


async def test_a_port_that_is_taken_is_named(tmp_path: Path, standin: DiscordStandin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ending = await run_bot(tmp_path / "empty", standin=standin, DISCORD_TOKEN=standin.token, DARKROOM_LISTEN=listen)
    assert_one_sentence(ending, listen, "DARKROOM_LISTEN")


async def test_doctor_tells_a_machine_by_its_code_and_in_json(tmp_path: Path, standin: DiscordStandin) -> None:
    """Mutants: a failed check ends with 0; a sentence in the middle of the JSON."""
    said = await run_doctor(tmp_path, standin, "--json")
    assert said.code == 1
    read = json.loads(said.stdout)
    states = {each["name"]: each["state"] for each in read["findings"]}
    assert (states["token"], states["Apiframe"]) == ("ok", "fail")
    assert read["failed"] == list(states.values()).count("fail")
    assert said.sentences == [
        f"Of {len(read['findings'])} checks {read['failed']} failed, and {read['warned']} gave a warning."
    ]


async def test_doctor_prints_one_line_each(tmp_path: Path, standin: DiscordStandin) -> None:
    said = await run_doctor(tmp_path, standin)
    assert all(re.match(r"(ok|warn|fail) +\S.*: .+\.?$", line) for line in said.stdout.splitlines())
    assert standin.token not in said.stdout + said.stderr
    assert not (tmp_path / "data").exists()


async def run_doctor(folder: Path, standin: DiscordStandin, *arguments: str) -> Ending:
    proxy = "http://127.0.0.1:9"  # so that no name is looked up
    return await run_bot(
        folder, "doctor", *arguments, standin=standin, DISCORD_TOKEN=standin.token, DARKROOM_PROXY=proxy
    )
