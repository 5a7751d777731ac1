"""The rehearsal server under a manual clock, and those who talk to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from tests.providers.sample_orders import API_KEY
from tests.sandbox.apiframe.raw_client import TIMINGS, Caller, ManualClock, Receiver
from tests.sandbox.aurous.raw_client import (
    AUROUS_TIMINGS,
    KEY,
    MATE_KEY,
    OTHER_KEY,
    POOR_KEY,
    AurousCaller,
    AurousReceiver,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RehearsalApiframe]:
    accounts = {API_KEY: 1000, "afk_mate": 0, "afk_other": 1000, "afk_thin": 100, "afk_poor": 1}
    teams = {API_KEY: "Studio", "afk_mate": "Studio"}
    server = RehearsalApiframe(tmp_path, accounts, TIMINGS, now=clock, teams=teams)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def caller(server: RehearsalApiframe, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, server.base_url)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with served(receiver):
        yield receiver


@pytest.fixture
async def aurous_server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RehearsalAurous]:
    """Two keys of one team, a stranger, and one who has next to nothing."""
    keys = {KEY: 100, MATE_KEY: 0, OTHER_KEY: 100, POOR_KEY: 1}
    teams = {KEY: "Studio", MATE_KEY: "Studio"}
    server = RehearsalAurous(tmp_path / "aurous", keys, AUROUS_TIMINGS, now=clock, teams=teams)
    server.faults.answers.picture_side_cap_px = 128
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def aurous(aurous_server: RehearsalAurous, session: aiohttp.ClientSession) -> AurousCaller:
    return AurousCaller(session, aurous_server)


@pytest.fixture
async def aurous_receiver() -> AsyncIterator[AurousReceiver]:
    receiver = AurousReceiver()
    async with served(receiver):
        yield receiver


@asynccontextmanager
async def served(receiver: Receiver | AurousReceiver) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield
    finally:
        await runner.cleanup()
