import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Busy, KeyRejected, Missing, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.answers import SENTENCE_CAP
from bot.providers.aurous.errors import SENTENCES, KeyInUse, error_from
from bot.providers.transport import Response

SAMPLES = Path(__file__).parents[2] / "samples" / "aurous"
NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
MODERATION = ("prompt_blocked", "reference_blocked", "output_moderation_rejected")


def answer(status: int, code: str = "", **more: object) -> Response:
    error = {"type": "invalid_request", "code": code, "message": "What they say.", "request_id": "req_1", **more}
    return Response(status, {}, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (401, KeyRejected), (402, OutOfCredits), (403, KeyRejected), (404, Missing), (408, Unavailable),
        (409, Refused), (410, Missing), (413, Refused), (415, Refused), (422, Refused), (429, Busy), (302, Unavailable),
        (308, Unavailable), (500, Unavailable), (502, Unavailable), (503, Unavailable), (504, Unavailable),
    ],
)  # fmt: skip
def test_each_status_has_its_meaning_whatever_the_body_says(status: int, kind: type[ProviderError]) -> None:
    for body in (b"", b"<html>", b'{"error": "text"}', b'{"error": {"type": 7, "code": ["x"], "message": {}}}'):
        error = error_from(Response(status, {}, body), NOW)
        assert type(error) is kind
        assert (error.status, error.sentence, error.trace) == (status, "", None)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("authentication", KeyRejected), ("not_found", Missing), ("rate_limit", Busy), ("server_error", Unavailable),
        ("invalid_request", Refused), ("something_new", Refused),
    ],
)  # fmt: skip
def test_type_tells_the_meaning_of_a_status_without_one(said: str, kind: type[ProviderError]) -> None:
    assert type(error_from(answer(418, type=said), NOW)) is kind


def test_status_goes_before_type() -> None:
    assert isinstance(error_from(answer(404, type="rate_limit"), NOW), Missing)
    assert isinstance(error_from(answer(503, type="invalid_request"), NOW), Unavailable)


@pytest.mark.parametrize("code", SENTENCES)
def test_known_code_has_a_sentence_for_people(code: str) -> None:
    error = error_from(answer(400, code), NOW)

    assert error.sentence == SENTENCES[code]
    assert error.sentence.endswith(".")
    assert code not in error.sentence


def test_unknown_code_falls_back_on_the_providers_words() -> None:
    error = error_from(answer(422, "brand_new_code"), NOW)

    assert isinstance(error, Refused)
    assert (error.sentence, error.details) == ("What they say.", {})


def test_refused_field_is_named_but_moderation_keeps_its_reasons() -> None:
    out_of_range = error_from(answer(400, "value_out_of_range", param="steps"), NOW)
    assert isinstance(out_of_range, Refused)
    assert out_of_range.details == {"steps": ["What they say."]}

    for code in MODERATION:
        error = error_from(answer(422, code, param="prompt"), NOW)
        assert isinstance(error, Refused)
        assert error.details == {}


def test_idempotency_key_in_use_is_told_apart() -> None:
    assert type(error_from(answer(409, "idempotency_key_in_use"), NOW)) is KeyInUse
    assert type(error_from(answer(409, "something_else"), NOW)) is Refused


def test_recorded_refusal_is_out_of_credits_and_keeps_its_trace_out_of_the_text() -> None:
    error = error_from(Response(402, {}, (SAMPLES / "error_balance.json").read_bytes()), NOW)

    assert isinstance(error, OutOfCredits)
    assert error.trace == "req_01J9ZK4Q7RXA2B3C4D5E6F7G8K"
    assert "req_" not in str(error)


def test_trace_of_the_header_goes_before_the_bodys() -> None:
    said = answer(400, "missing_field")
    error = error_from(Response(400, {"aurous-request-id": "req_2"}, said.body), NOW)

    assert error.trace == "req_2"


def test_rate_limit_and_outage_say_when_to_come_back() -> None:
    for status in (429, 503):
        error = error_from(Response(status, {"retry-after": "7"}, b""), NOW)
        assert isinstance(error, Busy | Unavailable)
        assert error.retry_after == 7


@given(st.integers(300, 599), st.binary(max_size=200), st.text(), st.text(), st.text())
def test_every_answer_becomes_an_error_with_a_short_sentence(
    status: int, raw: bytes, code: str, message: str, retry_after: str
) -> None:
    for said in (Response(status, {"retry-after": retry_after}, raw), answer(status, code, message=message)):
        error = error_from(said, NOW)
        assert len(error.sentence) <= SENTENCE_CAP
        assert error.sentence.isprintable()
