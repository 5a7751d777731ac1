"""Health routes: alive, ready, and metrics for Prometheus."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.web.server import HttpRequest, HttpResponse, Route

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

log = logging.getLogger(__name__)

_CHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Metric:
    """One number now. A name that ends in `_total` only ever grows; others go up and down."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Check = Callable[[], Awaitable[bool]]
ReadMetrics = Callable[[], Awaitable[Sequence[Metric]]]


class Health:
    """`vital` and `ready` are checks by name: each tells whether its part works right now.

    When a vital one fails, only a new start helps; the others get well by themselves.
    """

    def __init__(self, vital: Mapping[str, Check], ready: Mapping[str, Check], read_metrics: ReadMetrics) -> None:
        self._vital = dict(vital)
        self._ready = dict(ready)
        self._read_metrics = read_metrics

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.report_alive),
            Route("GET", "/readyz", self.report_ready),
            Route("GET", "/metrics", self.report_metrics),
        ]

    async def report_alive(self, _request: HttpRequest) -> HttpResponse:
        """200 when every vital check holds, else 503; the body names each. That there is an answer is one more."""
        return await _report("alive", self._vital)

    async def report_ready(self, _request: HttpRequest) -> HttpResponse:
        """The same with all checks."""
        return await _report("ready", self._vital | self._ready)

    async def report_metrics(self, _request: HttpRequest) -> HttpResponse:
        """Prometheus text format 0.0.4."""
        try:
            from prometheus_client import CollectorRegistry, generate_latest
        except ImportError:
            return HttpResponse(404, "Metrics need the package prometheus-client (the extra named metrics).")
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Snapshot(await self._read_metrics()))
        return HttpResponse(200, generate_latest(registry).decode(), "text/plain; version=0.0.4")


async def _report(what: str, checks: Mapping[str, Check]) -> HttpResponse:
    results = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
    body = {what: all(results), "checks": dict(zip(checks, results, strict=True))}
    return HttpResponse(200 if all(results) else 503, json.dumps(body), "application/json")


async def _run(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except Exception as error:  # web boundary: whatever breaks a check means not ready
        log.debug("The %s check failed.", name, exc_info=error)
        return False


class _Snapshot:
    """Gives prometheus-client the present numbers, grouped by name."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator["Family"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        families: dict[str, Family] = {}
        for metric in self._metrics:
            kind = CounterMetricFamily if metric.name.endswith("_total") else GaugeMetricFamily
            family = families.setdefault(metric.name, kind(metric.name, metric.help))
            family.add_sample(metric.name, dict(metric.labels), metric.value)
        yield from families.values()
