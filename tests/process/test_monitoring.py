"""Health knows every part that the process cannot live without, and `python -m bot health` asks it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bot.client import DarkroomBot
from bot.engine import Engine
from bot.errors import StartupError
from bot.gateway import Gateway
from bot.process import monitoring
from bot.process.monitoring import build_health
from bot.process.supervision import Heartbeat, Supervisor
from bot.records.job import LaneName
from bot.services import build_lanes, build_services
from bot.web.probe import ask_health
from bot.web.server import WebServer
from tests.fakes.failing_disk import FULL, Disk, open_disk
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually
from tests.web.raw_client import ask

VITAL = {"writer", "engine", "gateway", "event loop"}


class Process:
    """A Darkroom without Discord: its parts run as app.py runs them."""

    def __init__(self, studio: Studio) -> None:
        opened = studio.opened
        self.database = opened.database
        self.engine = Engine(build_lanes(opened, build_services(opened)), clock=opened.clock, timings=opened.timings)
        self.supervisor, self.heartbeat = Supervisor(), Heartbeat()
        health = build_health(opened, self.engine, Gateway(never_built), self.supervisor, self.heartbeat)
        self.web = WebServer("127.0.0.1", 0, health.routes())

    async def run(self) -> None:
        assert self.database.writer is not None
        await self.supervisor.run(
            {
                "engine": self.engine.run(),
                "gateway": stay_connected(),
                "event-loop": self.heartbeat.run(),
                "writer": self.database.writer.watch(),
            }
        )

    async def checks(self) -> dict[str, bool]:
        reply = await ask(self.web.port, "GET", "/healthz")
        told = json.loads(reply.body)
        assert reply.status == (200 if told["alive"] else 503)
        checks: dict[str, bool] = told["checks"]
        assert told["alive"] == all(checks.values())
        return checks


def never_built() -> DarkroomBot:
    raise AssertionError("this test has no Discord")


async def stay_connected() -> None:
    await asyncio.Event().wait()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Before the studio opens its database."""
    monkeypatch.setattr(monitoring, "PROBE_KEPT_S", 0.0)
    return open_disk(monkeypatch)


@pytest.fixture
async def process(disk: Disk, studio: Studio) -> AsyncIterator[Process]:
    process = Process(studio)
    await process.web.start()
    yield process
    await process.web.close()


async def test_every_vital_part_is_known_and_well(process: Process) -> None:
    assert await process.checks() == {"writer": True, "engine": False, "gateway": False, "event loop": False}
    running = asyncio.create_task(process.run())
    await eventually(process.engine.is_alive)
    assert await process.checks() == dict.fromkeys(VITAL, True)
    assert json.loads(await asyncio.to_thread(ask_health, "0.0.0.0", process.web.port))["alive"]  # noqa: S104
    running.cancel()
    await asyncio.wait({running})
    assert (await process.checks())["gateway"] is False


async def test_a_writer_that_has_died_is_seen_and_ends_the_process(process: Process) -> None:
    """Mutant: health that only reads, which a dead writer does not hinder."""
    running = asyncio.create_task(process.run())
    await eventually(process.engine.is_alive)
    assert process.database.writer is not None
    assert process.database.writer._task is not None
    process.database.writer._task.cancel()
    with pytest.raises(StartupError, match="writer"):
        await running
    assert (await process.checks())["writer"] is False
    with pytest.raises(StartupError, match=r'Darkroom is not well: .*"writer": false'):
        await asyncio.to_thread(ask_health, "127.0.0.1", process.web.port)


async def test_a_disk_that_cannot_be_written_is_seen_as_long_as_it_lasts(process: Process, disk: Disk) -> None:
    disk.fails["COMMIT"] = FULL
    assert (await process.checks())["writer"] is False
    disk.fails.clear()
    assert (await process.checks())["writer"] is True


async def test_those_who_ask_often_do_not_make_the_disk_work(
    process: Process, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "PROBE_KEPT_S", 60.0)
    assert (await process.checks())["writer"] is True
    disk.fails["COMMIT"] = FULL
    assert [(await process.checks())["writer"] for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("part", [f"lane-{LaneName.TRAININGS}", f"lane-{LaneName.POSTS}", "lease-renewal"])
async def test_a_lane_that_was_cancelled_alone_ends_the_process(process: Process, part: str) -> None:
    """Mutant: asyncio.TaskGroup, which takes a cancelled child for one that has done its work."""
    running = asyncio.create_task(process.run())
    await eventually(process.engine.is_alive)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == part)
    task.cancel()
    with pytest.raises(StartupError, match=part):
        await running


async def test_nothing_on_the_port_is_said_in_a_sentence(process: Process) -> None:
    port = process.web.port
    await process.web.close()
    with pytest.raises(StartupError, match=f"does not answer on localhost:{port} .*Is it running"):
        await asyncio.to_thread(ask_health, "localhost", port)


async def test_proxies_of_the_environment_are_not_asked(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(StartupError, match="is not well"):
        await asyncio.to_thread(ask_health, "127.0.0.1", process.web.port)
