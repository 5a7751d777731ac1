"""The numbers over a real socket: what they look like, who may read them, and how often they are read."""

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.process.figures import Counter, Durations
from bot.web import metrics
from bot.web.metrics import Metric, MetricsRoute
from bot.web.server import WebServer
from tests.web.raw_client import Reply, ask

TOKEN = "numbers-for-friends"
GAUGES = [
    Metric("darkroom_open_jobs", "Rows by status.", 3, {"lane": "training", "status": "queued"}),
    Metric("darkroom_open_jobs", "Rows by status.", 1, {"lane": "training", "status": "training"}),
    Metric("darkroom_webhooks_total", "Deliveries.", 7, {"outcome": "accepted"}),
    Metric("darkroom_oldest_due_seconds", "Age of the oldest due row.", 1.5),
]


class Source:
    """What is exported, and how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.counter = Counter("darkroom_changes_total", "Changes.", ("lane", "event"))
        self.durations = Durations("darkroom_provider_call_seconds", "Calls.", ("provider",), (0.5, 2))

    async def read(self) -> Sequence[Metric | Counter | Durations]:
        self.reads += 1
        return [*GAUGES, self.counter, self.durations]


@pytest.fixture
def source() -> Source:
    return Source()


@contextlib.asynccontextmanager
async def serving(route: MetricsRoute) -> AsyncIterator[int]:
    server = WebServer("127.0.0.1", 0, route.routes())
    await server.start()
    yield server.port
    await server.close()


@pytest.fixture
async def port(source: Source) -> AsyncIterator[int]:
    async with serving(MetricsRoute(source.read)) as port:
        yield port


@pytest.fixture
async def guarded(source: Source) -> AsyncIterator[int]:
    async with serving(MetricsRoute(source.read, TOKEN)) as port:
        yield port


Samples = dict[tuple[str, frozenset[str]], float]


def samples_of(reply: Reply) -> Samples:
    """By name and the values of the labels."""
    families = text_string_to_metric_families(reply.body.decode())
    return {(each.name, frozenset(each.labels.values())): each.value for family in families for each in family.samples}


async def test_metrics_are_prometheus_text_with_help_and_labels(port: int) -> None:
    reply = await ask(port, "GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(reply.body.decode())}
    given = {(each.name, frozenset(each.labels.values())): each.value for each in GAUGES}
    assert given.items() <= samples_of(reply).items()
    assert (families["darkroom_open_jobs"].type, families["darkroom_webhooks"].type) == ("gauge", "counter")
    assert families["darkroom_open_jobs"].documentation == "Rows by status."


async def test_counters_and_durations_are_exported_as_they_stand(port: int, source: Source) -> None:
    source.counter.add("post", "posted")
    source.counter.add("post", "posted")
    for seconds in (0.1, 0.5, 1, 30):
        source.durations.add("aurous", seconds=seconds)
    samples = samples_of(await ask(port, "GET", "/metrics"))
    assert samples["darkroom_changes_total", frozenset(("post", "posted"))] == 2
    name = "darkroom_provider_call_seconds"
    assert [samples[f"{name}_bucket", frozenset(("aurous", bound))] for bound in ("0.5", "2", "+Inf")] == [2, 3, 4]
    assert samples[f"{name}_sum", frozenset(("aurous",))] == pytest.approx(31.6)


async def test_what_has_not_happened_yet_has_its_name_all_the_same(port: int) -> None:
    names = {
        line.split()[2] for line in (await ask(port, "GET", "/metrics")).body.decode().splitlines() if "TYPE" in line
    }
    assert {"darkroom_changes_total", "darkroom_provider_call_seconds"} <= names


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"bearer{TOKEN}"]
)
async def test_without_the_token_nothing_is_told(guarded: int, source: Source, header: str | None) -> None:
    """Mutant: a token that is compared by its start, or not at all."""
    reply = await ask(guarded, "GET", "/metrics", headers={} if header is None else {"Authorization": header})
    assert (reply.status, reply.body) == (401, b"Metrics need their token.")
    assert source.reads == 0


async def test_with_the_token_they_are_told(guarded: int) -> None:
    reply = await ask(guarded, "GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.status == 200


async def test_those_who_ask_often_get_the_last_answer(
    port: int, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: a scraper that makes the database work with each request."""
    monkeypatch.setattr(metrics, "KEPT_S", 60.0)
    replies = [await ask(port, "GET", "/metrics") for _ in range(3)]
    assert {each.body for each in replies} == {replies[0].body}
    assert source.reads == 1
    monkeypatch.setattr(metrics, "KEPT_S", 0.0)
    await ask(port, "GET", "/metrics")
    assert source.reads == 2


async def test_metrics_take_only_get(port: int) -> None:
    assert (await ask(port, "POST", "/metrics")).status == 405


async def test_without_the_package_metrics_say_what_to_install(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    reply = await ask(port, "GET", "/metrics")
    assert (reply.status, reply.body) == (404, b"Metrics need the package prometheus-client (the extra named metrics).")
