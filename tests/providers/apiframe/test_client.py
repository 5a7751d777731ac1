import asyncio
import logging
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Busy, KeyRejected, OutcomeUnknown, OutOfCredits, ProviderError, Refused
from bot.providers.apiframe.client import PRICES, Apiframe
from bot.providers.base import Account, PhotoFile, Prices, Progress
from bot.providers.transport import Request, Response, Transport
from bot.records.generation import GenerationSettings
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.waiting import HANG_S
from tests.providers.calls import LONG_AGO, UNKNOWN_ID, charged, train
from tests.providers.sample_orders import API_KEY, make_generation_order, make_photos, make_training_order

LOST_AFTER_ACCEPT = {
    "reset": Fault.reset_after_accept(),
    "half a body": Fault.half_body(),
    "garbage": Fault.garbage_json(),
    "a page": Fault.html_200(),
    "another schema": Fault.wrong_schema(),
    "a gateway's 502": Fault.answer(502, accepted=True),
    "a 500": Fault.answer(500, accepted=True),
    "a redirect": Fault.answer(308, headers={"Location": "/v3"}, accepted=True),
    "an empty 202": Fault.answer(202, body=b"", accepted=True),
}


def test_prices_are_the_documented_ones() -> None:
    assert Apiframe(Transport(), "https://api.apiframe.ai", API_KEY).prices == PRICES == Prices(257, 2)


def test_repr_shows_no_key() -> None:
    assert API_KEY not in repr(Apiframe(Transport(), "https://api.apiframe.ai", API_KEY))


async def test_account_is_read(client: Apiframe, server: RehearsalApiframe) -> None:
    account = await client.account()
    assert (account.credits, account.team) == (1000, "Team of …cdef")
    assert account.id is not None

    server.faults.answers.null_team = True
    assert await client.account() == Account(None, None)


async def test_training_runs_to_ready_with_trigger_word(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    report = await client.submit_training(make_training_order(photos))
    assert report.progress is Progress.WAITING

    ready = await client.training(report.request_id)
    assert (ready.progress, ready.name) == (Progress.READY, "Rex ·k7f3q2")
    assert ready.trigger_word
    assert server.credits_of(API_KEY) == 1000 - PRICES.training


async def test_uploaded_photos_arrive_unchanged(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    lora = server.loras[await train(client, photos)]

    assert [path.read_bytes() for path in lora.photos] == [photo.path.read_bytes() for photo in photos]
    assert (lora.steps, lora.rank, lora.gender) == (1200, 16, "non-binary")


async def test_generation_runs_to_pictures(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    lora = await train(client, photos)
    settings = GenerationSettings(count=2, aspect="3:2", format="webp", seed=5)
    submitted = await client.submit_generation(make_generation_order(lora, settings=settings))

    report = await client.generation(submitted.request_id)

    assert submitted.progress is Progress.WAITING
    assert (report.progress, len(report.image_urls), report.cost) == (Progress.READY, 2, 4)


async def test_generation_of_a_real_answer_bears_odd_shapes(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    answers = server.faults.answers
    answers.extra_fields = answers.null_progress = answers.webhook_status_sent = True
    lora = await train(client, photos)
    submitted = await client.submit_generation(make_generation_order(lora))

    assert (await client.generation(submitted.request_id)).progress is Progress.READY


async def test_unknown_status_word_keeps_the_caller_looking(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    lora = await train(client, photos)
    server.faults.next("GET /v2/loras/{id}", Fault.unknown_status_word())

    assert (await client.training(lora)).progress is Progress.UNKNOWN


@pytest.mark.parametrize("trouble", LOST_AFTER_ACCEPT)
async def test_training_lost_on_the_way_is_found_and_paid_once(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], trouble: str
) -> None:
    server.faults.next("POST /v2/loras", LOST_AFTER_ACCEPT[trouble])

    with pytest.raises(OutcomeUnknown):
        await client.submit_training(make_training_order(photos))
    found = await client.find_training("·k7f3q2", LONG_AGO)

    assert found is not None
    assert found.request_id in server.loras
    assert charged(server, "create") == 1


@pytest.mark.parametrize("trouble", [Fault.reset_before(), Fault.answer(503), Fault.answer(500)])
async def test_training_that_was_not_taken_is_provably_absent(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], trouble: Fault
) -> None:
    server.faults.next("POST /v2/loras", trouble)

    with pytest.raises(OutcomeUnknown):
        await client.submit_training(make_training_order(photos))

    assert await client.find_training("·k7f3q2", LONG_AGO) is None
    assert server.ledger == []
    assert sum(request.method == "POST" for request in server.requests) == 1


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.slow_drip(0.05)])
async def test_training_whose_answer_does_not_end_is_unknown_at_the_deadline(
    client: Apiframe,
    server: RehearsalApiframe,
    photos: list[PhotoFile],
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.UPLOAD_DEADLINE_S", 2.0)
    server.faults.next("POST /v2/loras", fault)

    async with asyncio.timeout(HANG_S):
        with pytest.raises(OutcomeUnknown):
            await client.submit_training(make_training_order(photos))

    assert charged(server, "create") == 1


@pytest.mark.parametrize("trouble", LOST_AFTER_ACCEPT)
async def test_repeated_generation_is_one_job_and_paid_once(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], trouble: str
) -> None:
    order = make_generation_order(await train(client, photos))
    server.faults.next("POST /v2/images/generate", LOST_AFTER_ACCEPT[trouble])

    with pytest.raises(OutcomeUnknown):
        await client.submit_generation(order)
    report = await client.submit_generation(order)

    assert list(server.jobs) == [report.request_id]
    assert charged(server, "images") == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (401, KeyRejected), (402, OutOfCredits), (403, KeyRejected), (404, Refused), (409, Refused),
        (410, Refused), (413, Refused), (429, Busy),
    ],
)  # fmt: skip
async def test_refused_orders_are_told_apart_and_sent_once(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], status: int, kind: type[ProviderError]
) -> None:
    server.faults.next("POST /v2/loras", Fault.answer(status))
    server.faults.next("POST /v2/images/generate", Fault.answer(status))

    with pytest.raises(kind):
        await client.submit_training(make_training_order(photos))
    with pytest.raises(kind):
        await client.submit_generation(make_generation_order(UNKNOWN_ID))

    assert len(server.requests) == 2
    assert server.ledger == []


async def test_one_key_for_two_orders_is_refused(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    order = make_generation_order(await train(client, photos))
    await client.submit_generation(order)

    with pytest.raises(Refused) as caught:
        await client.submit_generation(replace(order, prompt="something else"))

    assert caught.value.status == 409


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("86400", 900.0), (None, None)])
async def test_rate_limit_says_when_to_come_back(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], text: str | None, seconds: float | None
) -> None:
    server.faults.next("POST /v2/loras", Fault.rate_limited(text))
    server.faults.next("POST /v2/images/generate", Fault.rate_limited(text))

    with pytest.raises(Busy) as training:
        await client.submit_training(make_training_order(photos))
    with pytest.raises(Busy) as generation:
        await client.submit_generation(make_generation_order(UNKNOWN_ID))

    assert training.value.retry_after == generation.value.retry_after == seconds


async def test_eleventh_training_is_busy_and_free(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    server.faults.hold_trainings = True
    for number in range(10):
        await train(client, photos, f"Rex {number}")

    with pytest.raises(Busy):
        await train(client, photos, "Rex 11")

    assert charged(server, "create") == 10


async def test_unknown_and_switched_off_keys_are_rejected(server: RehearsalApiframe, transport: Transport) -> None:
    server.faults.inactive_keys.add(API_KEY)

    for key in ("afk_nobody", API_KEY):
        with pytest.raises(KeyRejected):
            await Apiframe(transport, server.base_url, key).account()


@pytest.mark.parametrize("key", ["", "afk_\r\nX-Other: 1", "afk_ü", "afk_\x00"])
async def test_text_that_cannot_be_a_key_is_rejected_without_asking(
    server: RehearsalApiframe, transport: Transport, key: str
) -> None:
    with pytest.raises(KeyRejected):
        await Apiframe(transport, server.base_url, key).account()

    assert server.requests == []


async def test_missing_credits_are_told(
    server: RehearsalApiframe, transport: Transport, photos: list[PhotoFile]
) -> None:
    with pytest.raises(OutOfCredits) as caught:
        await Apiframe(transport, server.base_url, "afk_poor").submit_training(make_training_order(photos))

    assert (caught.value.required, caught.value.available) == (2, 1)


async def test_refused_training_names_the_field(client: Apiframe, photos: list[PhotoFile]) -> None:
    with pytest.raises(Refused) as caught:
        await client.submit_training(make_training_order(photos[:14], name="x" * 61))

    assert set(caught.value.details) == {"images", "name"}


async def test_training_with_a_vanished_photo_is_refused_unsent(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    photos[3].path.unlink()

    with pytest.raises(Refused):
        await client.submit_training(make_training_order(photos))

    assert server.requests == []


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_unusable_lora_refuses_the_generation(client: Apiframe, server: RehearsalApiframe, status: int) -> None:
    server.faults.answers.unknown_lora_status = status

    with pytest.raises(Refused) as caught:
        await client.submit_generation(make_generation_order(UNKNOWN_ID))

    assert caught.value.status == status


async def test_sixty_megabytes_pass_through_client_and_server_in_little_memory(
    client: Apiframe, server: RehearsalApiframe, tmp_path: Path
) -> None:
    photos = make_photos(tmp_path, 30, size_bytes=2_000_000)
    tracemalloc.start()
    try:
        await client.submit_training(make_training_order(photos))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(path.stat().st_size for path in next(iter(server.loras.values())).photos) == 60_000_000
    assert peak_bytes <= 12_000_000


class EchoingTransport(Transport):
    """Answers every request with a refusal that repeats the key."""

    async def send(self, request: Request) -> Response:
        return Response(400, {}, f'{{"error": "bad {request.headers["X-API-Key"]}"}}'.encode())


async def test_key_in_an_answer_reaches_no_error() -> None:
    with pytest.raises(Refused) as caught:
        await Apiframe(EchoingTransport(), "http://x", API_KEY).account()

    assert caught.value.sentence == "bad [API key]"


async def test_no_log_line_holds_the_key(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.next("GET /v2/me", Fault.answer(503), Fault.reset_before())
    server.faults.next("POST /v2/loras", Fault.reset_after_accept())

    await client.account()
    with pytest.raises(OutcomeUnknown):
        await client.submit_training(make_training_order(photos))

    assert "stamina" in caplog.text
    assert API_KEY not in caplog.text
