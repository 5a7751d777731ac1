"""Webhook endpoints: one for each key at the present address, and deliveries that reach their own guild only."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from functools import partial

import pytest
import sqlalchemy as sa

from bot.errors import KeyRejected, Missing, OutcomeUnknown
from bot.keys.endpoints import LOST_MOST
from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import webhooks as aurous_webhooks
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe import answers
from bot.sandbox.aurous.events import sign
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.money import keys
from bot.storage.sealing import Sealer
from bot.web.server import HttpRequest, WebServer
from bot.web.webhooks import HintReceiver, WebhookRoutes
from tests.fakes.rows import ADMIN, CHANNEL, GUILD, OTHER_GUILD, add_generation, add_training
from tests.fakes.studio import AUROUS_KEY, KEY, MASTER_KEY, OTHER_AUROUS_KEY, Studio
from tests.fakes.waiting import eventually
from tests.web.raw_client import ask

AUROUS = ProviderName.AUROUS
REGISTER = "POST /v1/webhook_endpoints"
HERE, THERE = "http://127.0.0.1:9", "http://127.0.0.1:10"
NOT_PUBLIC: str | None = None


@pytest.fixture
def door(studio: Studio) -> WebhookRoutes:
    """As bot/app.py builds it, at the studio's time of day."""
    receivers: list[HintReceiver] = [studio.endpoints, studio.trainings, studio.generations]
    verify_aurous = partial(aurous_webhooks.verify_webhook, now=studio.clock.now())
    return WebhookRoutes(receivers, {ProviderName.APIFRAME: apiframe.verify_webhook, AUROUS: verify_aurous})


@pytest.fixture
async def server(studio: Studio, door: WebhookRoutes) -> AsyncIterator[WebServer]:
    """The real listener, at the studio's public address."""
    server = WebServer("127.0.0.1", 0, door.routes())
    await server.start()
    studio.public_url = f"http://127.0.0.1:{server.port}"
    yield server
    await server.close()


async def aurous_key(studio: Studio, api_key: str = AUROUS_KEY, *, guild_id: int = GUILD) -> ApiKeyRow:
    return (await studio.keys.set(guild_id, AUROUS, api_key, set_by=ADMIN)).row


async def endpoint_of(studio: Studio, row: ApiKeyRow) -> keys.SealedKey:
    async with studio.database.read() as connection:
        stored = await keys.get(connection, row.id)
    assert stored is not None
    return stored


async def registered(studio: Studio, api_key: str = AUROUS_KEY, *, guild_id: int = GUILD) -> keys.SealedKey:
    """A key with an endpoint."""
    studio.public_url = studio.public_url or HERE
    row = await aurous_key(studio, api_key, guild_id=guild_id)
    await studio.endpoints.ensure(row)
    return await endpoint_of(studio, row)


async def deliver(studio: Studio, door: WebhookRoutes, to: keys.SealedKey, body: object, signer: keys.SealedKey) -> int:
    """The status of a delivery to the endpoint of one key, signed with the secret of another or the same."""
    raw = json.dumps(body).encode()
    secret = studio.keys.secrets.open_endpoint(signer)
    assert secret is not None
    header = sign(raw, secret, int(studio.clock.now().timestamp()))
    request = HttpRequest(f"/webhooks/aurous/{to.endpoint_token}", {"Aurous-Webhook-Signature": header}, raw)
    return (await door.handle(request)).status


def registrations(studio: Studio) -> int:
    return sum(f"{seen.method} {seen.path}" == REGISTER for seen in studio.aurous.requests)


async def add_picture_job(studio: Studio, number: int, guild_id: int, status: GenerationStatus, request: str) -> int:
    later = studio.clock.now() + studio.timings.generation_deadline
    job = await add_generation(studio.database, number, guild_id=guild_id, provider=AUROUS)
    await studio.change(tables.generations, job, status=status, request_id=request, due_at=later)
    return job


async def due_now(studio: Studio, table: sa.Table) -> list[int]:
    return await studio.scalars(sa.select(table.c.id).where(table.c.due_at <= studio.clock.now()))


async def test_an_endpoint_is_registered_once_and_its_secret_lies_sealed(studio: Studio) -> None:
    stored = await registered(studio)
    await studio.endpoints.ensure(stored.row)
    [endpoint] = studio.aurous.endpoints.values()
    assert (endpoint.id, endpoint.url) == (stored.row.endpoint_id, stored.row.endpoint_url)
    assert endpoint.url == f"{HERE}/webhooks/aurous/{stored.endpoint_token}"
    assert len(stored.endpoint_token or "") >= 22
    assert stored.endpoint_secret is not None
    assert endpoint.secret.encode() not in stored.endpoint_secret
    assert studio.keys.secrets.open_endpoint(stored) == endpoint.secret


async def test_a_new_public_address_takes_the_place_of_the_old_one(studio: Studio) -> None:
    before = await registered(studio)
    studio.public_url = THERE
    await studio.endpoints.ensure(before.row)
    after = await endpoint_of(studio, before.row)
    [endpoint] = studio.aurous.endpoints.values()
    assert endpoint.url == after.row.endpoint_url == f"{THERE}/webhooks/aurous/{after.endpoint_token}"
    assert before.endpoint_token != after.endpoint_token
    assert await studio.endpoints.webhook_secrets(before.endpoint_token or "") is None


async def test_without_a_public_address_nothing_is_registered_and_what_was_is_taken_down(studio: Studio) -> None:
    row = await aurous_key(studio)
    await studio.endpoints.ensure(row)
    assert registrations(studio) == 0
    stored = await registered(studio)
    studio.public_url = NOT_PUBLIC
    await studio.endpoints.ensure(stored.row)
    assert studio.aurous.endpoints == {}
    assert (await endpoint_of(studio, stored.row)).endpoint_token is None


async def test_a_provider_without_endpoints_gets_none(studio: Studio) -> None:
    studio.public_url = HERE
    key_id = await studio.set_key()
    row = await studio.keys.get(key_id)
    assert row is not None
    await studio.endpoints.ensure(row)
    assert (await endpoint_of(studio, row)).endpoint_token is None


async def test_a_key_gets_its_endpoint_by_itself_and_loses_it_when_it_is_removed(studio: Studio) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    await studio.settle(LaneName.KEYS)
    assert [endpoint.url for endpoint in studio.aurous.endpoints.values()] == [
        (await endpoint_of(studio, row)).row.endpoint_url
    ]
    await studio.keys.remove(GUILD, AUROUS)
    await studio.settle(LaneName.KEYS)
    assert studio.aurous.endpoints == {}
    assert await studio.keys.get(row.id) is None


@pytest.mark.parametrize("end", ["retired", "paused"])
async def test_a_key_that_is_out_of_use_gets_no_endpoint(studio: Studio, end: str) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    if end == "retired":
        await studio.keys.remove(GUILD, AUROUS)
    else:
        await studio.keys.pause(row.id, KeyRejected(), noticed_in=CHANNEL)
    await studio.endpoints.ensure(row)
    assert registrations(studio) == 0


async def test_a_registration_whose_answer_got_lost_is_repeated_a_few_times_only(studio: Studio) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    studio.aurous.faults.next(REGISTER, *[Fault.reset_after_accept()] * (LOST_MOST + 2))
    for _ in range(LOST_MOST):
        with pytest.raises(OutcomeUnknown):
            await studio.endpoints.bring_up(row)
    await studio.endpoints.bring_up(row)
    await studio.endpoints.ensure(row)
    assert registrations(studio) == LOST_MOST


async def test_one_lost_answer_is_made_good_by_the_next_look(studio: Studio) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    studio.aurous.faults.next(REGISTER, Fault.reset_after_accept())
    await studio.endpoints.ensure(row)
    await studio.endpoints.ensure(row)
    stored = await endpoint_of(studio, row)
    assert stored.row.endpoint_id in studio.aurous.endpoints
    assert registrations(studio) == 2


async def test_a_provider_that_refuses_the_address_is_not_asked_again_and_no_token_is_logged(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    studio.aurous.faults.next(REGISTER, Fault.answer(400))
    with caplog.at_level(logging.INFO, logger="bot.keys.endpoints"):
        await studio.endpoints.ensure(row)
        await studio.endpoints.ensure(row)
    assert registrations(studio) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "/webhooks/" not in caplog.text


async def test_a_key_removed_while_its_endpoint_is_registered_leaves_none_behind(studio: Studio) -> None:
    studio.public_url = HERE
    row = await aurous_key(studio)
    studio.aurous.faults.next(REGISTER, Fault.hang())
    registering = asyncio.create_task(studio.endpoints.ensure(row))
    await eventually(lambda: bool(studio.aurous.endpoints))
    await studio.keys.remove(GUILD, AUROUS)
    studio.aurous.release()
    await registering
    assert studio.aurous.endpoints == {}
    assert (await endpoint_of(studio, row)).endpoint_token is None


async def test_an_endpoint_is_taken_down_once_and_a_provider_that_is_down_stops_nothing(studio: Studio) -> None:
    stored = await registered(studio)
    await studio.aurous.close()
    await studio.endpoints.remove(stored.row)
    assert (await endpoint_of(studio, stored.row)).row.endpoint_id is None


async def test_after_a_change_of_the_master_key_the_endpoint_secret_still_opens(studio: Studio) -> None:
    stored = await registered(studio)
    secret = studio.keys.secrets.open_endpoint(stored)
    studio.keys.secrets._sealer = Sealer([b"n" * 32, MASTER_KEY])
    assert [rotation.is_resealed for rotation in await studio.keys.secrets.rotate()] == [True]
    studio.keys.secrets._sealer = Sealer([b"n" * 32])
    assert studio.keys.secrets.open_endpoint(await endpoint_of(studio, stored.row)) == secret


async def test_a_delivery_makes_its_own_guilds_job_due_and_no_other(studio: Studio, door: WebhookRoutes) -> None:
    key = await registered(studio)
    running, ready = GenerationStatus.SUBMITTED, GenerationStatus.READY
    mine = await add_picture_job(studio, 1, GUILD, running, "img_wanted")
    await add_picture_job(studio, 2, OTHER_GUILD, running, "img_wanted")
    await add_picture_job(studio, 3, GUILD, running, "img_other")
    await add_picture_job(studio, 4, GUILD, ready, "img_done")
    for request_id in ("img_wanted", "img_done", "img_nobody"):
        body = {"type": "image.completed", "data": {"id": request_id}}
        assert await deliver(studio, door, key, body, key) == 204
    assert await due_now(studio, tables.generations) == [mine]


async def test_a_delivery_about_a_character_makes_its_training_due(studio: Studio, door: WebhookRoutes) -> None:
    key = await registered(studio)
    later = studio.clock.now() + studio.timings.training_deadline
    jobs = [
        await add_training(studio.database, n, guild_id=g, provider=AUROUS) for n, g in ((1, GUILD), (2, OTHER_GUILD))
    ]
    for job in jobs:
        values = {"status": TrainingStatus.TRAINING, "request_id": "char_wanted", "due_at": later}
        await studio.change(tables.trainings, job, **values)
    body = {"event": "character.completed", "data": {"object": {"id": "char_wanted"}}}
    assert await deliver(studio, door, key, body, key) == 204
    assert await due_now(studio, tables.trainings) == jobs[:1]


async def test_another_guilds_signature_opens_nothing(studio: Studio, door: WebhookRoutes) -> None:
    key = await registered(studio)
    other = await registered(studio, OTHER_AUROUS_KEY, guild_id=OTHER_GUILD)
    await add_picture_job(studio, 1, GUILD, GenerationStatus.SUBMITTED, "img_wanted")
    body = {"type": "image.completed", "data": {"id": "img_wanted"}}
    assert await deliver(studio, door, key, body, other) == 401
    assert await deliver(studio, door, other, body, other) == 204
    assert await due_now(studio, tables.generations) == []
    assert (await endpoint_of(studio, key.row)).row.endpoint_heard_at is None


async def test_news_of_the_account_and_tests_are_taken_and_noted(studio: Studio, door: WebhookRoutes) -> None:
    key = await registered(studio)
    for body in ({"type": "usage.balance_low", "data": {}}, {"type": "image.completed", "synthetic": True, "data": {}}):
        studio.clock.advance(studio.timings.poll)
        assert await deliver(studio, door, key, body, key) == 204
        assert (await endpoint_of(studio, key.row)).row.endpoint_heard_at == studio.clock.now()


async def test_a_job_address_is_noted_when_signed_and_left_to_the_jobs_service(
    studio: Studio, door: WebhookRoutes
) -> None:
    key_id = await studio.set_key()
    await studio.begin()
    await studio.settle()
    [token] = await studio.scalars(sa.select(tables.trainings.c.webhook_token))
    [request_id] = studio.server.loras
    raw = json.dumps({"id": request_id, "status": "READY"}).encode()
    for api_key, status in (("afk_somebody_elses", 401), (KEY, 204)):
        row = await studio.keys.get(key_id)
        assert row is not None
        assert row.endpoint_heard_at is None
        headers = {"X-Webhook-Signature": answers.sign(raw, api_key, "hex")}
        assert (await door.handle(HttpRequest(f"/webhooks/apiframe/{token}", headers, raw))).status == status
    row = await studio.keys.get(key_id)
    assert row is not None
    assert row.endpoint_heard_at == studio.clock.now()
    assert await due_now(studio, tables.trainings) != []


async def test_a_test_delivery_is_waited_for_and_arrives_through_the_listener(
    studio: Studio, server: WebServer
) -> None:
    stored = await registered(studio)
    assert stored.row.endpoint_url == f"http://127.0.0.1:{server.port}/webhooks/aurous/{stored.endpoint_token}"
    seconds = await studio.endpoints.try_out(stored.row, patience=studio.timings.reachability)
    assert seconds is not None
    assert 0 <= seconds < 5
    await eventually(lambda: [delivery.status for delivery in studio.aurous.deliveries] == [204])


async def test_an_endpoint_the_provider_has_forgotten_is_told_apart_from_silence(studio: Studio) -> None:
    stored = await registered(studio)
    studio.aurous.endpoints.clear()
    with pytest.raises(Missing):
        await studio.endpoints.try_out(stored.row, patience=studio.timings.reachability)
    await studio.endpoints.renew(stored.row)
    assert (await endpoint_of(studio, stored.row)).row.endpoint_id in studio.aurous.endpoints


@pytest.mark.parametrize("is_signed", [True, False])
async def test_an_orders_own_callback_reaches_its_row_signed_or_not(
    studio: Studio, server: WebServer, is_signed: bool
) -> None:
    stored = await registered(studio)
    job = await add_picture_job(studio, 1, GUILD, GenerationStatus.SUBMITTED, "img_wanted")
    raw = json.dumps({"event": "image.completed", "data": {"id": "img_wanted"}}).encode()
    secret = studio.keys.secrets.open_endpoint(stored)
    assert secret is not None
    at = int(studio.clock.now().timestamp())
    headers = {"Aurous-Webhook-Signature": sign(raw, secret, at)} if is_signed else {}
    await studio.change(tables.generations, job, webhook_token="t" * 32)
    reply = await ask(server.port, "POST", f"/webhooks/aurous/{'t' * 32}", raw, headers)
    assert reply.status == 204
    assert await due_now(studio, tables.generations) == [job]
