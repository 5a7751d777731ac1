"""Health over a real socket: alive and ready."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bot.web.health import Check, Health
from bot.web.server import WebServer
from tests.web.raw_client import ask


async def _holds() -> bool:
    return True


async def _fails() -> bool:
    return False


async def _breaks() -> bool:
    raise OSError("canary-path")


async def _hangs() -> bool:
    await asyncio.Event().wait()
    return True


@pytest.fixture
def checks() -> dict[str, Check]:
    return {"database": _holds, "gateway": _holds, "engine": _holds}


@pytest.fixture
async def port(checks: dict[str, Check]) -> AsyncIterator[int]:
    server = WebServer("127.0.0.1", 0, Health({"writer": _holds}, checks).routes())
    await server.start()
    yield server.port
    await server.close()


async def _ready(checks: dict[str, Check]) -> tuple[int, dict[str, object]]:
    server = WebServer("127.0.0.1", 0, Health({"writer": _holds}, checks).routes())
    await server.start()
    try:
        reply = await ask(server.port, "GET", "/readyz")
    finally:
        await server.close()
    assert reply.headers["Content-Type"].startswith("application/json")
    assert b"canary" not in reply.body
    return reply.status, json.loads(reply.body)


async def test_a_turning_loop_is_alive(port: int) -> None:
    reply = await ask(port, "GET", "/healthz")
    assert (reply.status, json.loads(reply.body)) == (200, {"alive": True, "checks": {"writer": True}})


async def test_a_vital_part_that_does_not_work_is_named() -> None:
    checks: dict[str, Check] = {"writer": _breaks, "engine": _holds}
    server = WebServer("127.0.0.1", 0, Health(checks, {}).routes())
    await server.start()
    reply = await ask(server.port, "GET", "/healthz")
    await server.close()
    told = {"alive": False, "checks": {"writer": False, "engine": True}}
    assert (reply.status, json.loads(reply.body)) == (503, told)


async def test_it_is_ready_when_every_check_holds(checks: dict[str, Check]) -> None:
    status, body = await _ready(checks)
    told = {"writer": True, "database": True, "gateway": True, "engine": True}
    assert (status, body) == (200, {"ready": True, "checks": told})


@pytest.mark.parametrize("bad", [_fails, _breaks, _hangs])
async def test_one_bad_check_means_not_ready_and_is_named(
    checks: dict[str, Check], bad: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.health._CHECK_SECONDS", 0.05)
    status, body = await _ready(checks | {"gateway": bad})
    told = {"writer": True, "database": True, "gateway": False, "engine": True}
    assert (status, body) == (503, {"ready": False, "checks": told})


async def test_it_is_alive_even_when_it_is_not_ready(port: int, checks: dict[str, Check]) -> None:
    checks["database"] = _hangs
    assert (await ask(port, "GET", "/healthz")).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_takes_only_get(port: int, path: str) -> None:
    assert (await ask(port, "POST", path)).status == 405
