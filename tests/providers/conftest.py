"""The real client against the rehearsal server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from bot.providers.apiframe import Apiframe
from bot.providers.base import PhotoFile
from bot.providers.transport import Transport
from bot.sandbox.apiframe import RehearsalApiframe
from tests.providers.calls import INSTANT
from tests.providers.orders import API_KEY, make_photos


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    """Three tries as in life, but no pause between them."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RehearsalApiframe]:
    server = RehearsalApiframe(tmp_path / "rehearsal", {API_KEY: 1000, "afk_poor": 1, "afk_other": 1000}, pace=INSTANT)
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
