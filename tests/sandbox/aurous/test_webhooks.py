import hashlib
import hmac
from typing import Any

import pytest

from bot.sandbox.aurous.events import EVENT_TYPES
from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.aurous.switches import EventForm
from bot.sandbox.rehearsal.deliveries import WebhookFault
from bot.sandbox.rehearsal.faults import Fault
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import KEY, OTHER_KEY, AurousCaller, AurousReceiver

ENDPOINTS = "/v1/webhook_endpoints"
NOWHERE = "http://127.0.0.1:9/hook"


def is_signed(receiver: AurousReceiver, number: int, secret: str, clock: ManualClock) -> bool:
    at = int(clock().timestamp())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + receiver.bodies[number], hashlib.sha256).hexdigest()
    return receiver.signatures[number] == f"t={at},v1={digest}"


async def test_order_calls_its_own_address_unsigned_with_what_a_look_would_show(
    aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    image_id = (await aurous.order(webhook_url=aurous_receiver.url)).body["id"]
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)

    assert aurous_receiver.events == [{"event": "image.completed", "data": await aurous.image(image_id)}]
    assert aurous_receiver.signatures == [None]


async def test_failure_is_called_back_and_a_cancellation_is_not(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    cancelled = (await aurous.order(webhook_url=aurous_receiver.url)).body["id"]
    await aurous.call("POST", f"/v1/images/{cancelled}/cancel")
    aurous_server.faults.images.append(ImageFault.MODERATION_REJECTED)
    await aurous.order(webhook_url=aurous_receiver.url)
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)

    assert [(event["event"], event["data"]["status"]) for event in aurous_receiver.events] == [
        ("image.failed", "moderation_rejected")
    ]


async def test_callback_is_tried_three_times(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    aurous_receiver.statuses = [500, 302]
    await aurous.order(webhook_url=aurous_receiver.url)
    await aurous.order(webhook_url=NOWHERE)
    clock.pass_s(10)
    await aurous_receiver.wait_for(3)
    await aurous.wait_for_deliveries(6)

    assert len(set(aurous_receiver.bodies)) == 1
    assert [sent.status for sent in aurous_server.deliveries if sent.url == aurous_receiver.url] == [500, 302, 204]
    assert [sent.status for sent in aurous_server.deliveries if sent.url == NOWHERE] == [None] * 3


async def test_callback_can_be_signed_with_a_secret(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    aurous_server.faults.webhooks.callback_secret = "whsec_chosen"
    await aurous.order(webhook_url=aurous_receiver.url)
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)

    assert is_signed(aurous_receiver, 0, "whsec_chosen", clock)


async def test_registered_endpoint_shows_its_secret_and_everything_expands(aurous: AurousCaller) -> None:
    made = await aurous.register("https://example.com/hook")
    test = {"event_type": "image.completed"}

    assert made["secret"].startswith("whsec_")
    assert made["secret_preview"] == f"{made['secret'][:10]}...{made['secret'][-4:]}"
    assert (made["events"], made["is_active"], made["consecutive_failures"]) == (list(EVENT_TYPES), True, 0)
    assert (await aurous.as_key(OTHER_KEY).call("POST", f"{ENDPOINTS}/{made['id']}/test", test)).status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": None}, "invalid_format"),
        ({"url": "http://example.com/hook"}, "invalid_format"),
        ({"url": "https://10.0.0.1/hook"}, "invalid_format"),
        ({"events": []}, "invalid_format"),
        ({"events": ["image.dreamt"]}, "invalid_format"),
        ({"events": "image.completed"}, "invalid_format"),
        ({"metadata": {"a": 1}}, "invalid_format"),
        ({"metadata": {"a": "x" * 501}}, "value_out_of_range"),
        ({"metadata": {str(number): "x" for number in range(51)}}, "value_out_of_range"),
        ({"secret": "mine"}, "invalid_request"),
    ],
)
async def test_wrong_endpoint_is_refused(aurous: AurousCaller, change: dict[str, Any], code: str) -> None:
    body = {"url": "https://example.com/hook", "events": ["*"], **change}

    assert (await aurous.call("POST", ENDPOINTS, body)).code == (400, code)


async def test_endpoint_needs_address_and_events(aurous: AurousCaller) -> None:
    for body, param in (({"events": ["*"]}, "url"), ({"url": "https://example.com/hook"}, "events")):
        said = await aurous.call("POST", ENDPOINTS, body)
        assert (said.code, said.body["error"]["param"]) == ((400, "missing_field"), param)


async def test_deleting_an_endpoint_always_succeeds(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    endpoint_id = (await aurous.register("https://example.com/hook"))["id"]
    said = [await aurous.call("DELETE", f"{ENDPOINTS}/{endpoint_id}") for _ in "ab"]

    assert [(each.status, each.body["deleted"]) for each in said] == [(200, True), (200, False)]
    assert aurous_server.endpoints == {}


async def test_endpoint_hears_signed_news_of_its_own_team_that_it_wants(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url, ["image.completed"])
    await aurous.as_key(OTHER_KEY).order()
    image_id = (await aurous.order()).body["id"]
    await aurous.call("POST", f"/v1/images/{(await aurous.order()).body['id']}/cancel")
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)
    (event,) = aurous_receiver.events
    kept = aurous_server.endpoints[endpoint["id"]]

    assert is_signed(aurous_receiver, 0, endpoint["secret"], clock)
    assert (event["type"], event["event"], event["object"]) == ("image.completed", "image.completed", "event")
    assert event["id"].startswith("evt_")
    assert event["data"] == await aurous.image(image_id)
    assert "synthetic" not in event
    assert kept.last_success_at == clock()


@pytest.mark.parametrize("form", [EventForm.BARE, EventForm.NESTED])
async def test_envelope_can_have_other_forms(
    aurous_server: RehearsalAurous,
    aurous: AurousCaller,
    clock: ManualClock,
    aurous_receiver: AurousReceiver,
    form: EventForm,
) -> None:
    aurous_server.faults.webhooks.form = form
    await aurous.register(aurous_receiver.url)
    image_id = (await aurous.order()).body["id"]
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)
    (event,) = aurous_receiver.events

    data = event["data"] if form is EventForm.BARE else event["data"]["object"]
    assert data["id"] == image_id
    assert ("id" in event) == (form is EventForm.NESTED)


async def test_low_balance_is_told_once_an_hour(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    aurous_server.faults.balance_low_threshold = 99
    await aurous.register(aurous_receiver.url, ["usage.balance_low"])
    for seconds in (10, 3600, 20):
        await aurous.order()
        clock.pass_s(seconds)
        await aurous.balance()
    await aurous_receiver.wait_for(2)

    assert [event["data"]["credits"] for event in aurous_receiver.events] == [99, 97]


async def test_refused_delivery_is_repeated_and_signed_anew(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url)
    aurous_receiver.statuses = [500, 500]
    await aurous.order()
    clock.pass_s(10)
    await aurous_receiver.wait_for(3)
    await aurous.wait_for_deliveries(3)
    kept = aurous_server.endpoints[endpoint["id"]]

    assert len({event["id"] for event in aurous_receiver.events}) == 1
    assert all(is_signed(aurous_receiver, number, endpoint["secret"], clock) for number in range(3))
    assert (kept.consecutive_failures, kept.last_failure_at) == (0, clock())


async def test_test_delivery_is_signed_and_marked(
    aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url, ["image.completed", "character.failed", "usage.balance_low"])
    path = f"{ENDPOINTS}/{endpoint['id']}/test"
    for event_type in endpoint["events"]:
        fired = (await aurous.call("POST", path, {"event_type": event_type})).body
        await aurous_receiver.wait_for(1)
        event = aurous_receiver.events[-1]
        assert (fired["object"], fired["enqueued"], fired["endpoint_id"]) == ("webhook_test_fire", True, endpoint["id"])
        assert (event["id"], event["synthetic"], event["type"]) == (fired["event_id"], True, event_type)
        assert is_signed(aurous_receiver, -1, endpoint["secret"], clock)

    assert (await aurous.call("POST", path, {"event_type": "image.failed"})).code == (400, "invalid_format")
    assert (await aurous.call("POST", path)).code == (400, "missing_field")


async def test_endpoint_that_never_answers_is_switched_off_and_others_hear_of_it(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    dead = await aurous.register(NOWHERE, ["image.completed"])
    await aurous.register(aurous_receiver.url, ["webhook.endpoint_disabled"])
    for _ in range(7):
        await aurous.order()
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)
    (event,) = aurous_receiver.events
    kept = aurous_server.endpoints[dead["id"]]

    assert (event["type"], event["data"]["id"]) == ("webhook.endpoint_disabled", dead["id"])
    assert event["data"]["secret"] is None
    assert (kept.is_active, kept.consecutive_failures >= 20) == (False, True)


async def test_endpoint_that_answered_today_stays_on(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url, ["image.completed"])
    aurous_receiver.statuses = [204, *[500] * 21]
    for orders in (1, 7):
        for _ in range(orders):
            await aurous.order()
        clock.pass_s(10)
        await aurous.balance()
        await aurous_receiver.wait_for(1 if orders == 1 else 21)
    await aurous.wait_for_deliveries(22)

    assert aurous_server.endpoints[endpoint["id"]].is_active


async def test_webhook_faults_happen_once_each_in_order(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url, ["image.completed"])
    aurous_server.faults.webhooks.queue.extend(
        [WebhookFault.BAD_SIGNATURE, WebhookFault.MISSING_SIGNATURE, WebhookFault.DUPLICATE, None]
    )
    judged = []
    for count in (1, 1, 2, 1):
        await aurous.order()
        clock.pass_s(10)
        await aurous_receiver.wait_for(count)
        judged += [is_signed(aurous_receiver, -1 - number, endpoint["secret"], clock) for number in range(count)]

    assert judged == [False, False, True, True, True]
    assert aurous_receiver.signatures[1] is None
    assert aurous_receiver.bodies[2] == aurous_receiver.bodies[3]


async def test_delayed_webhook_is_overtaken_and_a_dropped_one_never_comes(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    aurous_server.faults.webhooks.queue.extend([WebhookFault.DROP, WebhookFault.DELAY, None])
    orders = [(await aurous.order(webhook_url=aurous_receiver.url)).body["id"] for _ in range(3)]
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)
    aurous_server.release()
    await aurous_receiver.wait_for(1)

    assert [event["data"]["id"] for event in aurous_receiver.events] == orders[:0:-1]


async def test_old_signature_can_be_rehearsed(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    endpoint = await aurous.register(aurous_receiver.url)
    aurous_server.faults.webhooks.signature_age_s = 301
    await aurous.order()
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)
    clock.pass_s(-301)

    assert is_signed(aurous_receiver, 0, endpoint["secret"], clock)


async def test_news_comes_even_when_the_answer_to_the_order_was_lost(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, aurous_receiver: AurousReceiver
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.answer(502, accepted=True))
    lost = await aurous.order("k", webhook_url=aurous_receiver.url)
    clock.pass_s(10)
    await aurous_receiver.wait_for(1)

    assert lost.code == (502, "provider_unavailable")
    assert aurous_receiver.events[0]["data"]["id"] == next(iter(aurous_server.images))
    assert aurous_server.charged(KEY) == 1
