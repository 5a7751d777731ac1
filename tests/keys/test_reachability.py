"""The webhook self-test: it tells each way in which a public address can be wrong, and what to do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.keys.reachability import Mark, ReachabilityFinding
from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import webhooks as aurous_webhooks
from bot.records.key import ProviderName
from bot.sandbox.rehearsal.deliveries import WebhookFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.web.reachability import reachability_route
from bot.web.server import Route, WebServer
from bot.web.webhooks import HintReceiver, WebhookRoutes
from tests.fakes.rows import ADMIN, GUILD, OTHER_GUILD
from tests.fakes.studio import AUROUS_KEY, Studio
from tests.web.raw_client import ask

AUROUS = ProviderName.AUROUS
TEST = "POST /v1/webhook_endpoints/{id}/test"
IMPATIENT = timedelta(seconds=0.3)

Answering = Callable[[bytes], Awaitable[bytes]]
"""Makes a raw answer of a request's path."""


@pytest.fixture
async def server(studio: Studio) -> AsyncIterator[WebServer]:
    """The real listener with the routes of bot/app.py, at the studio's public address."""
    receivers: list[HintReceiver] = [studio.endpoints, studio.trainings, studio.generations]
    verify_aurous = partial(aurous_webhooks.verify_webhook, now=studio.clock.now())
    door = WebhookRoutes(receivers, {ProviderName.APIFRAME: apiframe.verify_webhook, AUROUS: verify_aurous})
    async with listening(
        [reachability_route(studio.reachability.arrive, studio.reachability.vouch), *door.routes()]
    ) as server:
        studio.public_url = f"http://127.0.0.1:{server.port}"
        yield server


@contextlib.asynccontextmanager
async def listening(routes: list[Route]) -> AsyncIterator[WebServer]:
    server = WebServer("127.0.0.1", 0, routes)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def something_else(answer: bytes | Answering) -> AsyncIterator[str]:
    """Another program at the public address, which says the same to everybody, or what `answer` makes of a path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer if isinstance(answer, bytes) else await answer(head.split()[1]))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def first_two(studio: Studio) -> tuple[ReachabilityFinding, ReachabilityFinding]:
    set_address, reached, *_ = await studio.reachability.run(GUILD)
    return set_address, reached


async def of_aurous(studio: Studio, patience: timedelta | None = None) -> ReachabilityFinding:
    """What the test says of Aurous Labs; it stands last."""
    studio.reachability._timings = replace(studio.timings, reachability=patience or studio.timings.reachability)
    return (await studio.reachability.run(GUILD))[-1]


async def set_aurous_key(studio: Studio, guild_id: int = GUILD) -> int:
    return (await studio.keys.set(guild_id, AUROUS, AUROUS_KEY, set_by=ADMIN)).row.id


async def test_without_a_public_address_it_says_that_nothing_is_missing(studio: Studio) -> None:
    await set_aurous_key(studio)
    [only] = await studio.reachability.run(GUILD)
    assert only.mark is Mark.NOTE
    assert "DARKROOM_PUBLIC_URL is not set" in only.text
    assert "nothing is missing" in only.text
    assert studio.aurous.endpoints == {}


async def test_with_everything_in_order_every_line_is_good(studio: Studio, server: WebServer) -> None:
    await studio.set_key()
    await set_aurous_key(studio)
    set_address, reached, with_apiframe, with_aurous = await studio.reachability.run(GUILD)
    assert f"127.0.0.1:{server.port}" in set_address.text
    assert [each.mark for each in (set_address, reached, with_aurous)] == [Mark.GOOD] * 3
    assert "reaches Darkroom after 0." in reached.text
    assert "signed delivery of Aurous Labs arrived after" in with_aurous.text
    assert (with_apiframe.mark, with_apiframe.at) == (Mark.NOTE, None)
    assert "Apiframe has no test delivery" in with_apiframe.text


@pytest.mark.usefixtures("server")
async def test_the_last_delivery_of_apiframe_is_told_if_there_was_one(studio: Studio) -> None:
    key_id = await studio.set_key()
    await studio.change(tables.api_keys, key_id, endpoint_heard_at=studio.clock.now())
    with_apiframe = (await studio.reachability.run(GUILD))[2]
    assert (with_apiframe.mark, with_apiframe.at) == (Mark.GOOD, studio.clock.now())


@pytest.mark.usefixtures("server")
async def test_a_guild_without_keys_is_told_what_to_do_and_hears_nothing_of_anothers(studio: Studio) -> None:
    await set_aurous_key(studio)
    findings = await studio.reachability.run(OTHER_GUILD)
    assert [each.mark for each in findings[2:]] == [Mark.NOTE, Mark.NOTE]
    assert all("/keys set" in each.text for each in findings[2:])
    assert studio.aurous.endpoints == {}


REDIRECT = b"HTTP/1.1 308 X\r\nLocation: https://www.bot.example/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (REDIRECT, "redirects to `www.bot.example`"),
        (b"HTTP/1.1 301 X\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "redirects, which"),
        (b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", "cannot reach Darkroom (status 502)"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok", "Something else than this Darkroom answers"),
        (b"", "no answer comes back"),
    ],
)
async def test_an_address_that_leads_elsewhere_is_told_by_what_answers_there(
    studio: Studio, answer: bytes, said: str
) -> None:
    async with something_else(answer) as studio.public_url:
        _, reached = await first_two(studio)
    assert reached.mark is Mark.BAD
    assert said in reached.text


async def nobody(_token: str) -> None:
    """Vouches for no token."""


async def test_another_darkroom_at_the_address_is_not_taken_for_this_one(studio: Studio) -> None:
    async with listening([reachability_route(lambda _token: False, nobody)]) as other:
        studio.public_url = f"http://127.0.0.1:{other.port}"
        _, reached = await first_two(studio)
    assert reached.mark is Mark.BAD
    assert "Something else than this Darkroom" in reached.text


async def test_an_address_where_nobody_listens_and_one_without_a_certificate_are_told_apart(studio: Studio) -> None:
    async with listening([]) as plain:
        studio.public_url = f"https://127.0.0.1:{plain.port}"
        _, insecure = await first_two(studio)
    studio.public_url = studio.public_url.replace("https:", "http:")
    _, silent = await first_two(studio)
    assert (insecure.mark, silent.mark) == (Mark.BAD, Mark.BAD)
    assert "no valid certificate" in insecure.text
    assert "Nobody listens" in silent.text


async def test_a_proxy_that_spoils_the_answer_on_its_way_back_is_noticed(studio: Studio, server: WebServer) -> None:
    async def pass_on(path: bytes) -> bytes:
        await ask(server.port, "POST", path.decode(), b"{}")
        return b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"

    async with something_else(pass_on) as studio.public_url:
        _, reached = await first_two(studio)
    assert reached.mark is Mark.BAD
    assert "comes back as status 500" in reached.text


async def test_a_token_works_only_while_its_test_is_waiting(studio: Studio, server: WebServer) -> None:
    seen: list[str] = []

    async def pass_on(path: bytes) -> bytes:
        seen.append(path.decode())
        return b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"

    async with something_else(pass_on) as studio.public_url:
        await first_two(studio)
    for path in (seen[0], "/webhooks/reachability/", "/webhooks/reachability/short"):
        assert (await ask(server.port, "POST", path, b"{}")).status == 401


@pytest.mark.usefixtures("server")
async def test_a_test_delivery_that_never_comes_is_reported_and_the_endpoint_made_anew(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.webhooks.queue.append(WebhookFault.DROP)
    silent = await of_aurous(studio, IMPATIENT)
    [renewed] = studio.aurous.endpoints.values()
    assert silent.mark is Mark.BAD
    assert "did not arrive within" in silent.text
    assert (await of_aurous(studio)).mark is Mark.GOOD
    assert list(studio.aurous.endpoints.values()) == [renewed]


@pytest.mark.usefixtures("server")
async def test_a_delivery_with_a_wrong_signature_does_not_count_as_arrived(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.webhooks.queue.append(WebhookFault.BAD_SIGNATURE)
    assert (await of_aurous(studio, IMPATIENT)).mark is Mark.BAD
    assert [each.status for each in studio.aurous.deliveries] == [401]


@pytest.mark.usefixtures("server")
async def test_an_endpoint_that_the_provider_forgot_is_registered_again(studio: Studio) -> None:
    await set_aurous_key(studio)
    assert (await of_aurous(studio)).mark is Mark.GOOD
    studio.aurous.endpoints.clear()
    forgotten = await of_aurous(studio)
    assert forgotten.mark is Mark.BAD
    assert "run `/keys test` once more" in forgotten.text
    assert (await of_aurous(studio)).mark is Mark.GOOD


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("route", "fault", "said"),
    [
        (TEST, Fault.answer(400), "did not take the request for a test delivery"),
        (TEST, Fault.answer(503), "cannot be reached right now"),
        (TEST, Fault.answer(401), "does not accept this key"),
        ("POST /v1/webhook_endpoints", Fault.answer(400), "did not register the address"),
        ("POST /v1/webhook_endpoints", Fault.reset_after_accept(), "cannot be reached right now"),
    ],
)
async def test_whatever_the_provider_answers_becomes_one_sentence(
    studio: Studio, route: str, fault: Fault, said: str
) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.next(route, fault)
    told = await of_aurous(studio)
    assert told.mark is Mark.BAD
    assert said in told.text


@pytest.mark.usefixtures("server")
async def test_no_finding_gives_a_token_away(studio: Studio) -> None:
    await set_aurous_key(studio)
    findings = await studio.reachability.run(GUILD)
    tokens = [endpoint.url.rsplit("/", 1)[1] for endpoint in studio.aurous.endpoints.values()]
    assert tokens
    assert not any(token in finding.text for token in tokens for finding in findings)
