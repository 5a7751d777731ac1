"""What does not come from the provider itself is no verdict, and what a list tells of a job: the same at both."""

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import KeyRejected, Missing, OutcomeUnknown, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.apiframe.client import Apiframe
from bot.providers.aurous.client import Aurous
from bot.providers.base import PhotoFile, ProviderClient
from bot.providers.witness import has_lora, look_at_generation, look_at_training
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.rehearsal.server import RehearsalServer
from tests.providers.calls import LONG_AGO, UNKNOWN_ID, train
from tests.providers.sample_orders import make_generation_order, make_training_order

Call = Callable[[ProviderClient], Awaitable[object]]
TRIES = 3
"""How often a read is tried before it has failed."""
STATUSES = (400, 401, 402, 403, 404, 409, 410, 413, 422)
READS: dict[str, tuple[str, str, Call]] = {
    "account": ("GET /v2/me", "GET /v1/balance", lambda client: client.account()),
    "training": ("GET /v2/loras/{id}", "GET /v1/characters/{id}", lambda client: client.training(UNKNOWN_ID)),
    "pictures": ("GET /v2/jobs/{id}", "GET /v1/images/{id}", lambda client: client.generation(UNKNOWN_ID)),
    "list": ("GET /v2/loras", "GET /v1/characters", lambda client: client.find_training("·abcdef", LONG_AGO)),
    "removal": (
        "DELETE /v2/loras/{id}",
        "DELETE /v1/characters/{id}",
        lambda client: client.archive_lora(UNKNOWN_ID),
    ),
}
NOT_THEIRS = {
    "a page": Fault.edge_page,
    "nothing": lambda status: Fault.answer(status, body=b""),
    "JSON of another shape": lambda status: Fault.answer(status, body=b'{"message": "Forbidden"}'),
    "a list": lambda status: Fault.answer(status, body=b'["error"]'),
    "an error without words": lambda status: Fault.answer(status, body=b'{"error": {}}'),
    "their words on a page": lambda status: Fault.answer(
        status, headers={"Content-Type": "text/html"}, body=b'{"error": "Forbidden"}'
    ),
    "a challenge": lambda status: Fault.answer(
        status, headers={"cf-mitigated": "challenge"}, body=b'{"error": {"type": "authentication"}}'
    ),
}


@pytest.fixture(params=["Apiframe", "Aurous Labs"])
def either(
    request: pytest.FixtureRequest,
    client: Apiframe,
    server: RehearsalApiframe,
    aurous: Aurous,
    aurous_server: RehearsalAurous,
) -> tuple[ProviderClient, RehearsalServer]:
    return (client, server) if request.param == "Apiframe" else (aurous, aurous_server)


@pytest.mark.parametrize("make", NOT_THEIRS.values(), ids=NOT_THEIRS)
@pytest.mark.parametrize(("route", "aurous_route", "call"), READS.values(), ids=READS)
async def test_what_something_in_between_answers_is_no_verdict(
    either: tuple[ProviderClient, RehearsalServer],
    route: str,
    aurous_route: str,
    call: Call,
    make: Callable[[int], Fault],
) -> None:
    client, server = either
    for status in STATUSES:
        tries = 1 if route.startswith("DELETE") else TRIES
        server.faults.next(route if isinstance(client, Apiframe) else aurous_route, *[make(status)] * tries)
        with pytest.raises(Unavailable) as said:
            await call(client)
        assert said.value.status == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, KeyRejected), (403, KeyRejected), (402, OutOfCredits), (404, Missing), (410, Missing), (400, Refused)],
)
async def test_what_they_say_themselves_is_one(
    either: tuple[ProviderClient, RehearsalServer], status: int, kind: type[ProviderError]
) -> None:
    client, server = either
    for route in ("GET /v2/me", "GET /v1/balance"):
        server.faults.next(route, Fault.answer(status))
    with pytest.raises(kind):
        await client.account()


async def test_a_page_in_answer_to_a_paid_order_leaves_its_outcome_open(
    either: tuple[ProviderClient, RehearsalServer], photos: list[PhotoFile]
) -> None:
    client, server = either
    for route in ("POST /v2/loras", "POST /v1/characters"):
        server.faults.next(route, *[Fault.edge_page()] * 10)
    with pytest.raises(OutcomeUnknown):
        await client.submit_training(make_training_order(photos[:6] if isinstance(client, Aurous) else photos))


async def test_a_page_with_200_is_no_proof_that_something_was_removed(
    either: tuple[ProviderClient, RehearsalServer],
) -> None:
    client, server = either
    page = Fault.answer(200, headers={"Content-Type": "text/html"}, body=b"<!doctype html>")
    for route in ("DELETE /v2/loras/{id}", "DELETE /v1/characters/{id}"):
        server.faults.next(route, page)
    with pytest.raises(Unavailable):
        await client.archive_lora(UNKNOWN_ID)


async def test_the_list_tells_of_a_lora_whose_id_leads_nowhere(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    request_id = await train(client, photos)
    for _ in range(2):
        server.faults.next("GET /v2/loras/{id}", Fault.answer(404))
        assert (await look_at_training(client, request_id, LONG_AGO)).request_id == request_id
    server.faults.next("GET /v2/loras/{id}", Fault.answer(404))
    assert await has_lora(client, request_id)
    with pytest.raises(Missing):
        await look_at_training(client, UNKNOWN_ID, LONG_AGO)
    assert not await has_lora(client, UNKNOWN_ID)


async def test_the_list_tells_of_pictures_whose_id_leads_nowhere(
    client: Apiframe, server: RehearsalApiframe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    request_id = (await client.submit_generation(make_generation_order())).request_id
    for number in range(2):
        await client.submit_generation(make_generation_order(idempotency_key=f"another {number}"))
    server.faults.next("GET /v2/jobs/{id}", Fault.answer(404))
    listed = await look_at_generation(client, request_id, LONG_AGO)
    assert listed == await client.generation(request_id)
    with pytest.raises(Missing):
        await look_at_generation(client, UNKNOWN_ID, LONG_AGO)


async def test_the_list_of_aurous_labs_tells_of_pictures_whose_id_leads_nowhere(
    aurous: Aurous, aurous_server: RehearsalAurous, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.aurous.client.PAGE_SIZE", 1)
    style = (await aurous.styles())[0].remote_id
    request_id = (await aurous.submit_generation(make_generation_order(style=style))).request_id
    await aurous.submit_generation(make_generation_order(style=style, idempotency_key="another"))
    aurous_server.faults.next("GET /v1/images/{id}", Fault.answer(404))
    listed = await look_at_generation(aurous, request_id, LONG_AGO)
    assert listed == await aurous.generation(request_id)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"jobs": {}}', b'{"jobs": [1], "nextCursor": null}', b'{"jobs": [], "nextCursor": 7}']
)
async def test_a_list_that_cannot_be_read_is_no_witness(
    client: Apiframe, server: RehearsalApiframe, body: bytes
) -> None:
    server.faults.next("GET /v2/jobs", *[Fault.answer(200, body=body)] * TRIES)
    with pytest.raises(Unavailable):
        await client.find_generation(lambda report: report.request_id == UNKNOWN_ID, LONG_AGO)
