"""Webhooks are hints: they save waiting, and nothing depends on them."""

import asyncio
import json
from datetime import timedelta

import pytest

from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.apiframe.answers import sign
from bot.sandbox.rehearsal.faults import Fault
from bot.web.server import HttpRequest
from bot.web.webhooks import PREFIX, WebhookRoutes
from tests.fakes.rows import OTHER_GUILD
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio

S = TrainingStatus


@pytest.fixture
def hints(studio: Studio) -> WebhookRoutes:
    return WebhookRoutes([studio.trainings, studio.generations], {PROVIDER: verify_webhook})


async def deliver(hints: WebhookRoutes, token: str, body: dict[str, object], api_key: str = KEY) -> bool:
    raw = json.dumps(body).encode()
    headers = {"X-Webhook-Signature": sign(raw, api_key, "hex")}
    return (await hints.handle(HttpRequest(f"{PREFIX}{PROVIDER}/{token}", headers, raw))).status == 204


async def submitted(studio: Studio) -> Training:
    await studio.set_key()
    training = await studio.begin()
    await studio.settle()
    return await studio.training(training.id)


async def test_a_hint_shows_the_result_without_waiting_for_the_next_poll(studio: Studio, hints: WebhookRoutes) -> None:
    training = await submitted(studio)
    studio.finish_at_provider(str(training.request_id))
    assert await studio.work(LaneName.TRAININGS) == 0
    assert await deliver(hints, training.webhook_token, {"id": training.request_id, "status": "READY"})
    await studio.settle()
    assert (await studio.training(training.id)).status is S.READY


async def test_a_hint_is_believed_only_as_far_as_the_provider_confirms_it(studio: Studio, hints: WebhookRoutes) -> None:
    training = await submitted(studio)
    assert await deliver(hints, training.webhook_token, {"id": training.request_id, "status": "FAILED"})
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTED


async def test_the_same_delivery_many_times_changes_one_thing_and_posts_once(
    studio: Studio, hints: WebhookRoutes
) -> None:
    training = await submitted(studio)
    studio.finish_at_provider(str(training.request_id))
    body: dict[str, object] = {"id": training.request_id, "status": "READY"}
    for _ in range(3):
        assert all(await asyncio.gather(*(deliver(hints, training.webhook_token, body) for _ in range(7))))
        await studio.settle()
    assert (await studio.words(training)).count("ready") == 1
    assert studio.poster.kinds().count(PostKind.TRAINING_READY) == 1
    await studio.pass_time(timedelta(days=20))
    assert await deliver(hints, training.webhook_token, body)
    await studio.settle()
    assert (await studio.training(training.id)).status is S.READY


async def test_the_address_the_provider_calls_is_the_rows_own(studio: Studio) -> None:
    studio.public_url = "http://127.0.0.1:9"
    training = await submitted(studio)
    [lora] = studio.server.loras.values()
    assert lora.webhook_url == f"http://127.0.0.1:9/webhooks/apiframe/{training.webhook_token}"


async def test_a_hint_cannot_hurry_the_look_for_an_order_of_unknown_outcome(
    studio: Studio, hints: WebhookRoutes
) -> None:
    await studio.set_key()
    training = await studio.begin()
    studio.server.faults.next("POST /v2/loras", Fault.reset_before())
    await studio.settle()
    assert await deliver(hints, training.webhook_token, {"id": "anything", "status": "READY"})
    await studio.settle()
    assert [seen.path for seen in studio.server.requests if seen.method == "GET"] == ["/v2/me", "/v2/me"]
    assert (await studio.training(training.id)).status is S.SUBMITTING


async def test_a_guild_with_a_good_signature_of_its_own_cannot_touch_another_guilds_row(
    studio: Studio, hints: WebhookRoutes
) -> None:
    training = await submitted(studio)
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    theirs = await studio.begin(guild_id=OTHER_GUILD)
    await studio.settle()
    theirs = await studio.training(theirs.id)
    mine: dict[str, object] = {"id": training.request_id, "status": "READY"}
    assert not await deliver(hints, training.webhook_token, mine, OTHER_KEY)
    assert not await deliver(hints, theirs.webhook_token, mine, OTHER_KEY)
    assert not await deliver(hints, theirs.webhook_token, mine, KEY)
    assert await studio.work(LaneName.TRAININGS) == 0


async def test_a_token_nobody_has_leads_nowhere(studio: Studio, hints: WebhookRoutes) -> None:
    await submitted(studio)
    assert not await deliver(hints, "x" * 32, {"id": "anything", "status": "READY"})
    for taker in (studio.trainings, studio.generations):
        assert await taker.webhook_secrets("x" * 32) is None
        assert not await taker.hint("x" * 32, WebhookHint("anything", True, "hex"))


async def test_a_delivery_about_another_object_than_the_rows_is_refused(studio: Studio, hints: WebhookRoutes) -> None:
    training = await submitted(studio)
    assert not await deliver(hints, training.webhook_token, {"id": "another", "status": "READY"})
    assert await studio.work(LaneName.TRAININGS) == 0


async def test_after_a_key_change_the_old_keys_signature_still_counts_until_its_jobs_end(
    studio: Studio, hints: WebhookRoutes
) -> None:
    training = await submitted(studio)
    await studio.set_key(NEXT_KEY)
    await studio.settle()
    body: dict[str, object] = {"id": training.request_id, "status": "READY"}
    assert await deliver(hints, training.webhook_token, body, KEY)
    assert await deliver(hints, training.webhook_token, body, NEXT_KEY)
    studio.finish_at_provider(str(training.request_id))
    await studio.settle()
    await studio.pass_time(timedelta(minutes=10))
    assert (await studio.training(training.id)).status is S.READY
    assert not await deliver(hints, training.webhook_token, body, KEY)


async def test_without_any_webhook_polling_alone_brings_the_result(studio: Studio) -> None:
    training = await submitted(studio)
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
