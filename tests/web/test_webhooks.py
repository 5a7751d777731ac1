"""The webhook door: who gets in, what everybody else hears, and that no input makes it fall over."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint, WebhookSecrets
from bot.records.key import ProviderName
from bot.web.server import HttpRequest, HttpResponse, WebServer
from bot.web.webhooks import WebhookRoutes
from tests.web.raw_client import ask

KEY_A, KEY_B = "afk_guild_a_0123456789", "afk_guild_b_0123456789"
TOKEN_A, TOKEN_B = "a" * 22, "b" * 22
LORA_A, LORA_B = "8a4d2c14-0000-4000-8000-00000000000a", "8a4d2c14-0000-4000-8000-00000000000b"


class DatabaseBusy(Exception):
    pass


@dataclass
class Shelf:
    """Two guilds' rows, each with its own token, key and object."""

    rows: dict[str, tuple[Sequence[str], str]] = field(
        default_factory=lambda: {TOKEN_A: ([KEY_A], LORA_A), TOKEN_B: ([KEY_B], LORA_B)}
    )
    looked_up: list[str] = field(default_factory=list)
    woken: list[tuple[str, WebhookHint]] = field(default_factory=list)
    busy: bool = False
    stuck: bool = False

    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        self.looked_up.append(token)
        if self.stuck:
            await asyncio.Event().wait()
        if self.busy:
            raise DatabaseBusy
        return WebhookSecrets(self.rows[token][0]) if token in self.rows else None

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        if self.rows[token][1] != hint.request_id:
            return False
        self.woken.append((token, hint))
        return True


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def door(shelf: Shelf) -> WebhookRoutes:
    return WebhookRoutes([shelf], {ProviderName.APIFRAME: verify_webhook})


def payload(lora: str) -> bytes:
    return json.dumps({"event": "completed", "id": lora, "status": "READY", "imageCount": 18}).encode()


def sign(body: bytes, key: str) -> dict[str, str]:
    """Apiframe /docs/webhooks: HMAC-SHA256 of the raw body under the hexadecimal SHA-256 of the API key."""
    secret = hashlib.sha256(key.encode()).hexdigest().encode()
    return {"X-Webhook-Signature": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


def deliver(token: str, body: bytes, headers: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(f"/webhooks/apiframe/{token}", headers, body)


async def test_a_signed_delivery_wakes_its_row_and_is_answered_204(door: WebhookRoutes, shelf: Shelf) -> None:
    body = payload(LORA_A)
    answer = await door.handle(deliver(TOKEN_A, body, sign(body, KEY_A)))
    assert answer == HttpResponse(204)
    assert shelf.woken == [(TOKEN_A, WebhookHint(LORA_A, True, "hex"))]
    assert (door.accepted, door.refused, door.postponed) == (1, 0, 0)


async def test_a_retired_key_still_opens_the_door_for_its_running_row(door: WebhookRoutes, shelf: Shelf) -> None:
    shelf.rows[TOKEN_A] = (["afk_the_new_one", KEY_A], LORA_A)
    body = payload(LORA_A)
    assert (await door.handle(deliver(TOKEN_A, body, sign(body, KEY_A)))).status == 204


async def test_everything_wrong_hears_the_same_401(door: WebhookRoutes, shelf: Shelf) -> None:
    mine, theirs = payload(LORA_A), payload(LORA_B)
    signed = sign(mine, KEY_A)
    shelf.rows["c" * 22] = ([], LORA_A)
    wrong = [
        deliver("z" * 22, mine, signed),
        deliver("c" * 22, mine, signed),
        deliver(TOKEN_A, mine, {}),
        deliver(TOKEN_A, mine, sign(mine, KEY_B)),
        deliver(TOKEN_A, mine + b" ", signed),
        deliver(TOKEN_A, theirs, sign(theirs, KEY_B)),
        deliver(TOKEN_A, theirs, sign(theirs, KEY_A)),
        deliver(TOKEN_B, mine, signed),
        deliver("short", mine, signed),
        deliver(f"{TOKEN_A}/", mine, signed),
        HttpRequest(f"/webhooks/aurous/{TOKEN_A}", signed, mine),
        HttpRequest(f"/webhooks/nobody/{TOKEN_A}", signed, mine),
        HttpRequest("/webhooks/", signed, mine),
    ]
    answers = [await door.handle(request) for request in wrong]
    assert answers == [HttpResponse(401, "This delivery is not accepted.")] * len(wrong)
    assert shelf.woken == []
    assert door.refused == len(wrong)


@example(token="a" * 21)
@example(token="a" * 22)
@example(token="a" * 64)
@example(token="a" * 65)
@given(token=st.text(max_size=80) | st.text("abcXYZ019-_", max_size=80))
async def test_a_token_is_looked_up_only_when_it_has_the_shape_of_one(token: str) -> None:
    shelf = Shelf()
    await WebhookRoutes([shelf], {ProviderName.APIFRAME: verify_webhook}).handle(deliver(token, b"", {}))
    url_safe = token.isascii() and all(char.isalnum() or char in "-_" for char in token)
    assert shelf.looked_up == ([token] if url_safe and 22 <= len(token) <= 64 else [])


async def test_nothing_is_parsed_before_the_signature_holds(door: WebhookRoutes) -> None:
    bomb = b"[" * 60_000
    assert (await door.handle(deliver(TOKEN_A, bomb, sign(bomb, KEY_B)))).status == 401
    assert (await door.handle(deliver(TOKEN_A, bomb, sign(bomb, KEY_A)))).status == 401
    assert door.postponed == 0


async def test_an_unknown_token_costs_the_same_check_as_a_wrong_signature(shelf: Shelf) -> None:
    checks: list[tuple[bytes, int]] = []

    def note(
        body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, may_be_unsigned: bool
    ) -> WebhookHint | None:
        checks.append((body, len(secrets)))
        return verify_webhook(body, headers, secrets, may_be_unsigned=may_be_unsigned)

    door = WebhookRoutes([shelf], {ProviderName.APIFRAME: note})
    for token in (TOKEN_A, "z" * 22):
        await door.handle(deliver(token, b"body", sign(b"body", KEY_B)))
    assert checks == [(b"body", 1)] * 2


def say_yes(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, may_be_unsigned: bool
) -> WebhookHint | None:
    return WebhookHint(LORA_A, True, "hex")


async def test_the_decoy_key_opens_nothing_even_for_a_verifier_that_says_yes(shelf: Shelf) -> None:
    door = WebhookRoutes([shelf], {ProviderName.APIFRAME: say_yes})
    assert (await door.handle(deliver("z" * 22, b"", {}))).status == 401
    assert shelf.woken == []


@pytest.mark.parametrize("trouble", ["busy", "stuck"])
async def test_a_database_in_trouble_asks_the_sender_to_come_back(
    door: WebhookRoutes, shelf: Shelf, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.webhooks._TARGET_SECONDS", 0.05)
    setattr(shelf, trouble, True)
    body = payload(LORA_A)
    assert (await door.handle(deliver(TOKEN_A, body, sign(body, KEY_A)))).status == 503
    assert (door.accepted, door.refused, door.postponed) == (0, 0, 1)
    setattr(shelf, trouble, False)
    assert (await door.handle(deliver(TOKEN_A, body, sign(body, KEY_A)))).status == 204


async def test_over_a_socket_the_door_answers_every_delivery(door: WebhookRoutes, shelf: Shelf) -> None:
    server = WebServer("127.0.0.1", 0, door.routes())
    await server.start()
    try:
        body = payload(LORA_A)
        for _ in range(50):
            reply = await ask(server.port, "POST", f"/webhooks/apiframe/{TOKEN_A}", body, sign(body, KEY_A))
            assert (reply.status, reply.body) == (204, b"")
        wrong = await ask(server.port, "POST", f"/webhooks/apiframe/{TOKEN_B}", body, sign(body, KEY_A))
        assert (wrong.status, wrong.body) == (401, b"This delivery is not accepted.")
        assert (await ask(server.port, "GET", f"/webhooks/apiframe/{TOKEN_A}")).status == 405
    finally:
        await server.close()
    assert len(shelf.woken) == 50


async def test_no_path_token_reaches_the_log_even_at_debug(
    door: WebhookRoutes, caplog: pytest.LogCaptureFixture
) -> None:
    server = WebServer("127.0.0.1", 0, door.routes())
    await server.start()
    body = payload(LORA_A)
    with caplog.at_level(logging.DEBUG):
        for headers in (sign(body, KEY_A), {}, {"Content-Encoding": "gzip"}, {"Broken\x00": ""}):
            await ask(server.port, "POST", f"/webhooks/apiframe/{TOKEN_A}", body, headers)
        await server.close()
    assert TOKEN_A not in caplog.text


async def test_the_counters_are_offered_as_metrics(door: WebhookRoutes) -> None:
    await door.handle(deliver(TOKEN_A, b"", {}))
    assert {(each.name, each.labels["outcome"], each.value) for each in door.metrics()} == {
        ("darkroom_webhooks_total", "accepted", 0),
        ("darkroom_webhooks_total", "refused", 1),
        ("darkroom_webhooks_total", "postponed", 0),
    }
