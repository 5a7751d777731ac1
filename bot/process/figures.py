"""Numbers that only grow while the process runs, for `/metrics`: plain Python, so that counting costs next to nothing.

Labels are words of closed sets, never an id: each set of labels is a series that Prometheus keeps for ever.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counter:
    """`values` by the values of `labels`, in their order."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: dict[tuple[str, ...], float] = field(default_factory=dict)

    def add(self, *labels: str, by: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + by


@dataclass(slots=True)
class Durations:
    """How many were at most as long as each of `bounds` (seconds, rising), how many were longer, and their sum."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: Sequence[float]
    counts: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    sums: dict[tuple[str, ...], float] = field(default_factory=dict)

    def add(self, *labels: str, seconds: float) -> None:
        counts = self.counts.setdefault(labels, [0] * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, seconds)] += 1
        self.sums[labels] = self.sums.get(labels, 0) + seconds


CHANGES = Counter(
    "darkroom_changes_total",
    "Changes of state that were stored, by lane and by the word of the log.",
    ("lane", "event"),
)
CREDITS = Counter("darkroom_credits_spent_total", "Credits that ended jobs took.", ("provider",))
CALLS = Durations(
    "darkroom_provider_call_seconds",
    "How long calls to a provider took, with their repeats and pages.",
    ("provider", "call"),
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
CALL_ERRORS = Counter(
    "darkroom_provider_errors_total", "Calls to a provider that failed, by error.", ("provider", "call", "error")
)
DISCORD_REQUESTS = Counter(
    "darkroom_discord_requests_total",
    "Requests to Discord by answer: 2xx, 4xx, 429 and so on, or none without one.",
    ("answer",),
)
COUNTERS = (CHANGES, CREDITS, CALL_ERRORS, DISCORD_REQUESTS)
