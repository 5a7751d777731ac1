import json

import pytest

from bot.errors import KeyRejected, Missing, OutcomeUnknown, ProviderError, Refused, Unavailable
from bot.providers.aurous.client import Aurous
from bot.providers.aurous.webhooks import verify_webhook
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.faults import Fault
from tests.providers.mailbox import Mailbox
from tests.providers.sample_orders import make_generation_order

HOOK = "https://bot.example/hook"


async def test_endpoint_hears_of_everything_and_its_secret_is_told_once(
    aurous: Aurous, aurous_server: RehearsalAurous
) -> None:
    endpoint = await aurous.register_endpoint(HOOK)

    assert endpoint is not None
    kept = aurous_server.endpoints[endpoint.endpoint_id]
    assert (kept.url, kept.secret) == (HOOK, endpoint.secret)
    assert "image.completed" in kept.events or kept.events == ("*",)


@pytest.mark.parametrize(
    "fault", [Fault.reset_after_accept(), Fault.answer(502, accepted=True), Fault.wrong_schema(), Fault.answer(503)]
)
async def test_registration_without_a_whole_answer_is_unknown(
    aurous: Aurous, aurous_server: RehearsalAurous, fault: Fault
) -> None:
    aurous_server.faults.next("POST /v1/webhook_endpoints", fault)

    with pytest.raises(OutcomeUnknown):
        await aurous.register_endpoint(HOOK)

    assert len(aurous_server.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (403, KeyRejected), (404, Refused)])
async def test_refused_registration_says_so(
    aurous: Aurous, aurous_server: RehearsalAurous, status: int, kind: type[ProviderError]
) -> None:
    aurous_server.faults.next("POST /v1/webhook_endpoints", Fault.answer(status))

    with pytest.raises(kind):
        await aurous.register_endpoint(HOOK)


async def test_removing_twice_and_removing_nothing_do_no_harm(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    endpoint = await aurous.register_endpoint(HOOK)
    assert endpoint is not None

    for endpoint_id in (endpoint.endpoint_id, endpoint.endpoint_id, "we_unknown"):
        await aurous.remove_endpoint(endpoint_id)

    assert aurous_server.endpoints == {}
    aurous_server.faults.next("DELETE /v1/webhook_endpoints/{id}", Fault.answer(503))
    with pytest.raises(Unavailable):
        await aurous.remove_endpoint(endpoint.endpoint_id)


async def test_test_delivery_is_signed_and_about_nothing(
    aurous: Aurous, aurous_server: RehearsalAurous, mailbox: Mailbox
) -> None:
    endpoint = await aurous.register_endpoint(mailbox.url)
    assert endpoint is not None

    assert await aurous.test_endpoint(endpoint.endpoint_id)
    body, headers = await mailbox.next()

    hint = verify_webhook(body, headers, [endpoint.secret], may_be_unsigned=False)
    assert hint is not None
    assert hint.request_id == ""
    assert verify_webhook(body, headers, ["whsec_another"], may_be_unsigned=True) is None


async def test_test_that_cannot_be_sent_is_told_apart(aurous: Aurous, aurous_server: RehearsalAurous) -> None:
    route = "POST /v1/webhook_endpoints/{id}/test"
    aurous_server.faults.next(route, Fault.answer(400), Fault.answer(503))

    assert not await aurous.test_endpoint("we_1")
    with pytest.raises(Unavailable):
        await aurous.test_endpoint("we_1")
    with pytest.raises(Missing):
        await aurous.test_endpoint("we_1")


async def test_news_of_pictures_come_signed_to_the_endpoint_and_plain_to_the_order(
    aurous: Aurous, aurous_server: RehearsalAurous, mailbox: Mailbox
) -> None:
    submitted = await aurous.submit_generation(make_generation_order(webhook_url=mailbox.url))
    body, headers = await mailbox.next()

    plain = verify_webhook(body, headers, [], may_be_unsigned=True)
    assert plain is not None
    assert (plain.request_id, plain.is_training, plain.variant) == (submitted.request_id, False, "unsigned")
    assert verify_webhook(body, headers, [], may_be_unsigned=False) is None

    endpoint = await aurous.register_endpoint(mailbox.url)
    assert endpoint is not None
    again = await aurous.submit_generation(make_generation_order(idempotency_key="another"))
    body, headers = await mailbox.next()

    signed = verify_webhook(body, headers, [endpoint.secret], may_be_unsigned=False)
    assert signed is not None
    assert signed.request_id == again.request_id
    assert json.loads(body)["data"]
