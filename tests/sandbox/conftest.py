"""The rehearsal server under a manual clock, and those who talk to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.apiframe import RehearsalApiframe
from tests.providers.orders import API_KEY
from tests.sandbox.callers import PACE, Caller, ManualClock, Receiver


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RehearsalApiframe]:
    accounts = {API_KEY: 1000, "afk_mate": 0, "afk_other": 1000, "afk_thin": 100, "afk_poor": 1}
    teams = {API_KEY: "Studio", "afk_mate": "Studio"}
    server = RehearsalApiframe(tmp_path, accounts, PACE, now=clock, teams=teams)
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
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()
