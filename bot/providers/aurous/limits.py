"""The rate limits that Aurous Labs' answers report. Nothing is sent while a limit is known to be used up."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import Busy
from bot.providers.answers import RETRY_AFTER_CAP_S, retry_after_s

BUCKETS_MOST = 4096
"""How many empty buckets are kept; beyond that, the one that was noted longest ago is dropped."""
EPOCH_LEAST_S = 1_000_000_000
"""From this value on, a reset is a Unix time; below it, a number of seconds from now."""

_WHOLE = re.compile(r"[0-9]{1,12}")


def bucket_of(method: str, path: str) -> str:
    """The bucket that a call is counted in (Aurous Labs /rate-limits, /characters); unnamed ones have our names."""
    first, *rest = path.partition("?")[0].removeprefix("/v1/").split("/")
    last = rest[-1] if rest else ""
    if first == "characters":
        return "characters_get" if method == "GET" else "characters_post"
    if method == "GET":
        return "reads"
    if first == "images":
        return "estimate_post" if last == "estimate" else "images_post"
    if first == "webhook_endpoints" and last == "test":
        return "webhooks_test"
    return first if method == "POST" else f"{first}_{method.lower()}"


def fingerprint(api_key: str) -> str:
    """A hash that stands for a key, so that the key itself is not kept."""
    return hashlib.sha256(api_key.encode(errors="surrogatepass")).hexdigest()[:32]


class AurousLimits:
    """One for all clients of a process. Limits belong to a team, but only its keys are known here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._empty: OrderedDict[tuple[str, str], tuple[datetime, datetime]] = OrderedDict()
        """Since when and until when."""

    def check(self, key: str, bucket: str) -> None:
        """Raise Busy while the bucket is known to be empty. `key` is a fingerprint."""
        since, until = self._empty.get((key, bucket), (None, None))
        if since is None or until is None:
            return
        now = self._clock.now()
        # Before `since` the clock was set back; an answer tells anew how long to wait.
        if since <= now < until:
            wait_s = (until - now).total_seconds()
            raise Busy("Too many orders at once. Please wait a moment.", status=429, retry_after=wait_s)
        del self._empty[key, bucket]

    def note(self, key: str, bucket: str, headers: Mapping[str, str], *, is_refusal: bool) -> None:
        """Keep what an answer's headers say; `is_refusal`: it was a 429 because this bucket is empty."""
        now = self._clock.now()
        wait_s = retry_after_s(headers, now) if is_refusal else None
        if wait_s is None:
            wait_s = _refill_s(headers, now)
        if wait_s is None or wait_s <= 0:
            return
        self._empty[key, bucket] = (now, now + timedelta(seconds=wait_s))
        self._empty.move_to_end((key, bucket))
        while len(self._empty) > BUCKETS_MOST:
            self._empty.popitem(last=False)


def _refill_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until an empty bucket holds one call again; None when it is not empty or this cannot be told.

    The reset is when the bucket is full again, and it fills evenly (Aurous Labs /rate-limits).
    """
    limit, remaining, reset = (_header(headers, name) for name in ("limit", "remaining", "reset"))
    if remaining != 0 or reset is None:
        return None
    full_s = reset - now.timestamp() if reset >= EPOCH_LEAST_S else float(reset)
    return min(max(full_s, 0.0) / max(limit or 1, 1), RETRY_AFTER_CAP_S)


def _header(headers: Mapping[str, str], name: str) -> int | None:
    """One route's documentation leaves the X out (Aurous Labs /usage)."""
    value = headers.get(f"x-ratelimit-{name}", headers.get(f"ratelimit-{name}", "")).strip()
    return int(value) if _WHOLE.fullmatch(value) else None
