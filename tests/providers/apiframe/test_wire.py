import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Busy, KeyRejected, Missing, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.answers import RETRY_AFTER_CAP_S, SENTENCE_CAP, Unreadable, retry_after_s
from bot.providers.apiframe.wire import (
    build_generation,
    build_training,
    error_from,
    parse_account,
    parse_generation,
    parse_prices,
    parse_training,
    parse_training_page,
    parse_upload,
)
from bot.providers.base import Account, Progress
from bot.providers.transport import Field, FilePart, Response
from bot.records.dataset import SubjectKind
from bot.records.generation import GenerationSettings, Operation
from tests.providers.sample_orders import make_generation_order, make_photos, make_training_order

SAMPLES = Path(__file__).parents[2] / "samples" / "apiframe"
NOW = datetime(2026, 4, 25, 12, tzinfo=UTC)


def read_sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def test_ready_lora_brings_its_trigger_word_and_time() -> None:
    report = parse_training(read_sample("lora_ready"))

    assert (report.progress, report.trigger_word, report.name) == (Progress.READY, "TORKPN", "Rex ·k7f3q2")
    assert report.created_at == datetime(2026, 4, 25, 10, 20, 3, tzinfo=UTC)


def test_lora_without_optional_fields_is_read() -> None:
    report = parse_training(read_sample("lora_without_optional_fields"))

    assert (report.request_id, report.progress) == ("lora_8a4d2c14", Progress.PREPARING)


def test_failed_lora_says_why() -> None:
    assert parse_training(read_sample("lora_failed")).error == "Dataset could not be captioned"


def test_created_lora_is_waiting() -> None:
    assert parse_training(read_sample("lora_created")).progress is Progress.WAITING


@pytest.mark.parametrize(
    ("word", "progress"),
    [
        ("PENDING", Progress.WAITING),
        ("TRAINING", Progress.RUNNING),
        ("ARCHIVED", Progress.ARCHIVED),
        ("DREAMING", Progress.UNKNOWN),
    ],
)
def test_status_words_of_a_lora_are_mapped(word: str, progress: Progress) -> None:
    assert parse_training(b'{"id":"x","status":"%s"}' % word.encode()).progress is progress


@pytest.mark.parametrize(
    ("sample", "progress", "pictures", "cost"),
    [
        ("job_submitted", Progress.WAITING, 0, None),
        ("job_completed", Progress.READY, 2, 4),
        ("job_completed_old", Progress.READY, 1, 2),
        ("job_failed", Progress.FAILED, 0, 0),
        ("job_cancelled", Progress.FAILED, 0, None),
        ("job_expired", Progress.READY, 0, 2),
    ],
)
def test_recorded_jobs_are_read(sample: str, progress: Progress, pictures: int, cost: int | None) -> None:
    report = parse_generation(read_sample(sample))

    assert report.request_id == "a1b2c3d4-e5f6-4890-abcd-ef1234567890"
    assert (report.progress, len(report.image_urls), report.cost) == (progress, pictures, cost)
    assert report.expired is (sample == "job_expired")
    assert (report.error is not None) is (progress is Progress.FAILED)


@pytest.mark.parametrize(
    ("result", "urls"),
    [
        (b'{"images":["https://a/1","https://a/2"]}', ("https://a/1", "https://a/2")),
        (b'{"images":[],"gridUrl":"https://a/g"}', ("https://a/g",)),
        (b'["https://a/1", 7, null]', ("https://a/1",)),
        (b'"https://a/1"', ("https://a/1",)),
    ],
)
def test_every_result_shape_gives_its_addresses(result: bytes, urls: tuple[str, ...]) -> None:
    report = parse_generation(b'{"id":"j","status":"COMPLETED","result":' + result + b"}")

    assert (report.progress, report.image_urls) == (Progress.READY, urls)


@pytest.mark.parametrize("result", [b"null", b"7", b"{}", b"[]", b'{"images":[{"url":1}]}', b'"javascript:x"'])
def test_completed_job_without_pictures_has_failed(result: bytes) -> None:
    report = parse_generation(b'{"id":"j","status":"COMPLETED","result":' + result + b"}")

    assert (report.progress, report.error) == (Progress.READY, None)


@pytest.mark.parametrize(
    ("said", "percent"),
    [("0", 0), ("40", 40), ("100", 100), ("null", None), ("-1", None), ("101", None), ('"half"', None), ("[]", None)],
)
def test_how_far_a_job_is_is_read_when_it_is_said(said: str, percent: int | None) -> None:
    report = parse_generation(b'{"id":"j","status":"PROCESSING","progress":' + said.encode() + b"}")
    assert (report.progress, report.percent) == (Progress.RUNNING, percent)


def test_repeated_submission_of_a_finished_job_is_still_to_be_looked_at() -> None:
    assert parse_generation(b'{"jobId":"j","status":"COMPLETED"}').progress is Progress.RUNNING


def test_account_shows_the_teams_credits() -> None:
    assert parse_account(read_sample("account")) == Account(1234, "Studio", "5e1f0c52-0000-4000-8000-00000000000b")
    assert parse_account(read_sample("account_without_team")) == Account(None, None)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"id":7}', b'{"id":""}', b"[" * 100_000, b"\xff\xfe"]
)
def test_other_bodies_are_unreadable(body: bytes) -> None:
    for parse in (parse_training, parse_generation, parse_account, parse_training_page, parse_prices, parse_upload):
        with pytest.raises(Unreadable):
            parse(body)


@given(st.binary(max_size=300))
def test_no_bytes_break_a_parser_in_another_way(body: bytes) -> None:
    for parse in (parse_training, parse_generation, parse_account, parse_training_page, parse_prices, parse_upload):
        with pytest.raises(Unreadable):
            parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"id": JSON, "status": st.sampled_from(["COMPLETED", "FAILED", "READY"]) | JSON},
        optional=dict.fromkeys(("result", "error", "createdAt", "name", "creditCost", "expired", "jobId"), JSON),
    )
)
def test_no_json_breaks_a_parser_in_another_way(value: dict[str, object]) -> None:
    body = json.dumps(value).encode()
    for parse in (parse_training, parse_generation):
        try:
            report = parse(body)
        except Unreadable:
            continue
        assert report.request_id


@pytest.mark.parametrize(
    "body",
    [
        b'{"items":[{"id":"a"}],"nextCursor":null}',
        b'{"items":[7],"nextCursor":null}',
        b'{"items":{},"nextCursor":null}',
        b'{"items":[],"nextCursor":7}',
        b'{"items":[' + b",".join([b'{"id":"a","name":"b"}'] * 100) + b"]}",
    ],
)
def test_page_that_proves_nothing_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_training_page(body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (401, KeyRejected), (402, OutOfCredits), (403, KeyRejected), (404, Missing), (408, Unavailable),
        (409, Refused), (410, Missing), (413, Refused), (422, Refused), (429, Busy), (302, Unavailable),
        (308, Unavailable), (500, Unavailable), (502, Unavailable), (503, Unavailable), (504, Unavailable),
    ],
)  # fmt: skip
def test_each_status_has_its_meaning(status: int, kind: type[ProviderError]) -> None:
    error = error_from(Response(status, {}, b'{"error": "Said\\nthis"}'), NOW)

    assert type(error) is kind
    assert (error.status, error.sentence) == (status, "Said this")


def test_missing_credits_are_counted() -> None:
    body = b'{"error":"Insufficient credits","creditsRequired":257,"creditsAvailable":3}'
    error = error_from(Response(402, {}, body), NOW)

    assert isinstance(error, OutOfCredits)
    assert (error.required, error.available) == (257, 3)


def test_details_stand_in_for_a_missing_sentence() -> None:
    error = error_from(Response(400, {}, b'{"details":{"prompt":["Too big"],"x":"one","y":{"z":1}}}'), NOW)

    assert isinstance(error, Refused)
    assert error.sentence == "Too big"
    assert error.details["prompt"] == ["Too big"]
    assert error.details["x"] == ["one"]


@given(st.integers(300, 599), st.binary(max_size=200), st.dictionaries(st.sampled_from(["retry-after"]), st.text()))
def test_every_answer_becomes_an_error_with_a_short_sentence(status: int, body: bytes, headers: dict[str, str]) -> None:
    error = error_from(Response(status, headers, body), NOW)

    assert len(error.sentence) <= SENTENCE_CAP
    assert error.sentence.isprintable()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), ("2.5", 2.5), ("999999", RETRY_AFTER_CAP_S),
        ("Sat, 25 Apr 2026 12:00:30 GMT", 30.0), ("Sat, 25 Apr 2026 12:00:30 -0000", 30.0),
        ("Sat, 25 Apr 2026 11:00:00 GMT", 0.0), ("Sun, 26 Apr 2026 12:00:00 GMT", RETRY_AFTER_CAP_S),
        ("", None), ("soon", None), ("-5", None), ("nan", None), ("1e9", None), ("٣", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_and_capped(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOW) == seconds


@given(st.text())
def test_no_retry_after_is_out_of_bounds(text: str) -> None:
    seconds = retry_after_s({"retry-after": text}, NOW)

    assert seconds is None or timedelta(0) <= timedelta(seconds=seconds) <= timedelta(minutes=15)


def test_training_form_holds_exactly_the_documented_fields(tmp_path: Path) -> None:
    photos = make_photos(tmp_path, 2)
    form = build_training(make_training_order(photos, webhook_url="https://bot.example/hook"))

    assert [(part.name, part.value) for part in form if isinstance(part, Field)] == [
        ("name", "Rex ·k7f3q2"),
        ("subjectKind", "person"),
        ("gender", "non-binary"),
        ("ethnicity", "Mixed"),
        ("age", "early 30s"),
        ("steps", "1200"),
        ("loraRank", "16"),
        ("webhookUrl", "https://bot.example/hook"),
        ("webhookEvents", "completed,failed"),
    ]
    assert [part for part in form if isinstance(part, FilePart)] == [FilePart("images", photo) for photo in photos]


@pytest.mark.parametrize("kind", [SubjectKind.STYLE, SubjectKind.OBJECT])
def test_only_a_persons_training_tells_gender_and_ethnicity(kind: SubjectKind) -> None:
    names = {part.name for part in build_training(make_training_order([], subject_kind=kind))}

    assert names == {"name", "subjectKind", "age", "steps", "loraRank"}


def test_pictures_with_a_lora_always_name_aspect_and_format() -> None:
    assert build_generation(make_generation_order("lora-1")) == (
        "/v2/images/generate",
        {
            "model": "flux-lora",
            "prompt": "portrait in the forest",
            "fluxLoraParams": {"loraId": "lora-1", "num_outputs": 1, "aspect_ratio": "1:1", "output_format": "png"},
        },
    )


def test_full_generation_sends_every_setting_and_a_list_of_events() -> None:
    settings = GenerationSettings(4, "16:9", "webp", strength=0.0, guidance=3.5, steps=28, seed=0)
    order = make_generation_order("lora-1", settings=settings, webhook_url="https://bot.example/hook")
    _, body = build_generation(order)

    assert body["webhookEvents"] == ["completed", "failed"]
    assert body["fluxLoraParams"] == {
        "loraId": "lora-1",
        "num_outputs": 4,
        "aspect_ratio": "16:9",
        "output_format": "webp",
        "lora_strength": 0.0,
        "guidance_scale": 3.5,
        "num_inference_steps": 28,
        "seed": 0,
    }


def test_picture_without_a_lora_names_its_model_and_what_was_asked_for() -> None:
    settings = GenerationSettings(aspect="3:2", seed=0, guidance=2.5, steps=30, enhance=False)
    order = make_generation_order(settings=settings, references=("https://a/1", "https://a/2"))

    assert build_generation(order) == (
        "/v2/images/generate",
        {
            "model": "flux-2-dev",
            "prompt": "portrait in the forest",
            "fluxParams": {
                "aspect_ratio": "3:2",
                "output_format": "png",
                "seed": 0,
                "guidance": 2.5,
                "steps": 30,
                "prompt_upsampling": False,
                "input_images": ["https://a/1", "https://a/2"],
            },
        },
    )


def test_sides_in_pixels_take_the_place_of_the_aspect() -> None:
    settings = GenerationSettings(aspect="3:2", width=640, height=480, format="webp")
    _, body = build_generation(make_generation_order(settings=settings))

    assert body["fluxParams"] == {"width": 640, "height": 480, "output_format": "webp"}


def test_picture_without_a_lora_is_made_one_at_a_time() -> None:
    with pytest.raises(Refused):
        build_generation(make_generation_order(settings=GenerationSettings(count=2)))


@pytest.mark.parametrize(
    ("operation", "path", "body"),
    [
        (
            Operation.UPSCALE_CLARITY,
            "/v2/images/upscale",
            {
                "model": "clarity-upscale",
                "clarityUpscaleParams": {"image": "https://a/1", "scale_factor": 2, "output_format": "png"},
            },
        ),
        (
            Operation.UPSCALE_TOPAZ,
            "/v2/images/upscale",
            {
                "model": "topaz-image-upscale",
                "topazUpscaleParams": {"image": "https://a/1", "upscale_factor": 2, "output_format": "png"},
            },
        ),
        (
            Operation.REMOVE_BACKGROUND,
            "/v2/images/background-remove",
            {"model": "bria-bg-remove", "briaBgRemoveParams": {"image": "https://a/1"}},
        ),
    ],
)
def test_edits_send_the_picture_and_no_prompt(operation: Operation, path: str, body: dict[str, object]) -> None:
    hook = "https://bot.example/hook"
    order = make_generation_order("lora-1", operation=operation, references=("https://a/1",), webhook_url=hook)

    assert build_generation(order) == (path, {**body, "webhookUrl": hook, "webhookEvents": ["completed", "failed"]})


def test_edit_of_nothing_is_refused() -> None:
    for operation in set(Operation) - {Operation.IMAGINE}:
        with pytest.raises(Refused):
            build_generation(make_generation_order(operation=operation))


@pytest.mark.parametrize("body", [b'{"url":"ftp://a"}', b'{"url":7}', b"{}", b"[]"])
def test_upload_without_a_usable_address_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_upload(body)


def test_dearest_listed_price_counts_and_odd_entries_are_passed_over() -> None:
    listed = [
        {"id": "a", "costMin": 1, "costMax": 4},
        {"id": "b", "costMax": 2.5},
        {"id": "c"},
        {"id": "d", "costMax": "5"},
        {"id": "e", "costMax": True},
        {"costMax": 1},
        "f",
    ]

    assert parse_prices(json.dumps({"models": listed}).encode()) == {"a": 4, "b": 3}
    with pytest.raises(Unreadable):
        parse_prices(b'{"models": {}}')
