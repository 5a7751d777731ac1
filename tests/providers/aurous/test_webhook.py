import base64
import hashlib
import hmac
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.aurous.webhooks import TOLERANCE_S, verify_webhook
from bot.providers.base import VerifyWebhook, WebhookHint

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
SENT_S = int(NOW.timestamp())
SECRET = "whsec_" + base64.b64encode(b"twenty-four random bytes").decode()
NAME = "Aurous-Webhook-Signature"
IMAGE = {"event": "image.completed", "data": {"id": "img_1", "object": "inference", "status": "succeeded"}}
CHARACTER = {
    "id": "evt_1",
    "object": "event",
    "type": "character.completed",
    "created_at": "2026-06-20T12:00:00Z",
    "data": {"object": {"id": "char_1", "object": "character"}},
}
MUTATIONS = 5_000


def digest(body: bytes, sent_s: int = SENT_S, key: bytes = SECRET.encode()) -> str:
    return hmac.new(key, f"{sent_s}.".encode() + body, hashlib.sha256).hexdigest()


def signed(body: bytes, sent_s: int = SENT_S) -> dict[str, str]:
    return {NAME: f"t={sent_s},v1={digest(body, sent_s)}"}


def verify(
    body: bytes, headers: dict[str, str], secrets: list[str] | None = None, *, may_be_unsigned: bool = False
) -> WebhookHint | None:
    known = [SECRET] if secrets is None else secrets
    return verify_webhook(body, headers, known, may_be_unsigned=may_be_unsigned, now=NOW)


def body_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_fixed_vector_is_accepted() -> None:
    """The digest was made with another program."""
    judge: VerifyWebhook = verify_webhook
    body = b'{"event":"image.completed","data":{"id":"img_1"}}'
    header = "t=1750420800,v1=f18f54b30c8c540144cf6593fce35ffcb720470693ca86a3beaea0eff1fc7779"
    sent_at = datetime.fromtimestamp(1_750_420_800, UTC)

    hint = verify_webhook(body, {NAME: header}, ["whsec_test"], may_be_unsigned=False, now=sent_at)

    assert judge(body, {NAME: header}, ["whsec_test"], may_be_unsigned=False) is None
    assert hint == WebhookHint("img_1", is_training=False, variant="whole")


@pytest.mark.parametrize(
    ("payload", "request_id", "is_training"),
    [
        (IMAGE, "img_1", False),
        (CHARACTER, "char_1", True),
        ({"type": "image.failed", "event": "image.failed", "data": {"id": "img_2"}}, "img_2", False),
        ({"type": "image.cancelled", "data": {"object": {"id": "img_3"}}}, "img_3", False),
        ({"type": "character.failed", "data": {"id": "char_2", "object": "character"}}, "char_2", True),
        ({"type": "usage.balance_low", "data": {"id": "team_1"}}, "", False),
        ({"type": "webhook.endpoint_disabled", "data": {"id": "we_1"}}, "", False),
        ({"type": "something.new", "data": None}, "", False),
    ],
)
def test_both_envelopes_name_their_object(payload: dict[str, Any], request_id: str, is_training: bool) -> None:
    body = body_of(payload)

    assert verify(body, signed(body)) == WebhookHint(request_id, is_training, "whole")


def test_synthetic_delivery_is_a_test_about_nothing() -> None:
    body = body_of({**CHARACTER, "synthetic": True})

    assert verify(body, signed(body)) == WebhookHint("", is_training=False, variant="whole")


def test_any_of_several_secrets_and_signatures_will_do() -> None:
    body = body_of(IMAGE)
    header = f"v0=x, t={SENT_S},v1={'0' * 64},v1={digest(body)},v1={'f' * 64}"

    assert verify(body, {NAME.lower(): header}, ["whsec_old", "", SECRET]) is not None
    assert verify(body, {NAME: header}, ["whsec_old"]) is None


@pytest.mark.parametrize(
    ("variant", "key"),
    [
        ("rest", SECRET.removeprefix("whsec_").encode()),
        ("base64", b"twenty-four random bytes"),
    ],
)
def test_other_readings_of_the_secret_are_accepted_too(variant: str, key: bytes) -> None:
    body = body_of(IMAGE)
    hint = verify(body, {NAME: f"t={SENT_S},v1={digest(body, key=key)}"})

    assert hint is not None
    assert hint.variant == variant


def test_short_or_empty_rest_of_a_secret_signs_nothing() -> None:
    body = body_of(IMAGE)
    for secret, key in (("whsec_", b""), ("whsec_short", b"short"), ("", b"")):
        assert verify(body, {NAME: f"t={SENT_S},v1={digest(body, key=key)}"}, [secret]) is None


@pytest.mark.parametrize(("off_s", "taken"), [(0, True), (TOLERANCE_S, True), (TOLERANCE_S + 1, False)])
@pytest.mark.parametrize("direction", [-1, 1])
def test_delivery_may_be_five_minutes_off_either_way(off_s: int, taken: bool, direction: int) -> None:
    body = body_of(IMAGE)

    assert (verify(body, signed(body, SENT_S + direction * off_s)) is not None) is taken


def test_time_is_ours_unless_it_is_given() -> None:
    body = body_of(IMAGE)
    now_s = int(datetime.now(UTC).timestamp())

    assert verify_webhook(body, signed(body, now_s), [SECRET], may_be_unsigned=False) is not None
    late_s = now_s - int(timedelta(hours=1).total_seconds())
    assert verify_webhook(body, signed(body, late_s), [SECRET], may_be_unsigned=False) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        f"t={SENT_S}",
        "v1={digest}",
        f"t={SENT_S},t={SENT_S},v1={{digest}}",
        f"t=+{SENT_S},v1={{digest}}",
        f"t=٣{SENT_S},v1={{digest}}",
        f"t={SENT_S}.0,v1={{digest}}",
        f"t={SENT_S},v2={{digest}}",
        f"t={SENT_S},v1={{digest}}0",
        f"t={SENT_S},v1=sha256={{digest}}",
        "{digest}",
        "é" * 64,
        f"t={SENT_S}," + "v0=x," * 50 + "v1={digest}",
    ],
)
def test_malformed_signature_is_refused_even_where_none_is_needed(header: str) -> None:
    body = body_of(IMAGE)
    headers = {NAME: header.replace("{digest}", digest(body))}

    assert verify(body, headers) is None
    assert verify(body, headers, may_be_unsigned=True) is None


def test_two_signature_headers_are_refused() -> None:
    body = body_of(IMAGE)

    assert verify(body, {**signed(body), NAME.lower(): signed(body)[NAME]}) is None


def test_unsigned_delivery_counts_only_at_an_address_of_one_order() -> None:
    body = body_of(IMAGE)

    assert verify(body, {}) is None
    assert verify(body, {}, []) is None
    assert verify(body, {}, may_be_unsigned=True) == WebhookHint("img_1", is_training=False, variant="unsigned")
    assert verify(body, {NAME: "t=1,v1=x"}, [], may_be_unsigned=True) is not None


def test_unsigned_news_of_the_account_and_tests_are_refused() -> None:
    for payload in ({"type": "usage.balance_low", "data": {}}, {**IMAGE, "synthetic": True}, {}, {"type": "x"}):
        assert verify(body_of(payload), {}, may_be_unsigned=True) is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 60_000, b'{"type":7}', b'{"type":null,"data":{"id":"img_1"}}',
        b'{"type":"image.completed"}', b'{"type":"image.completed","data":{"id":7}}',
        b'{"type":"image.completed","data":{"id":"../me"}}', b'{"type":"image.completed","data":["id"]}',
    ],
)  # fmt: skip
def test_a_signed_body_must_still_be_an_envelope(body: bytes) -> None:
    assert verify(body, signed(body)) is None


def test_no_mutation_of_a_delivery_is_accepted() -> None:
    rng, body = random.Random(20_260_620), body_of(IMAGE)
    header, accepted = signed(body)[NAME], 0
    for number in range(MUTATIONS):
        changed, text = bytearray(body), header
        if number % 2:
            position = rng.randrange(len(header))
            other = rng.choice([c for c in "0123456789abcdefABCDEF,=tv \x00é" if c != header[position]])
            text = header[:position] + other + header[position + 1 :]
        else:
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        accepted += verify(bytes(changed), {NAME: text}) is not None

    assert accepted == 0


@given(
    st.binary(max_size=400),
    st.dictionaries(st.text() | st.just(NAME), st.text() | st.just(f"t={SENT_S},v1={'0' * 64}")),
    st.lists(st.text() | st.text().map("whsec_".__add__)),
    st.booleans(),
)
def test_verifying_never_raises(
    body: bytes, headers: dict[str, str], secrets: list[str], may_be_unsigned: bool
) -> None:
    assert verify(body, headers, secrets, may_be_unsigned=may_be_unsigned) is None
