"""No part of the process dies unseen, and none keeps it from ending."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.errors import StartupError
from bot.process import supervision
from bot.process.supervision import Heartbeat, Supervisor
from tests.fakes.waiting import HANG_S, eventually


async def last() -> None:
    await asyncio.Event().wait()


async def end_quietly() -> None:
    await asyncio.sleep(0)


async def fail() -> None:
    raise OSError("canary of the disk")


async def cancel_itself() -> None:
    own = asyncio.current_task()
    assert own is not None
    own.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("end", [end_quietly, fail, cancel_itself])
async def test_a_part_that_ends_is_named_and_takes_the_others_with_it(
    end: Callable[[], Coroutine[Any, Any, None]], caplog: pytest.LogCaptureFixture
) -> None:
    """Mutant: asyncio.TaskGroup, which goes on without a child that was cancelled or has returned."""
    ended: list[str] = []

    async def steady() -> None:
        try:
            await last()
        finally:
            ended.append("steady")

    with pytest.raises(StartupError, match=r"a part of it ended \(shaky\)"):
        await Supervisor().run({"steady": steady(), "shaky": end()})
    assert ended == ["steady"]
    assert "The part shaky has ended" in caplog.text
    assert ("canary of the disk" in caplog.text) == (end is fail)


async def test_a_sentence_for_the_operator_is_passed_on_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse() -> None:
        raise StartupError("Discord does not accept DISCORD_TOKEN.")

    with pytest.raises(StartupError, match=r"^Discord does not accept DISCORD_TOKEN\.$"):
        await Supervisor().run({"steady": last(), "gateway": refuse()})
    assert caplog.text == ""


async def test_it_is_known_which_parts_run() -> None:
    supervisor = Supervisor()
    assert not supervisor.is_running("writer")
    running = asyncio.create_task(supervisor.run({"writer": last()}))
    await eventually(lambda: supervisor.is_running("writer"))
    assert not supervisor.is_running("another")
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert not supervisor.is_running("writer")


async def test_a_part_that_will_not_end_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "PARTS_CLOSE_S", 0.01)
    let_go = asyncio.Event()

    async def cling() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(StartupError, match="shaky"):
        await Supervisor().run({"clinging": cling(), "shaky": end_quietly()})
    assert "The part clinging did not end" in caplog.text
    let_go.set()
    await asyncio.sleep(0)


async def test_a_heart_that_stops_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat = Heartbeat()
    assert not heartbeat.is_alive()
    beating = asyncio.create_task(heartbeat.run())
    await eventually(heartbeat.is_alive)
    beating.cancel()
    monkeypatch.setattr(supervision, "STALE_S", 0.0)
    assert not heartbeat.is_alive()


async def test_an_event_loop_that_stood_still_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "BEAT_S", 0.0)
    monkeypatch.setattr(supervision, "LATE_S", -1.0)
    beating = asyncio.create_task(Heartbeat().run())
    await eventually(lambda: bool(caplog.records))
    beating.cancel()
    assert "The event loop stood still for" in caplog.text


STUBBORN = """
import asyncio, sys, threading
import bot.__main__ as program
from bot.process import supervision

supervision.STOP_S = 0.3

def hang():
    print("up", flush=True)
    threading.Event().wait()

async def wait_for_a_thread(settings):
    await asyncio.to_thread(hang)

async def refuse_to_end(settings):
    print("up", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def turn_for_ever(settings):
    print("up", flush=True)
    while True:
        pass

program.COMMANDS["run"] = program.Command(globals()[sys.argv[1]], "run")
sys.exit(program.main(["run"]))
"""


@pytest.mark.process
@pytest.mark.parametrize("state", ["wait_for_a_thread", "refuse_to_end", "turn_for_ever"])
async def test_sigterm_ends_a_process_that_cannot_end_in_order(state: str) -> None:
    """Mutant: a cancelled task alone. The process of each state then lives for ever."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STUBBORN, state), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(HANG_S):
            assert process.stdout is not None
            assert await process.stdout.readline() == b"up\n"
            process.terminate()
            _, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 1
    assert b"could not end in order" in stderr


def test_a_process_is_ended_before_a_container_would_be_killed() -> None:
    assert supervision.STOP_S < 10
