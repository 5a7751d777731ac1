import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.providers.answers import Unreadable
from bot.providers.aurous.wire import (
    build_generation,
    build_ticket_order,
    parse_balance,
    parse_cancelled,
    parse_character,
    parse_characters,
    parse_endpoint,
    parse_estimate,
    parse_generation,
    parse_id,
    parse_styles,
    parse_team,
    parse_ticket,
)
from bot.providers.base import Account, PhotoFile, Progress, StyleReport
from bot.records.generation import GenerationSettings, Operation
from tests.providers.sample_orders import make_generation_order

SAMPLES = Path(__file__).parents[2] / "samples" / "aurous"
BASE = "https://api.aurous-labs.com"
TICKET = {
    "upload_id": "upl_1",
    "upload_url": "https://uploads.example/a%2Fb?X-Signature=s%2Fs",
    "upload_headers": {"Content-Type": "image/jpeg"},
    "expires_at": "2026-06-20T10:15:00Z",
}


def body_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def page(*rows: Any, **more: Any) -> bytes:
    return body_of({"object": "list", "data": list(rows), "has_more": False, "next_cursor": None, **more})


def test_plain_order_leaves_everything_else_to_the_provider() -> None:
    assert build_generation(make_generation_order()) == {"prompt": "portrait in the forest", "count": 1}


def test_full_order_sends_exactly_the_documented_fields() -> None:
    settings = GenerationSettings(
        count=3, aspect="16:9", format="webp", strength=1.0, guidance=0.1, steps=1, seed=0,
        negative="blurry", size="4k", enhance=False, denoise=0.0,
    )  # fmt: skip
    order = make_generation_order(
        "lora_1", settings=settings, character="char_1", references=("file_1",), webhook_url="https://bot.example/h"
    )

    assert build_generation(order) == {
        "prompt": "portrait in the forest",
        "negative_prompt": "blurry",
        "lora_id": "lora_1",
        "character_id": "char_1",
        "reference_image_urls": ["file_1"],
        "size": "4k_16_9",
        "steps": 1,
        "guidance_scale": 0.1,
        "denoise_strength": 0.0,
        "seed": 0,
        "count": 3,
        "enhance_prompt": False,
        "webhook_url": "https://bot.example/h",
    }


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        (GenerationSettings(aspect="3:2"), {"size": "2k_3_2"}),
        (GenerationSettings(size="4k"), {"size": "4k_1_1"}),
        (GenerationSettings(aspect="3:2", size="4k", width=1024, height=2048), {"width": 1024, "height": 2048}),
        (GenerationSettings(negative=""), {}),
    ],
)
def test_size_and_sides_are_never_sent_together(settings: GenerationSettings, sent: dict[str, Any]) -> None:
    body = build_generation(make_generation_order(settings=settings))

    assert body == {"prompt": "portrait in the forest", "count": 1, **sent}


def test_style_of_the_order_goes_before_a_lora() -> None:
    assert build_generation(make_generation_order("lora_1", style="lora_2"))["lora_id"] == "lora_2"


def test_work_on_a_made_picture_is_refused_in_a_clear_sentence() -> None:
    for operation in set(Operation) - {Operation.IMAGINE}:
        with pytest.raises(Refused, match="cannot enlarge"):
            build_generation(make_generation_order(operation=operation))


def test_ticket_order_names_a_fitting_extension_and_a_short_name() -> None:
    for content_type, extension in (("image/jpeg", "jpg"), ("image/png", "png"), ("image/webp", "webp")):
        photo = PhotoFile(Path("x"), "p" * 200, content_type, 1)
        assert build_ticket_order(photo) == {
            "filename": "p" * 120,
            "extension": extension,
            "content_type": content_type,
        }
    with pytest.raises(Refused):
        build_ticket_order(PhotoFile(Path("x"), "a.heic", "image/heic", 1))


def test_succeeded_picture_brings_whole_addresses_cost_and_trace() -> None:
    report = parse_generation((SAMPLES / "image_succeeded.json").read_bytes(), BASE)

    assert (report.progress, report.cost, report.trace) == (Progress.READY, 2, "req_01J9ZK4Q7RXA2B3C4D5E6F7G8K")
    assert report.image_urls == (
        "https://api.aurous-labs.com/v1/images/img_01J9ZK4Q7RXA2B3C4D5E6F7G8H/output/0?token=abc",
        "https://cdn.aurous-labs.com/o/1.png",
    )


@pytest.mark.parametrize(
    ("status", "progress", "error"),
    [
        ("queued", Progress.WAITING, None),
        ("pending", Progress.WAITING, None),
        ("processing", Progress.RUNNING, None),
        ("failed", Progress.FAILED, "Aurous Labs gave no reason."),
        ("cancelled", Progress.FAILED, "It was cancelled."),
        ("expired", Progress.FAILED, "It took too long."),
        ("moderation_rejected", Progress.FAILED, "The content was not accepted."),
        ("dreaming", Progress.UNKNOWN, None),
        (None, Progress.UNKNOWN, None),
    ],
)
def test_status_words_of_a_picture_are_mapped(status: str | None, progress: Progress, error: str | None) -> None:
    row = {"id": "img_1", "status": status, "cost": {"amount": 1.2}}
    report = parse_generation(body_of(row), BASE, "req_1")

    assert (report.progress, report.error, report.trace) == (progress, error, "req_1")
    assert report.cost == (2 if progress is Progress.FAILED else None)


def test_failed_picture_says_why_in_the_providers_words() -> None:
    report = parse_generation(b'{"id":"img_1","status":"failed","error_message":"Blocked\\nby policy"}', BASE)

    assert report.error == "Blocked by policy"


@pytest.mark.parametrize("urls", [[], None, "x", [7, None, ""], ["javascript:x"], ["ftp://a/b"], ["http://[x"]])
def test_success_without_a_usable_address_has_failed(urls: Any) -> None:
    report = parse_generation(body_of({"id": "img_1", "status": "succeeded", "output_urls": urls}), BASE)

    assert (report.progress, report.error) == (Progress.READY, None)


@pytest.mark.parametrize(
    ("answer", "credits_left"),
    [
        ({"available_credits": 12.9, "billing_mode": "metered"}, 12),
        ({"available_credits": 12}, 12),
        ({"available_credits": 0, "billing_mode": "exempt"}, None),
        ({"available_credits": 5, "billing_mode": "sponsored"}, None),
        ({"available_credits": 5, "billing_mode": None}, None),
    ],
)
def test_only_metered_accounts_have_a_balance(answer: dict[str, Any], credits_left: int | None) -> None:
    assert parse_balance(body_of(answer)) == Account(credits_left, None)


def test_estimate_is_rounded_up_and_may_be_unsaid() -> None:
    assert parse_estimate(body_of({"estimated_cost": {"amount": 2.5}})) == 3
    assert parse_estimate(b'{"object":"estimate"}') is None


STYLE = {
    "id": "lora_1",
    "name": "Ink",
    "slug": "ink",
    "description": "Black on white",
    "preview_image_url": "/previews/ink.png",
    "default_denoise_strength": 0.6,
    "default_guidance_scale": 7,
    "default_steps": 30,
    "has_template": True,
    "is_public": False,
    "created_at": "2026-06-20T10:00:00Z",
}


def test_styles_come_as_a_bare_array_or_as_a_page() -> None:
    ink = StyleReport(
        "lora_1", "Ink", "ink", "Black on white", f"{BASE}/previews/ink.png", 0.6, 7.0, 30, has_template=True,
        is_public=False, created_at=datetime(2026, 6, 20, 10, tzinfo=UTC),
    )  # fmt: skip
    bare = StyleReport("lora_2", "lora_2")

    assert parse_styles(body_of([STYLE, {"id": "lora_2", "slug": None}]), BASE) == ([ink, bare], None)
    assert parse_styles(page(STYLE), BASE) == ([ink], None)
    assert parse_styles(page(STYLE, has_more=True, next_cursor="lora_1"), BASE) == ([ink], "lora_1")
    assert parse_styles(page(STYLE, has_more=True), BASE) == ([ink], "lora_1")


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        ("synthesizing", Progress.RUNNING),
        ("reviewing", Progress.PREPARING),
        ("ready", Progress.READY),
        ("failed", Progress.FAILED),
        ("deleted", Progress.ARCHIVED),
        ("cancelled", Progress.ARCHIVED),
        ("dreaming", Progress.UNKNOWN),
    ],
)
def test_status_words_of_a_character_are_mapped(status: str, progress: Progress) -> None:
    report = parse_character(body_of({"id": "char_1", "status": status}), "req_1")

    assert (report.progress, report.trace) == (progress, "req_1")
    assert (report.error is not None) is (progress is Progress.FAILED)


def test_ready_character_has_a_name_and_no_trigger_word() -> None:
    report = parse_character((SAMPLES / "character_ready.json").read_bytes())

    assert (report.name, report.trigger_word, report.progress) == ("Rex ·k7f3q2", None, Progress.READY)
    assert report.created_at == datetime(2026, 6, 20, 10, 0, 0, 125_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        page({"id": "char_1"}),
        page(7),
        page({"id": "char_1", "name": "a"}, has_more=None),
        page(has_more=True),
        page({"name": "a"}, has_more=True),
        body_of({"data": {}, "has_more": False}),
        body_of([]),
    ],
)
def test_page_that_proves_nothing_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_characters(body)


def test_ticket_keeps_the_signed_address_and_its_headers_untouched() -> None:
    ticket = parse_ticket(body_of(TICKET), BASE)

    assert (ticket.upload_id, ticket.url) == ("upl_1", TICKET["upload_url"])
    assert ticket.headers == {"Content-Type": "image/jpeg"}
    assert "Signature" not in repr(ticket)


@pytest.mark.parametrize(
    ("url", "base", "may"),
    [
        ("https://uploads.example/a", BASE, True),
        ("https://uploads.example:443/a", BASE, True),
        ("https://uploads.example:8443/a", BASE, False),
        ("https://uploads.example:22/a", BASE, False),
        ("https://aurous.example:8443/a", "https://aurous.example:8443", True),
        ("http://127.0.0.1:81/a", "http://127.0.0.1:81", True),
        ("http://127.0.0.1:82/a", "http://127.0.0.1:81", False),
        ("http://uploads.example/a", BASE, False),
        ("http://api.aurous-labs.com/a", BASE, False),
        ("https://user:pass@uploads.example/a", BASE, False),
        ("https:///a", BASE, False),
        ("file:///etc/passwd", BASE, False),
        ("https://uploads.example/a b", BASE, False),
        ("https://uploads.example/\r\nX: y", BASE, False),
        ("https://uploads.example/é", BASE, False),
        ("https://[x/a", BASE, False),
    ],
)
def test_photos_go_only_over_https_or_to_the_configured_server(url: str, base: str, may: bool) -> None:
    body = body_of({**TICKET, "upload_url": url})
    if may:
        assert parse_ticket(body, base).url == url
    else:
        with pytest.raises(Unreadable):
            parse_ticket(body, base)


@pytest.mark.parametrize("headers", [[], {"A": 1}, {"A": "x\r\nB: y"}, {"A": "é"}, {"": "x"}, {"A": ""}])
def test_ticket_with_headers_that_cannot_be_sent_is_unreadable(headers: Any) -> None:
    with pytest.raises(Unreadable):
        parse_ticket(body_of({**TICKET, "upload_headers": headers}), BASE)


def test_endpoint_without_its_secret_is_unreadable() -> None:
    endpoint = parse_endpoint(b'{"id":"we_1","secret":"whsec_abc"}')

    assert (endpoint.endpoint_id, endpoint.secret) == ("we_1", "whsec_abc")
    assert "whsec_abc" not in repr(endpoint)
    with pytest.raises(Unreadable):
        parse_endpoint(b'{"id":"we_1","secret":null}')


PARSERS: list[Callable[[bytes], object]] = [
    lambda body: parse_generation(body, BASE),
    parse_estimate,
    parse_cancelled,
    parse_balance,
    parse_team,
    parse_id,
    lambda body: parse_styles(body, BASE),
    parse_character,
    parse_characters,
    lambda body: parse_ticket(body, BASE),
    parse_endpoint,
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NAMES = (
    "id", "status", "output_urls", "cost", "error_message", "data", "has_more", "next_cursor", "name", "created_at",
    "estimated_cost", "available_credits", "billing_mode", "upload_id", "upload_url", "upload_headers", "secret",
)  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"<html>", b"[7]", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_other_bodies_are_unreadable(body: bytes) -> None:
    for parse in PARSERS:
        with pytest.raises(Unreadable):
            parse(body)


def error_of(parse: Callable[[bytes], object], body: bytes) -> Exception | None:
    try:
        parse(body)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None


@given(
    JSON
    | st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(["succeeded", "failed", "ready"]))
    | st.builds(lambda rows: {"data": rows, "has_more": False}, st.lists(JSON, max_size=3))
)
def test_no_json_breaks_a_parser_in_another_way(value: object) -> None:
    raised = {type(error_of(parse, body_of(value))) for parse in PARSERS}
    assert raised <= {Unreadable, type(None)}
