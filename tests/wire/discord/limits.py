"""Discord's limits: so many requests a second in all, and so many messages for each channel within a while."""

import math
from collections import deque
from dataclasses import dataclass, field

from tests.wire.discord.answers import Answer, Call
from tests.wire.discord.faults import rate_limited
from tests.wire.discord.watch import now_s

MESSAGES = "/channels/{channel_id}/messages"


@dataclass(eq=False)
class Bucket:
    """At most `most` requests; `seconds` after the first of them the count begins anew."""

    most: int
    seconds: float
    begun: float = -math.inf
    taken: int = 0

    def take(self, now: float) -> bool:
        if now >= self.begun + self.seconds:
            self.begun, self.taken = now, 0
        if self.taken == self.most:
            return False
        self.taken += 1
        return True

    def free_in(self, now: float) -> float:
        """In milliseconds as Discord tells it, and never too early."""
        return math.ceil(max(self.begun + self.seconds - now, 0) * 1000 + 1) / 1000


@dataclass(eq=False)
class Limits:
    """None of them holds unless it is set."""

    per_second: int | None = None
    """In any second; Discord's is 50 (/docs/topics/rate-limits). Routes of interactions are exempt."""
    messages: tuple[int, float] | None = None
    """So many in so many seconds for each channel; 5 in 5 is what Discord's headers commonly say."""
    _recent: deque[float] = field(default_factory=deque)
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def refuse(self, call: Call) -> Answer | None:
        """The 429 of a limit that this request would exceed."""
        now = now_s()
        if not call.path.startswith(("/interactions/", "/webhooks/")) and self._is_over_all(now):
            return rate_limited(1.0, scope="global").answer
        bucket = self._bucket_of(call)
        return None if bucket is None or bucket.take(now) else rate_limited(bucket.free_in(now)).answer

    def headers(self, call: Call) -> dict[str, str]:
        """What Discord tells of the bucket that a request was counted in."""
        bucket = self._bucket_of(call)
        if bucket is None:
            return {}
        return {
            "X-RateLimit-Bucket": "messages",
            "X-RateLimit-Limit": str(bucket.most),
            "X-RateLimit-Remaining": str(bucket.most - bucket.taken),
            "X-RateLimit-Reset-After": f"{bucket.free_in(now_s()):.3f}",
        }

    def _is_over_all(self, now: float) -> bool:
        if self.per_second is None:
            return False
        while self._recent and now - self._recent[0] > 1.0:
            self._recent.popleft()
        if len(self._recent) >= self.per_second:
            return True
        self._recent.append(now)
        return False

    def _bucket_of(self, call: Call) -> Bucket | None:
        if self.messages is None or (call.method, call.route) != ("POST", MESSAGES):
            return None
        return self._buckets.setdefault(call.params["channel_id"], Bucket(*self.messages))
