"""What Sentry and a collector of spans get: where it hurts, and nothing of any person, key or prompt."""

import asyncio
import gzip
import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.engine import Engine, Lane
from bot.errors import StartupError
from bot.process.telemetry import reporting
from bot.process.tracing import span
from bot.records.job import LaneName
from bot.records.training import Training
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.due import Claim, DueRows
from bot.storage.tables import trainings
from tests.fakes.member_history import live_through_everything
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD
from tests.fakes.studio import KEY, Studio
from tests.fakes.waiting import eventually

NAME = "Wilhelmina-at-the-lake"
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz012345"
CANARIES = [NAME, KEY, TOKEN, str(ANNA), str(ADMIN), str(CHANNEL), str(GUILD)]
EARLIER_NUMBERS = {str(number) for number in (ANNA, ADMIN, CHANNEL, GUILD)}


@pytest.fixture(autouse=True)
def _sentrys_own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sentry's SDK gives its logger a handler, a filter and a level when it begins for the first time."""
    logger = logging.getLogger("sentry_sdk.errors")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "filters", [])
    yield
    logger.setLevel(logging.NOTSET)


class Collector:
    """A server that keeps every body that it is sent, unpacked."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                packed = self.headers.get("Content-Encoding") == "gzip"
                collector.bodies.append((self.path, gzip.decompress(body) if packed else body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sent_to(self, path: str) -> bytes:
        return b"\n".join(body for where, body in self.bodies if path in where)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def assert_nothing_of_anybody(sent: bytes) -> None:
    for canary in CANARIES:
        # A number of three digits may stand in any line number or length; as a word of its own it is an id.
        wanted = f'"{canary}"' if canary in EARLIER_NUMBERS else canary
        assert wanted.encode() not in sent, canary


async def fail_once(studio: Studio) -> None:
    """An engine whose step fails with an error that quotes everything."""
    training = await studio.begin()

    async def advance(claim: Claim[Training]) -> None:
        secret = f"{NAME} {KEY} {TOKEN} {ANNA}"
        await asyncio.sleep(0)
        raise ValueError(secret)

    rows = DueRows(studio.database, trainings, Training)
    lane = Lane(LaneName.TRAININGS, rows, advance, 1)
    engine = asyncio.create_task(Engine([lane], clock=studio.clock, timings=studio.timings).run())
    failed = await eventually_postponed(studio, training.id)
    engine.cancel()
    await asyncio.wait({engine})
    assert failed.attempt == 1


async def eventually_postponed(studio: Studio, training_id: int) -> Training:
    found = await studio.training(training_id)

    async def look() -> None:
        nonlocal found
        found = await studio.training(training_id)

    while found.attempt == 0:
        await look()
        await asyncio.sleep(0.01)
    return found


async def test_an_error_goes_out_as_its_type_and_places_alone(studio: Studio, collector: Collector) -> None:
    """Mutant: the SDK's own event, with the error's words, local variables and breadcrumbs."""
    await studio.set_key()
    with reporting(f"http://public@{collector.address}/1", None, None):
        logging.getLogger("bot.test").info("a crumb of %s", NAME)
        await fail_once(studio)
        logging.getLogger("elsewhere").error(f"{NAME} {TOKEN}")  # noqa: G004 - as libraries do
        await eventually(lambda: len(collector.bodies) >= 2)
    sent = collector.sent_to("/envelope/")
    assert_nothing_of_anybody(sent)
    events = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    (ours,) = (each for each in events if each["logger"] == "bot.engine")
    assert ours["logentry"]["message"] == "A step failed; it is tried again later"
    (error,) = ours["exception"]["values"]
    assert (error["type"], ours["tags"]) == ("ValueError", {"job": "training-1"})
    assert {"_step", "advance"} <= {frame["function"] for frame in error["stacktrace"]["frames"]}
    (other,) = (each for each in events if each["logger"] == "elsewhere")
    assert "logentry" not in other


async def test_spans_have_names_and_ids_of_jobs_alone(studio: Studio, collector: Collector) -> None:
    """Mutant: spans that record exceptions, or what was asked of a provider."""
    with reporting(None, f"http://{collector.address}", None):
        await studio.set_key()
        studio.server.faults.next("GET /v2/me", Fault.answer(500))
        await live_through_everything(studio, ANNA, GUILD, NAME)
        await fail_once(studio)
    sent = collector.sent_to("/v1/traces")
    assert_nothing_of_anybody(sent)
    for name in (b"apiframe submit_training", b"apiframe account", b"discord send", b"step training", b"training-"):
        assert name in sent
    assert b"ValueError" in sent
    assert b"darkroom" in sent


def test_what_is_not_asked_for_reports_nothing() -> None:
    with reporting(None, None, None), span("step training", job="training-1"):
        assert "sentry_sdk.integrations.logging" not in vars(logging.getLogger("bot"))


@pytest.mark.parametrize(
    ("missing", "dsn", "endpoint", "says"),
    [
        (
            "sentry_sdk",
            "https://public@sentry.example/1",
            None,
            "DARKROOM_SENTRY_DSN is set, .* named sentry",
        ),
        ("opentelemetry.sdk.trace", None, "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_ENDPOINT is set, .* named otel"),
    ],
)
def test_a_missing_extra_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, missing: str, dsn: str | None, endpoint: str | None, says: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StartupError, match=says), reporting(dsn, endpoint, None):
        pass


def test_a_dsn_that_is_none_is_one_sentence() -> None:
    with (
        pytest.raises(StartupError, match="Copy it again from there"),
        reporting("https://sentry.test", None, None),
    ):
        pass
