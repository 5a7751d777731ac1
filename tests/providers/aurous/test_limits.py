from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Busy
from bot.providers.aurous import limits as aurous_limits
from bot.providers.aurous.limits import AurousLimits, bucket_of, fingerprint
from tests.fakes.clock import NOON, ManualClock

EPOCH = int(NOON.timestamp())
EMPTY = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 120)}


def wait_of(limits: AurousLimits, key: str = "k", bucket: str = "images_post") -> float | None:
    try:
        limits.check(key, bucket)
    except Busy as error:
        return error.retry_after
    return None


@pytest.mark.parametrize(
    ("method", "path", "bucket"),
    [
        ("POST", "/v1/images", "images_post"),
        ("POST", "/v1/images/img_1/cancel", "images_post"),
        ("POST", "/v1/images/estimate", "estimate_post"),
        ("GET", "/v1/images/img_1", "reads"),
        ("GET", "/v1/images?limit=100", "reads"),
        ("GET", "/v1/balance", "reads"),
        ("GET", "/v1/loras", "reads"),
        ("POST", "/v1/files", "files"),
        ("POST", "/v1/webhook_endpoints", "webhook_endpoints"),
        ("POST", "/v1/webhook_endpoints/we_1/test", "webhooks_test"),
        ("DELETE", "/v1/webhook_endpoints/we_1", "webhook_endpoints_delete"),
        ("DELETE", "/v1/characters/char_1", "characters_post"),
        ("GET", "/v1/characters?limit=100", "characters_get"),
        ("POST", "/v1/characters", "characters_post"),
        ("POST", "/v1/characters/uploads/init", "characters_post"),
        ("POST", "/v1/characters/char_1/save", "characters_post"),
    ],
)
def test_every_call_has_its_bucket(method: str, path: str, bucket: str) -> None:
    assert bucket_of(method, path) == bucket


def test_empty_bucket_is_busy_until_it_holds_one_call_again() -> None:
    clock = ManualClock()
    limits = AurousLimits(clock)
    limits.note("k", "images_post", EMPTY, is_refusal=False)

    assert wait_of(limits) == 1.0
    assert wait_of(limits, bucket="reads") is None
    assert wait_of(limits, key="other") is None
    clock.advance(timedelta(seconds=1))
    assert wait_of(limits) is None


@pytest.mark.parametrize("step", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_is_set_back_closes_no_bucket_for_longer(step: timedelta) -> None:
    """Mutant: a moment of the wrong clock is waited for. Polls lie an hour ahead."""
    clock = ManualClock()
    limits = AurousLimits(clock)
    limits.note("k", "images_post", EMPTY, is_refusal=False)
    clock.set_back(step)
    assert wait_of(limits) is None
    limits.note("k", "images_post", {"retry-after": "7"}, is_refusal=True)
    assert wait_of(limits) == 7.0


@pytest.mark.parametrize("reset", [str(EPOCH + 60), "60"])
def test_headers_without_an_x_and_resets_in_seconds_are_read(reset: str) -> None:
    limits = AurousLimits(ManualClock())
    headers = {"ratelimit-limit": "60", "ratelimit-remaining": "0", "ratelimit-reset": reset}
    limits.note("k", "images_post", headers, is_refusal=False)

    assert wait_of(limits) == 1.0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**EMPTY, "x-ratelimit-remaining": "1"},
        {**EMPTY, "x-ratelimit-remaining": "none"},
        {**EMPTY, "x-ratelimit-reset": str(EPOCH - 5)},
        {**EMPTY, "x-ratelimit-reset": "soon"},
        {"x-ratelimit-remaining": "0"},
        {"retry-after": "7"},
    ],
)
def test_bucket_that_is_not_known_to_be_empty_is_used(headers: dict[str, str]) -> None:
    limits = AurousLimits(ManualClock())
    limits.note("k", "images_post", headers, is_refusal=False)

    assert wait_of(limits) is None


def test_refusal_closes_the_bucket_for_as_long_as_it_says() -> None:
    limits = AurousLimits(ManualClock())
    limits.note("k", "images_post", {**EMPTY, "retry-after": "7"}, is_refusal=True)
    assert wait_of(limits) == 7.0

    limits.note("k", "files", {}, is_refusal=True)
    assert wait_of(limits, bucket="files") is None


def test_memory_is_bounded_and_forgets_what_was_not_noted_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aurous_limits, "BUCKETS_MOST", 3)
    limits = AurousLimits(ManualClock())
    for key in "abcad":
        limits.note(key, "images_post", EMPTY, is_refusal=False)

    assert [wait_of(limits, key) for key in "abcd"] == [1.0, None, 1.0, 1.0]


def test_fingerprint_tells_keys_apart_without_holding_them() -> None:
    assert fingerprint("al_live_a") != fingerprint("al_live_b")
    assert "al_live" not in fingerprint("al_live_a")


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_no_headers_close_a_bucket_for_more_than_a_quarter_of_an_hour(
    limit: str, remaining: str, reset: str, retry_after: str, is_refusal: bool
) -> None:
    limits = AurousLimits(ManualClock())
    headers = {
        "x-ratelimit-limit": limit,
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-reset": reset,
        "retry-after": retry_after,
    }
    limits.note("k", "images_post", headers, is_refusal=is_refusal)
    limits.note("k", "files", {**EMPTY, "x-ratelimit-reset": "999999999"}, is_refusal=False)

    assert (wait_of(limits) or 0) <= 900
    assert wait_of(limits, bucket="files") == 900
