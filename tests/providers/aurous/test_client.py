import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.clock import SystemClock
from bot.errors import Busy, KeyRejected, Missing, OutcomeUnknown, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.aurous.client import PRICES, Aurous
from bot.providers.aurous.limits import AurousLimits
from bot.providers.base import Account, PhotoFile, Prices, Progress, ProviderClient
from bot.providers.transport import Request, Response, Transport
from bot.records.generation import GenerationSettings, Operation
from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.waiting import HANG_S
from tests.providers.calls import AUROUS_KEY, held
from tests.providers.sample_orders import make_generation_order

IN_USE = (
    b'{"error":{"type":"invalid_request","code":"idempotency_key_in_use","message":"In use.","request_id":"req_1"}}'
)
LOST_AFTER_ACCEPT = {
    "reset": Fault.reset_after_accept(),
    "half a body": Fault.half_body(),
    "garbage": Fault.garbage_json(),
    "a page": Fault.html_200(),
    "another schema": Fault.wrong_schema(),
    "a gateway's 502": Fault.answer(502, accepted=True),
    "a 500": Fault.answer(500, accepted=True),
    "a redirect": Fault.answer(308, headers={"Location": "/v3"}, accepted=True),
    "an empty 201": Fault.answer(201, body=b"", accepted=True),
}


async def style_of(aurous: Aurous) -> str:
    return (await aurous.styles())[0].remote_id


def test_prices_are_the_documented_baseline() -> None:
    limits = AurousLimits(SystemClock())

    assert Aurous(Transport(), "https://api.aurous-labs.com", AUROUS_KEY, limits).prices == PRICES == Prices(0, 1)


def test_repr_shows_no_key() -> None:
    client: ProviderClient = Aurous(Transport(), "https://api.aurous-labs.com", AUROUS_KEY, AurousLimits(SystemClock()))

    assert AUROUS_KEY not in repr(client) + repr(vars(client))


async def test_account_shows_what_can_be_spent_and_whose_it_is(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    account = await aurous.account()
    assert account.credits == 1000
    assert account.team

    aurous_server.faults.hold_images = True
    await aurous.submit_generation(make_generation_order())
    assert (await aurous.account()).credits == 999

    aurous_server.faults.answers.billing_mode = "exempt"
    assert (await aurous.account()).credits is None


@pytest.mark.parametrize("trouble", [Fault.answer(500), Fault.answer(403), Fault.reset_before(), Fault.html_200()])
async def test_key_is_good_although_its_team_cannot_be_read(
    aurous: Aurous, aurous_server: RehearsalAurous, trouble: Fault
) -> None:
    aurous_server.faults.next("GET /v1/team", trouble)

    assert await aurous.account() == Account(1000, None)


async def test_key_check_does_not_wait_for_a_team_that_hangs(
    aurous: Aurous, aurous_server: RehearsalAurous, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.aurous.client.TEAM_DEADLINE_S", 0.1)
    aurous_server.faults.next("GET /v1/team", Fault.hang())

    async with asyncio.timeout(HANG_S):
        assert await aurous.account() == Account(1000, None)


async def test_pictures_are_made_in_the_chosen_style(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    style = await style_of(aurous)
    settings = GenerationSettings(count=2, aspect="16:9", seed=5, enhance=True)
    order = make_generation_order(style=style, settings=settings)
    price = await aurous.estimate(order)

    submitted = await aurous.submit_generation(order)
    report = await aurous.generation(submitted.request_id)

    assert submitted.progress is Progress.WAITING
    assert (report.progress, len(report.image_urls), report.cost) == (Progress.READY, 2, price)
    image = aurous_server.images[report.request_id]
    assert [used.id for used in image.styles] == [style]
    assert image.order.size_preset == "2k_16_9"
    assert submitted.trace == report.trace == image.request_id


async def test_addresses_without_a_host_are_made_whole(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    aurous_server.faults.answers.relative_urls = True
    submitted = await aurous.submit_generation(make_generation_order())

    (url,) = (await aurous.generation(submitted.request_id)).image_urls

    assert url.startswith(f"{aurous_server.base_url}/v1/images/")


@pytest.mark.parametrize("fault", [ImageFault.FAIL, ImageFault.CANCELLED, ImageFault.MODERATION_REJECTED])
async def test_failed_pictures_say_why_and_cost_nothing(
    aurous: Aurous, aurous_server: RehearsalAurous, fault: ImageFault
) -> None:
    aurous_server.faults.images.append(fault)
    submitted = await aurous.submit_generation(make_generation_order())

    report = await aurous.generation(submitted.request_id)

    assert (report.progress, report.cost) == (Progress.FAILED, 0)
    assert report.error


async def test_uploaded_picture_serves_as_reference(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    file_id = await aurous.upload_picture(photos[0], "key-1")
    submitted = await aurous.submit_generation(make_generation_order(references=(file_id,)))

    assert aurous_server.images[submitted.request_id].order.references == [file_id]
    assert aurous_server._world.files[file_id].path.read_bytes() == photos[0].path.read_bytes()
    assert aurous_server._world.files[file_id].purpose == "reference"


async def test_upload_that_is_lost_is_repeated_and_stored_once(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    aurous_server.faults.next("POST /v1/files", Fault.reset_after_accept(), Fault.answer(503))

    file_id = await aurous.upload_picture(photos[0], "key-1")

    assert list(aurous_server._world.files) == [file_id]


async def test_upload_whose_key_is_in_use_is_not_refused_for_good(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    aurous_server.faults.next("POST /v1/files", Fault.answer(409, body=IN_USE))

    with pytest.raises(Unavailable):
        await aurous.upload_picture(photos[0], "key-1")


@pytest.mark.parametrize("trouble", LOST_AFTER_ACCEPT)
async def test_repeated_order_is_one_generation_and_paid_once(
    aurous: Aurous, aurous_server: RehearsalAurous, trouble: str
) -> None:
    order = make_generation_order()
    aurous_server.faults.next("POST /v1/images", LOST_AFTER_ACCEPT[trouble])

    with pytest.raises(OutcomeUnknown):
        await aurous.submit_generation(order)
    report = await aurous.submit_generation(order)

    assert list(aurous_server.images) == [report.request_id]
    assert held(aurous_server) == 1


async def test_order_that_is_still_being_taken_is_waited_for(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    aurous_server.faults.next("POST /v1/images", *[Fault.answer(409, body=IN_USE)] * 2)

    report = await aurous.submit_generation(make_generation_order())

    assert list(aurous_server.images) == [report.request_id]


@pytest.mark.parametrize("then", [Fault.answer(409, body=IN_USE), Fault.answer(402), Fault.answer(503)])
async def test_order_whose_key_stays_in_use_is_unknown_and_not_refused(
    aurous: Aurous, aurous_server: RehearsalAurous, then: Fault
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.answer(409, body=IN_USE), then, then)

    with pytest.raises(OutcomeUnknown):
        await aurous.submit_generation(make_generation_order())

    assert aurous_server.ledger == []


async def test_one_key_for_two_orders_ends_unknown(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    order = make_generation_order()
    await aurous.submit_generation(order)

    with pytest.raises(OutcomeUnknown):
        await aurous.submit_generation(replace(order, prompt="something else"))

    assert held(aurous_server) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused), (401, KeyRejected), (402, OutOfCredits), (403, KeyRejected), (404, Refused), (410, Refused),
        (413, Refused), (422, Refused), (429, Busy),
    ],
)  # fmt: skip
async def test_refused_orders_are_told_apart_and_sent_once(
    aurous: Aurous, aurous_server: RehearsalAurous, status: int, kind: type[ProviderError]
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.answer(status))

    with pytest.raises(kind) as caught:
        await aurous.submit_generation(make_generation_order())

    assert caught.value.trace
    assert caught.value.trace not in str(caught.value)
    assert len(aurous_server.requests) == 1
    assert aurous_server.ledger == []


async def test_blocked_prompt_has_its_own_sentence(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    aurous_server.faults.blocked_words.add("forest")

    with pytest.raises(Refused, match="not allowed"):
        await aurous.submit_generation(make_generation_order())


async def test_missing_credits_are_told_and_nothing_is_held(
    aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits
) -> None:
    poor = Aurous(transport, aurous_server.base_url, "al_live_poor", limits)

    with pytest.raises(OutOfCredits):
        await poor.submit_generation(make_generation_order())

    assert aurous_server.ledger == []


async def test_unknown_and_revoked_and_reading_keys_are_rejected(
    aurous: Aurous, aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits
) -> None:
    with pytest.raises(KeyRejected):
        await Aurous(transport, aurous_server.base_url, "al_live_nobody", limits).account()

    aurous_server.faults.scopes[AUROUS_KEY] = "read"
    assert (await aurous.account()).credits == 1000
    with pytest.raises(KeyRejected, match="only read"):
        await aurous.submit_generation(make_generation_order())

    aurous_server.faults.revoked_keys.add(AUROUS_KEY)
    with pytest.raises(KeyRejected):
        await aurous.account()


@pytest.mark.parametrize("key", ["", "al_live_\r\nX-Other: 1", "al_live_ü"])
async def test_text_that_cannot_be_a_key_is_rejected_without_asking(
    aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits, key: str
) -> None:
    with pytest.raises(KeyRejected):
        await Aurous(transport, aurous_server.base_url, key, limits).account()

    assert aurous_server.requests == []


async def test_work_on_made_pictures_is_refused_without_asking(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    order = make_generation_order(operation=Operation.UPSCALE_TOPAZ, references=("file_1",))

    for call in (aurous.submit_generation, aurous.estimate):
        with pytest.raises(Refused):
            await call(order)

    assert aurous_server.requests == []


async def test_running_pictures_can_be_cancelled_and_finished_ones_cannot(
    aurous: Aurous, aurous_server: RehearsalAurous
) -> None:
    finished = await aurous.submit_generation(make_generation_order())
    assert (await aurous.generation(finished.request_id)).progress is Progress.READY
    assert not await aurous.cancel_generation(finished.request_id)

    aurous_server.faults.hold_images = True
    running = await aurous.submit_generation(make_generation_order(idempotency_key="another"))
    aurous_server.faults.next("POST /v1/images/{id}/cancel", Fault.reset_after_accept())
    assert await aurous.cancel_generation(running.request_id)
    assert await aurous.cancel_generation(running.request_id)
    assert (await aurous.generation(running.request_id)).progress is Progress.FAILED

    with pytest.raises(Missing):
        await aurous.cancel_generation("img_unknown")


@pytest.mark.parametrize("as_list", [False, True])
async def test_styles_are_read_whole_in_both_shapes(
    aurous: Aurous, aurous_server: RehearsalAurous, as_list: bool
) -> None:
    aurous_server.faults.answers.loras_as_list = as_list
    styles = await aurous.styles()

    assert len(styles) == len(aurous_server.styles) >= 26
    assert len({style.remote_id for style in styles}) == len(styles)
    assert all(style.name and style.is_public for style in styles)
    assert any(style.slug is None for style in styles)
    assert any(style.has_template for style in styles)
    assert all(style.preview_url is None or style.preview_url.startswith("http") for style in styles)


async def test_styles_of_further_pages_are_asked_for(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    first = b'{"data": [{"id": "lora_first", "name": "First"}], "has_more": true, "next_cursor": "lora_first"}'
    aurous_server.faults.next("GET /v1/loras", Fault.answer(200, body=first))

    styles = await aurous.styles()

    assert [style.remote_id for style in styles] == ["lora_first", *(style.id for style in aurous_server.styles)]
    assert len(aurous_server.requests) == 2


async def test_bucket_that_was_emptied_is_not_asked_again(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.rate_limited("7"))
    with pytest.raises(Busy) as first:
        await aurous.submit_generation(make_generation_order())
    with pytest.raises(Busy) as second:
        await aurous.submit_generation(make_generation_order())

    assert first.value.retry_after == 7
    assert second.value.retry_after is not None
    assert 0 < second.value.retry_after <= 7
    assert len(aurous_server.requests) == 1
    assert (await aurous.account()).credits == 1000


async def test_limits_are_shared_by_clients_of_one_key_only(
    aurous: Aurous, aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.rate_limited("7"))
    with pytest.raises(Busy):
        await aurous.submit_generation(make_generation_order())

    with pytest.raises(Busy):
        await Aurous(transport, aurous_server.base_url, AUROUS_KEY, limits).submit_generation(make_generation_order())
    other = Aurous(transport, aurous_server.base_url, "al_live_other", limits)
    assert (await other.submit_generation(make_generation_order())).progress is Progress.WAITING


async def test_too_many_unfinished_pictures_do_not_close_the_bucket(
    aurous: Aurous, aurous_server: RehearsalAurous
) -> None:
    aurous_server.faults.hold_images = True
    running = await aurous.submit_generation(make_generation_order())
    aurous_server.faults.answers.images_at_once = 1
    said = b'{"error":{"type":"rate_limit","code":"concurrency_limit_exceeded","message":"Too many."}}'
    aurous_server.faults.next("POST /v1/images", Fault.answer(429, headers={"Retry-After": "7"}, body=said))

    for _ in range(2):
        with pytest.raises(Busy, match="until one is done"):
            await aurous.submit_generation(make_generation_order(idempotency_key="another"))

    assert await aurous.cancel_generation(running.request_id)


READS: dict[str, Callable[[Aurous], Awaitable[object]]] = {
    "GET /v1/balance": lambda client: client.account(),
    "GET /v1/loras": lambda client: client.styles(),
    "GET /v1/images/{id}": lambda client: client.generation("img_unknown"),
    "GET /v1/characters": lambda client: client.characters(),
    "GET /v1/characters/{id}": lambda client: client.training("char_unknown"),
    "POST /v1/images/estimate": lambda client: client.estimate(make_generation_order()),
    "POST /v1/images/{id}/cancel": lambda client: client.cancel_generation("img_unknown"),
}
READ_TROUBLE = {
    "reset": Fault.reset_before(),
    "garbage": Fault.answer(200, body=b"{{{"),
    "a page": Fault.answer(200, body=b"<!doctype html>", headers={"Content-Type": "text/html"}),
    "another schema": Fault.answer(200, body=b'["x"]'),
    "a 500": Fault.answer(500),
    "a 502 page": Fault.answer(502, body=b"<html>"),
    "a redirect": Fault.answer(308, headers={"Location": "/v3"}),
}


@pytest.mark.parametrize("trouble", READ_TROUBLE)
@pytest.mark.parametrize("route", READS)
async def test_troubled_read_is_tried_three_times_and_then_unavailable(
    aurous: Aurous, aurous_server: RehearsalAurous, route: str, trouble: str
) -> None:
    aurous_server.faults.next(route, *[READ_TROUBLE[trouble]] * 4)

    with pytest.raises(Unavailable):
        await READS[route](aurous)

    assert len(aurous_server.requests) == 3


async def test_estimate_costs_nothing_and_keeps_nothing(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    order = make_generation_order(settings=GenerationSettings(count=2))

    assert await aurous.estimate(order) == 2
    assert (aurous_server.ledger, aurous_server.images) == ([], {})


async def test_odd_ids_are_missing_without_asking(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    for request_id in ("", "../me", "a/b", "x" * 200):
        with pytest.raises(Missing):
            await aurous.generation(request_id)
        with pytest.raises(Missing):
            await aurous.training(request_id)

    assert aurous_server.requests == []


async def test_foreign_pictures_are_missing(
    aurous: Aurous, aurous_server: RehearsalAurous, transport: Transport, limits: AurousLimits
) -> None:
    submitted = await aurous.submit_generation(make_generation_order())
    other = Aurous(transport, aurous_server.base_url, "al_live_other", limits)

    with pytest.raises(Missing):
        await other.generation(submitted.request_id)


class Echo(Transport):
    """Answers everything with the request's own headers, as a confused gateway might."""

    async def send(self, request: Request) -> Response:
        self.seen = dict(request.headers)
        return Response(
            400, {}, ('{"error":{"type":"invalid_request","message":"' + request.headers["X-Api-Key"] + '"}}').encode()
        )


async def test_key_and_version_are_sent_and_the_key_is_never_repeated(
    limits: AurousLimits, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = Echo()
    client = Aurous(echo, "https://api.aurous-labs.com", AUROUS_KEY, limits)

    with pytest.raises(Refused) as caught:
        await client.submit_generation(make_generation_order())

    assert (echo.seen["X-Api-Key"], echo.seen["Aurous-Version"]) == (AUROUS_KEY, "2026-05-15")
    assert AUROUS_KEY not in str(caught.value) + repr(caught.value.__dict__) + caplog.text


async def test_nothing_is_sent_to_a_provider_that_is_not_there(
    transport: Transport, limits: AurousLimits, photos: list[PhotoFile]
) -> None:
    client = Aurous(transport, "http://127.0.0.1:9", AUROUS_KEY, limits)

    for call in (
        client.account(),
        client.styles(),
        client.submit_generation(make_generation_order()),
        client.upload_picture(photos[0], "key-1"),
        client.register_endpoint("https://bot.example/hook"),
    ):
        with pytest.raises(Unavailable):
            await call
