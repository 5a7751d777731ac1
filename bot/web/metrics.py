"""The route of metrics, in Prometheus' text format: for whoever reaches the listener, or has its token."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.process.figures import Counter, Durations
from bot.web.server import HttpRequest, HttpResponse, Route

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

KEPT_S = 3.0
"""Those who ask more often get the last answer, so that no scraper can make the database work."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number now. A name that ends in `_total` only ever grows; others go up and down."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


ReadMetrics = Callable[[], Awaitable[Sequence[Metric | Counter | Durations]]]


class MetricsRoute:
    """`token`: what a reader has to bring, as `Authorization: Bearer …`; None: nothing."""

    def __init__(self, read: ReadMetrics, token: str | None = None) -> None:
        self._read = read
        self._token = token
        self._turn = asyncio.Lock()
        self._kept: tuple[float, str] | None = None

    def routes(self) -> list[Route]:
        return [Route("GET", "/metrics", self.report)]

    async def report(self, request: HttpRequest) -> HttpResponse:
        """Prometheus text format 0.0.4."""
        if self._token is not None and not _is_same(request.headers.get("Authorization", ""), f"Bearer {self._token}"):
            headers = {"WWW-Authenticate": "Bearer"}
            return HttpResponse(HTTPStatus.UNAUTHORIZED, "Metrics need their token.", headers=headers)
        try:
            import prometheus_client  # noqa: F401 - an extra
        except ImportError:
            return HttpResponse(404, "Metrics need the package prometheus-client (the extra named metrics).")
        return HttpResponse(200, await self._text(), "text/plain; version=0.0.4")

    async def _text(self) -> str:
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._kept is None or now - self._kept[0] >= KEPT_S:
                self._kept = (now, _export(await self._read()))
            return self._kept[1]


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())


def _export(metrics: Sequence[Metric | Counter | Durations]) -> str:
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(metrics))
    registry.register(ProcessCollector(registry=None))
    return generate_latest(registry).decode()


class _Snapshot:
    """Gives prometheus-client the present numbers, grouped by name."""

    def __init__(self, metrics: Sequence[Metric | Counter | Durations]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator["Family"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        families: dict[str, Family] = {}
        for metric in self._metrics:
            if isinstance(metric, Counter):
                families[metric.name] = counted = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
                for labels, value in metric.values.items():
                    counted.add_metric(labels, value)
            elif isinstance(metric, Durations):
                families[metric.name] = _histogram(metric)
            else:
                kind = CounterMetricFamily if metric.name.endswith("_total") else GaugeMetricFamily
                family = families.setdefault(metric.name, kind(metric.name, metric.help))
                family.add_sample(metric.name, dict(metric.labels), metric.value)
        yield from families.values()


def _histogram(durations: Durations) -> "Family":
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(durations.name, durations.help, labels=durations.labels)
    for labels, counts in durations.counts.items():
        below, buckets = 0, []
        for bound, count in zip([*map(str, durations.bounds), "+Inf"], counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric(labels, buckets, sum_value=durations.sums[labels])
    return family
