"""The real client against the rehearsal server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina
from aiohttp import web

from bot.clock import SystemClock
from bot.providers.apiframe.client import Apiframe
from bot.providers.aurous.client import Aurous
from bot.providers.aurous.limits import AurousLimits
from bot.providers.base import PhotoFile
from bot.providers.transport import Transport
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from tests.fakes.small_pictures import paint_small
from tests.providers.calls import AUROUS_INSTANT, AUROUS_KEY, INSTANT
from tests.providers.mailbox import Mailbox
from tests.providers.sample_orders import API_KEY, make_photos


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    """Three tries as in life, but no pause between them."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RehearsalApiframe]:
    server = RehearsalApiframe(
        tmp_path / "rehearsal", {API_KEY: 1000, "afk_poor": 1, "afk_other": 1000}, timings=INSTANT
    )
    paint_small(server)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport() as transport:
        yield transport


@pytest.fixture
def client(server: RehearsalApiframe, transport: Transport) -> Apiframe:
    return Apiframe(transport, server.base_url, API_KEY)


@pytest.fixture
def photos(tmp_path: Path) -> list[PhotoFile]:
    return make_photos(tmp_path)


@pytest.fixture
async def aurous_server(tmp_path: Path) -> AsyncIterator[RehearsalAurous]:
    keys = {AUROUS_KEY: 1000, "al_live_poor": 0, "al_live_other": 1000}
    server = RehearsalAurous(tmp_path / "aurous", keys, timings=AUROUS_INSTANT)
    paint_small(server)
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def limits() -> AurousLimits:
    return AurousLimits(SystemClock())


@pytest.fixture
def aurous(aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits) -> Aurous:
    return Aurous(transport, aurous_server.base_url, AUROUS_KEY, limits)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    app = web.Application()
    app.router.add_post("/hook", mailbox.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mailbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield mailbox
    await runner.cleanup()
