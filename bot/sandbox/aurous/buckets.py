"""The rehearsal Aurous Labs' rate limits: one token bucket for each team and class of routes. No I/O.

Source: Aurous Labs /rate-limits. Where no bucket name is documented, it is chosen here.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

CAPACITIES = {
    "images_post": (120, 60),
    "estimate_post": (240, 120),
    "reads": (1200, 600),
    "files_post": (60, 30),
    "webhook_endpoints_post": (10, 10),
    "webhooks_test": (30, 30),
    "characters_post": (60, 30),
    "characters_get": (240, 120),
}
"""Calls at once, and calls that come back each minute; the first number of `webhooks_test` is assumed."""
ROUNDING = 1e-6
"""How much of a call may be missing, as floating-point sums are not exact."""


@dataclass(frozen=True, slots=True)
class BucketState:
    """`wait_s`: None when the call is allowed, else the seconds until one is."""

    capacity: int
    remaining: int
    full_at: datetime
    wait_s: float | None

    def headers(self) -> dict[str, str]:
        shown = {
            "X-RateLimit-Limit": str(self.capacity),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.full_at.timestamp())),
        }
        return shown if self.wait_s is None else shown | {"Retry-After": str(max(1, math.ceil(self.wait_s)))}


class Buckets:
    """`scale` multiplies every limit; above 0."""

    def __init__(self) -> None:
        self.scale = 1.0
        self._levels: dict[tuple[str, str], tuple[float, datetime]] = {}

    def take(self, team: str, bucket: str, now: datetime) -> BucketState:
        """Count one call of this team, if its bucket still holds one."""
        capacity = max(1, round(CAPACITIES[bucket][0] * self.scale))
        per_second = CAPACITIES[bucket][1] * self.scale / 60
        level, since = self._levels.get((team, bucket), (float(capacity), now))
        level = min(capacity, level + (now - since).total_seconds() * per_second)
        is_let_through = level >= 1 - ROUNDING
        wait_s = None if is_let_through else (1 - level) / per_second
        level = max(0.0, level - 1) if is_let_through else level
        self._levels[team, bucket] = (level, now)
        full_at = now + timedelta(seconds=(capacity - level) / per_second)
        return BucketState(capacity, int(level), full_at, wait_s)
