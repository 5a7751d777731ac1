import random
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint
from bot.sandbox.apiframe.answers import sign
from tests.providers.sample_orders import API_KEY

SAMPLES = Path(__file__).parents[2] / "samples" / "apiframe"
LORA_ID = "8a4d2c14-0000-4000-8000-000000000001"
JOB_ID = "a1b2c3d4-e5f6-4890-abcd-ef1234567890"
LORA_BODY = (
    b'{"event":"completed","id":"8a4d2c14-0000-4000-8000-000000000001","status":"READY","imageCount":18,'
    b'"completedAt":"2026-04-25T10:42:11.000Z"}'
)
JOB_BODY = (
    b'{"event":"completed","jobId":"a1b2c3d4-e5f6-4890-abcd-ef1234567890","status":"COMPLETED","progress":100,'
    b'"result":{"images":["https://cdn2.apiframe.ai/images/a1b2c3d4-e5f6-4890-abcd-ef1234567890-1.png"]},'
    b'"model":"flux-lora","creditCost":2,"completedAt":"2026-04-25T10:50:00.000Z"}'
)
VECTORS = [
    (LORA_BODY, "hex", "4815c514e3d54e98a828f671b101282de42975b8b45aab60588448ceb510fb38"),
    (LORA_BODY, "raw", "36e5c2f5c47f0468f9e398d988bab5656ac228140ef27012803dea21a7ecfcad"),
    (JOB_BODY, "hex", "45df9ec357055c2498fbed16b15d43b22f38d0c1c6275894720acddefb8966aa"),
    (JOB_BODY, "raw", "e59ffcc6ed7af6ce6d7350f7cbf4bf566ea9fe6ce0a5c0f1b87a5a769d02bed4"),
]
MUTATIONS = 20_000

verify = partial(verify_webhook, may_be_unsigned=True)
"""Apiframe signs every delivery, so the permission must never help."""


@pytest.mark.parametrize("prefix", ["", "sha256="])
@pytest.mark.parametrize(("body", "variant", "signature"), VECTORS)
def test_fixed_vectors_are_accepted_in_both_variants(body: bytes, variant: str, signature: str, prefix: str) -> None:
    is_training = body is LORA_BODY

    hint = verify(body, {"x-webhook-SIGNATURE": prefix + signature}, ["afk_another", API_KEY])

    assert hint == WebhookHint(LORA_ID if is_training else JOB_ID, is_training, variant)


def test_vector_bodies_have_their_documented_lengths() -> None:
    assert (len(LORA_BODY), len(JOB_BODY)) == (139, 279)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Signature": ""},
        {"X-Webhook-Signature": "sha256="},
        {"X-Webhook-Signature": VECTORS[0][2].upper()},
        {"X-Webhook-Signature": "sha512=" + VECTORS[0][2]},
        {"X-Webhook-Signature": VECTORS[0][2] + "\n"},
        {"X-Webhook-Signature": "é" * 64},
        {"X-Webhook-Signature": VECTORS[0][2], "x-webhook-signature": VECTORS[0][2]},
    ],
)
def test_missing_or_malformed_signature_is_refused(headers: dict[str, str]) -> None:
    assert verify(LORA_BODY, headers, [API_KEY]) is None


def test_nothing_is_accepted_without_a_key() -> None:
    forged = {"X-Webhook-Signature": sign(LORA_BODY, "", "hex")}

    assert verify(LORA_BODY, forged, []) is None
    assert verify(LORA_BODY, forged, [""]) is None


def test_a_signed_body_must_still_name_an_object() -> None:
    bodies = (
        b"",
        b"[]",
        b"{}",
        b'{"id":7}',
        b'{"jobId":null,"id":"x"}',
        b'{"id":"../me"}',
        b"[" * 60_000,
        b"\xff",
        b'{"id":',
    )

    for body in bodies:
        assert verify(body, {"X-Webhook-Signature": sign(body, API_KEY, "hex")}, [API_KEY]) is None


def test_no_mutation_of_a_delivery_is_accepted() -> None:
    rng = random.Random(20_260_425)
    accepted = 0
    for number in range(MUTATIONS):
        body, _, signature = VECTORS[number % len(VECTORS)]
        header, mutated = f"sha256={signature}", bytearray(body)
        if number % 2:
            position = rng.randrange(7, len(header))
            other = rng.choice([c for c in "0123456789abcdefABCDEF \x00é" if c != header[position]])
            header = header[:position] + other + header[position + 1 :]
        else:
            position, kind = rng.randrange(len(mutated)), rng.randrange(3)
            if kind == 0:
                mutated[position] ^= rng.randrange(1, 256)
            elif kind == 1:
                del mutated[position:]
            else:
                mutated.insert(position, rng.randrange(256))
        accepted += verify(bytes(mutated), {"X-Webhook-Signature": header}, [API_KEY]) is not None

    assert accepted == 0


@given(
    st.binary(max_size=400), st.dictionaries(st.text() | st.just("X-Webhook-Signature"), st.text()), st.lists(st.text())
)
def test_verifying_never_raises(body: bytes, headers: dict[str, str], api_keys: list[str]) -> None:
    assert verify(body, headers, api_keys) is None
