"""Health over a real socket: alive, ready, and the numbers."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.web.health import Check, Health, Metric
from bot.web.server import WebServer
from tests.web.raw_client import Reply, ask


async def _holds() -> bool:
    return True


async def _fails() -> bool:
    return False


async def _breaks() -> bool:
    raise OSError("canary-path")


async def _hangs() -> bool:
    await asyncio.Event().wait()
    return True


METRICS = [
    Metric("darkroom_trainings", "Trainings by state.", 3, {"status": "queued"}),
    Metric("darkroom_trainings", "Trainings by state.", 1, {"status": "training"}),
    Metric("darkroom_webhooks_total", "Deliveries.", 7, {"outcome": "accepted"}),
    Metric("darkroom_oldest_due_seconds", "Age of the oldest due row.", 1.5),
]


async def _read_metrics() -> Sequence[Metric]:
    return METRICS


@pytest.fixture
def checks() -> dict[str, Check]:
    return {"database": _holds, "gateway": _holds, "engine": _holds}


@pytest.fixture
async def port(checks: dict[str, Check]) -> AsyncIterator[int]:
    server = WebServer("127.0.0.1", 0, Health({"writer": _holds}, checks, _read_metrics).routes())
    await server.start()
    yield server.port
    await server.close()


async def _ready(checks: dict[str, Check]) -> tuple[int, dict[str, object]]:
    server = WebServer("127.0.0.1", 0, Health({"writer": _holds}, checks, _read_metrics).routes())
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
    server = WebServer("127.0.0.1", 0, Health(checks, {}, _read_metrics).routes())
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


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_health_takes_only_get(port: int, path: str) -> None:
    assert (await ask(port, "POST", path)).status == 405


async def _metrics(port: int) -> Reply:
    return await ask(port, "GET", "/metrics")


async def test_metrics_are_prometheus_text_with_help_and_labels(port: int) -> None:
    reply = await _metrics(port)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(reply.body.decode())}
    samples = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples == {(each.name, tuple(each.labels.values())): each.value for each in METRICS}
    assert (families["darkroom_trainings"].type, families["darkroom_webhooks"].type) == ("gauge", "counter")
    assert families["darkroom_trainings"].documentation == "Trainings by state."


async def test_without_the_package_metrics_say_what_to_install(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    reply = await _metrics(port)
    assert (reply.status, reply.body) == (404, b"Metrics need the package prometheus-client (the extra named metrics).")
