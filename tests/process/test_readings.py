"""What `/metrics` tells of a Darkroom: where it is to be had, and that it goes on when the database does not."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import __version__
from bot.app import Darkroom, assemble
from bot.config import Settings
from bot.errors import StorageTrouble
from bot.storage import backlog
from tests.web.raw_client import ask

ANY_PORT = ("127.0.0.1", 0)
TOKEN = "numbers-for-friends"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextlib.asynccontextmanager
async def listening(folder: Path, **settings: Any) -> AsyncIterator[Darkroom]:
    given = Settings(darkroom_data_dir=folder / "data", darkroom_listen=ANY_PORT, **settings)
    async with assemble(given) as darkroom:
        for server in darkroom.servers:
            await server.start()
        yield darkroom


async def test_a_port_of_its_own_is_the_only_place_for_metrics(tmp_path: Path) -> None:
    """Mutant: metrics that stay on the public listener although they have a port."""
    apart = {"darkroom_metrics_listen": ANY_PORT, "darkroom_metrics_token": SecretStr(TOKEN)}
    async with listening(tmp_path, **apart) as darkroom:
        own = darkroom.servers[1].port
        assert (await ask(darkroom.web.port, "GET", "/metrics")).status == 404
        assert (await ask(darkroom.web.port, "GET", "/healthz")).status in {200, 503}
        assert (await ask(own, "GET", "/metrics")).status == 401
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert (await ask(own, "GET", "/metrics", headers=bearer)).status == 200
        assert (await ask(own, "GET", "/healthz", headers=bearer)).status == 404


async def test_a_database_that_cannot_be_read_takes_no_other_number_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: no answer at all in the minute in which somebody looks."""

    async def away(*_: object) -> None:
        raise StorageTrouble("The database is away.")

    monkeypatch.setattr(backlog, "oldest_due", away)
    async with listening(tmp_path) as darkroom:
        reply = await ask(darkroom.web.port, "GET", "/metrics")
    text = reply.body.decode()
    assert reply.status == 200
    assert "darkroom_database_readable 0.0" in text
    assert f'version="{__version__}"' in text
    assert "darkroom_loop_lag_seconds" in text
    assert "darkroom_open_jobs{" not in text
