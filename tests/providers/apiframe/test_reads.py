import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from bot.errors import Busy, KeyRejected, Missing, ProviderError, Refused, Unavailable
from bot.providers.apiframe.client import Apiframe
from bot.providers.base import PhotoFile, Progress
from bot.providers.transport import Transport
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.rehearsal.faults import Fault
from tests.providers.calls import LONG_AGO, UNKNOWN_ID, Call, train
from tests.providers.sample_orders import API_KEY, make_generation_order, make_training_order

READS: dict[str, Call] = {
    "GET /v2/me": lambda client: client.account(),
    "GET /v2/loras": lambda client: client.find_training("·zzzzzz", LONG_AGO),
    "GET /v2/loras/{id}": lambda client: client.training(UNKNOWN_ID),
    "GET /v2/jobs/{id}": lambda client: client.generation(UNKNOWN_ID),
}


READ_TROUBLE = {
    "reset": Fault.reset_before(),
    "half a body": Fault.answer(200, body=b'{"id": "x'),
    "garbage": Fault.answer(200, body=b"{{{"),
    "a page": Fault.answer(200, body=b"<!doctype html>", headers={"Content-Type": "text/html"}),
    "another schema": Fault.answer(200, body=b'{"data": []}'),
    "a 500": Fault.answer(500),
    "a 502": Fault.answer(502),
    "a 504": Fault.answer(504),
    "a redirect": Fault.answer(308, headers={"Location": "/v3"}),
}


async def test_nothing_is_sent_to_a_provider_that_is_not_there(photos: list[PhotoFile], transport: Transport) -> None:
    client = Apiframe(transport, "http://127.0.0.1:9", API_KEY)
    calls: list[Call] = [
        *READS.values(),
        lambda client: client.archive_lora(UNKNOWN_ID),
        lambda client: client.submit_training(make_training_order(photos)),
        lambda client: client.submit_generation(make_generation_order("lora")),
    ]

    for call in calls:
        with pytest.raises(Unavailable):
            await call(client)


@pytest.mark.parametrize("trouble", READ_TROUBLE)
@pytest.mark.parametrize("route", READS)
async def test_troubled_read_is_tried_three_times_and_then_unavailable(
    client: Apiframe, server: RehearsalApiframe, route: str, trouble: str
) -> None:
    server.faults.next(route, *[READ_TROUBLE[trouble]] * 4)

    with pytest.raises(Unavailable):
        await READS[route](client)

    assert len(server.requests) == 3


@pytest.mark.parametrize("trouble", READ_TROUBLE)
async def test_read_that_fails_once_succeeds(client: Apiframe, server: RehearsalApiframe, trouble: str) -> None:
    server.faults.next("GET /v2/me", READ_TROUBLE[trouble])

    assert (await client.account()).credits == 1000


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (401, KeyRejected), (403, KeyRejected), (404, Missing), (429, Busy)]
)
@pytest.mark.parametrize("route", READS)
async def test_plain_refusal_of_a_read_is_not_repeated(
    client: Apiframe, server: RehearsalApiframe, route: str, status: int, kind: type[ProviderError]
) -> None:
    server.faults.next(route, Fault.answer(status))

    with pytest.raises(kind):
        await READS[route](client)

    assert len(server.requests) == 1


async def test_read_waits_as_long_as_it_is_asked_to(client: Apiframe, server: RehearsalApiframe) -> None:
    server.faults.next("GET /v2/me", Fault.answer(503, headers={"Retry-After": "0.2"}))
    loop = asyncio.get_running_loop()
    with stamina.set_testing(False):
        began = loop.time()
        await client.account()

    assert loop.time() - began >= 0.2


async def test_read_that_is_asked_to_wait_long_gives_up_at_once(client: Apiframe, server: RehearsalApiframe) -> None:
    server.faults.next("GET /v2/me", Fault.answer(503, headers={"Retry-After": "60"}))

    with pytest.raises(Unavailable) as caught:
        await client.account()

    assert caught.value.retry_after == 60
    assert len(server.requests) == 1


async def test_foreign_and_unknown_objects_are_missing(
    server: RehearsalApiframe, transport: Transport, client: Apiframe, photos: list[PhotoFile]
) -> None:
    lora = await train(client, photos)
    other = Apiframe(transport, server.base_url, "afk_other")

    for request_id in (lora, UNKNOWN_ID, "../me", "", "a/b"):
        with pytest.raises(Missing):
            await other.training(request_id)

    asked = len(server.requests)
    for request_id in ("../me", ""):
        with pytest.raises(Missing):
            await other.archive_lora(request_id)
    assert len(server.requests) == asked


async def test_archiving_twice_and_archiving_nothing_do_no_harm(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    lora = await train(client, photos)

    for request_id in (lora, lora, UNKNOWN_ID):
        await client.archive_lora(request_id)

    assert (await client.training(lora)).progress is Progress.ARCHIVED


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.answer(503), Unavailable),
        (Fault.reset_before(), Unavailable),
        (Fault.answer(401), KeyRejected),
        (Fault.rate_limited("3"), Busy),
    ],
)
async def test_archiving_tells_of_trouble(
    client: Apiframe, server: RehearsalApiframe, fault: Fault, kind: type[ProviderError]
) -> None:
    server.faults.next("DELETE /v2/loras/{id}", fault)

    with pytest.raises(kind):
        await client.archive_lora(UNKNOWN_ID)


async def test_marker_is_found_on_a_later_page_even_when_archived(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    wanted = await train(client, photos, "Rex ·k7f3q2")
    for number in range(2):
        await train(client, photos, f"Ada ·a{number}aaaa")
    await client.archive_lora(wanted)

    found = await client.find_training("·k7f3q2", LONG_AGO)

    assert found is not None
    assert (found.request_id, found.progress) == (wanted, Progress.ARCHIVED)
    assert sum(request.method == "GET" for request in server.requests) == 3


async def test_search_stops_at_pages_older_than_it_needs(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    for number in range(3):
        await train(client, photos, f"Ada ·a{number}aaaa")

    assert await client.find_training("·k7f3q2", datetime.now(UTC) + timedelta(hours=1)) is None
    assert sum(request.method == "GET" for request in server.requests) == 1


async def test_search_that_cannot_reach_the_end_does_not_claim_absence(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    monkeypatch.setattr("bot.providers.apiframe.client.PAGES_CAP", 2)
    for number in range(3):
        await train(client, photos, f"Ada ·a{number}aaaa")

    with pytest.raises(Unavailable):
        await client.find_training("·k7f3q2", LONG_AGO)


async def test_search_bears_a_clock_that_runs_ten_minutes_behind(
    client: Apiframe, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    wanted = await train(client, photos)
    await train(client, photos, "Ada ·aaaaaa")

    found = await client.find_training("·k7f3q2", datetime.now(UTC) + timedelta(minutes=9))

    assert found is not None
    assert found.request_id == wanted
