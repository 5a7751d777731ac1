"""Interactions over HTTP: what Discord signed gets in, once, and nothing else does; over real sockets."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.interactions import BODY_BYTES, FRESH_S, InteractionRoutes
from bot.web.server import HttpRequest, WebServer
from tests.fakes.clock import ManualClock
from tests.fakes.signing import ApplicationKey
from tests.web.raw_client import Reply, ask, exchange

KEY, STRANGERS_KEY = ApplicationKey(), ApplicationKey()
COMMAND: dict[str, Any] = {"id": "1400000000000000001", "type": 2, "token": "aW50ZXJhY3Rpb24"}
SIGNATURE, TIMESTAMP = "X-Signature-Ed25519", "X-Signature-Timestamp"


@dataclass
class Desk:
    """Who works on what comes in; `is_staffed` False: nobody does."""

    taken: list[Mapping[str, Any]] = field(default_factory=list)
    is_staffed: bool = True
    is_broken: bool = False

    def take(self, interaction: Mapping[str, Any]) -> bool:
        if self.is_staffed:
            self.taken.append(interaction)
        if self.is_broken:
            raise KeyError("canary-detail")
        return self.is_staffed


class Door:
    """`deliver` sends as Discord would; `send` sends anything."""

    def __init__(self) -> None:
        self.clock, self.desk = ManualClock(), Desk()
        self.routes = InteractionRoutes(KEY.public, self.desk.take, self.clock)
        self.server = WebServer("127.0.0.1", 0, self.routes.routes())

    async def deliver(self, interaction: object, *, age_s: float = 0, key: ApplicationKey = KEY) -> Reply:
        body = json.dumps(interaction).encode()
        return await self.send(body, key.sign(body, self.clock.now().timestamp() - age_s))

    async def send(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        return await ask(self.server.port, "POST", "/interactions", body, dict(headers))


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    await made.server.start()
    yield made
    await made.server.close()


async def test_a_signed_interaction_is_handed_over_and_acknowledged_without_a_body(door: Door) -> None:
    """Discord shows a 202 with a body, or a 200 without one, as a failure."""
    reply = await door.deliver(COMMAND)
    assert (reply.status, reply.body) == (202, b"")
    assert door.desk.taken == [COMMAND]


async def test_a_ping_gets_its_pong_also_while_nobody_works(door: Door) -> None:
    door.desk.is_staffed = False
    for ping in ({"type": 1}, {"id": "7", "application_id": "8", "type": 1, "version": 1}):
        reply = await door.deliver(ping)
        assert (reply.status, json.loads(reply.body)) == (200, {"type": 1})
        assert reply.headers["Content-Type"].startswith("application/json")
    assert door.desk.taken == []


async def test_what_discord_did_not_sign_hears_the_same_401(door: Door) -> None:
    """Mutants: the timestamp is not signed; the body is parsed first; a header that is missing passes."""
    body = json.dumps(COMMAND).encode()
    signed = dict(KEY.sign(body, door.clock.now().timestamp()))
    later = str(int(signed[TIMESTAMP]) + 1)
    wrong = [
        (body, STRANGERS_KEY.sign(body, door.clock.now().timestamp())),
        (body + b" ", signed),
        (body.replace(b"2", b"3"), signed),
        (b"", signed),
        (body, signed | {TIMESTAMP: later}),
        (body, signed | {TIMESTAMP: f"0{signed[TIMESTAMP]}"}),
        (body, signed | {TIMESTAMP: f"+{signed[TIMESTAMP]}"}),
        (body, signed | {TIMESTAMP: ""}),
        (body, signed | {TIMESTAMP: "9" * 400}),
        (body, signed | {SIGNATURE: ""}),
        (body, signed | {SIGNATURE: signed[SIGNATURE][:-2]}),
        (body, signed | {SIGNATURE: "zz" * 64}),
        (body, signed | {SIGNATURE: "00" * 64}),
        (body, {SIGNATURE: signed[SIGNATURE]}),
        (body, {TIMESTAMP: signed[TIMESTAMP]}),
        (body, {}),
        (b"[" * 60_000, {}),
    ]
    replies = [await door.send(*each) for each in wrong]
    assert {(reply.status, reply.body) for reply in replies} == {(401, b"This delivery is not accepted.")}
    assert door.desk.taken == []


@pytest.mark.parametrize("age_s", [FRESH_S + 1, -FRESH_S - 1, 86_400 * 365])
async def test_a_signature_that_is_too_old_or_of_the_future_is_refused(
    door: Door, age_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Mutant: the age is not looked at. The operator can read why: the clock may be wrong."""
    assert (await door.deliver(COMMAND, age_s=age_s)).status == 401
    assert (door.desk.taken, "is the clock right?" in caplog.text) == ([], True)
    assert COMMAND["token"] not in caplog.text


@pytest.mark.parametrize("age_s", [FRESH_S, -FRESH_S])
async def test_a_clock_that_is_a_little_off_does_no_harm(door: Door, age_s: float) -> None:
    assert (await door.deliver(COMMAND, age_s=age_s)).status == 202


async def test_a_megabyte_is_refused_before_it_is_read_and_a_long_form_is_taken(door: Door) -> None:
    """Mutant: the server's own cap, which is too small for a form of many words, holds here, too."""
    head = f"POST /interactions HTTP/1.1\r\nHost: bot.example.org\r\nContent-Length: {2**20}\r\n\r\n"
    reply = await exchange(door.server.port, head.encode())
    assert (reply and reply.status, door.desk.taken) == (413, [])
    long_form = COMMAND | {"data": "ö" * (BODY_BYTES // 6 - 100)}
    assert (await door.deliver(long_form)).status == 202


async def test_one_that_is_delivered_again_is_acknowledged_and_done_once(door: Door) -> None:
    """Mutant: only the very same request is known again. Discord signs a repeated delivery anew."""
    assert (await door.deliver(COMMAND)).status == 202
    for seconds in (0, 1, FRESH_S, FRESH_S - 1):
        door.clock.advance(timedelta(seconds=seconds))
        reply = await door.deliver(COMMAND)
        assert (reply.status, reply.body) == (202, b"")
    assert door.desk.taken == [COMMAND]
    assert (await door.deliver(COMMAND | {"id": "2"})).status == 202
    assert len(door.desk.taken) == 2


async def test_an_id_is_kept_for_as_long_as_a_signature_of_it_can_be_fresh(door: Door) -> None:
    """Mutant: it is forgotten FRESH_S after it was taken, when one from ahead of our clock is still fresh."""
    body = json.dumps(COMMAND).encode()
    from_ahead = KEY.sign(body, door.clock.now().timestamp() + FRESH_S)
    assert (await door.send(body, from_ahead)).status == 202
    door.clock.advance(timedelta(seconds=2 * FRESH_S))
    assert (await door.deliver(COMMAND | {"id": "2"})).status == 202
    assert (await door.send(body, from_ahead)).status == 202
    assert [each["id"] for each in door.desk.taken] == [COMMAND["id"], "2"]
    door.clock.advance(timedelta(seconds=1))
    assert (await door.send(body, from_ahead)).status == 401


async def test_what_nobody_could_take_is_taken_when_it_comes_again(door: Door) -> None:
    """Mutant: it counts as done. The bot is not logged in yet, or Discord has just been lost."""
    door.desk.is_staffed = False
    assert (await door.deliver(COMMAND)).status == 503
    door.desk.is_staffed = True
    assert (await door.deliver(COMMAND)).status == 202
    assert door.desk.taken == [COMMAND]


async def test_one_that_broke_midway_is_not_begun_a_second_time(door: Door) -> None:
    """Mutant: it is forgotten. A command may be under way although something after it failed."""
    door.desk.is_broken = True
    reply = await door.deliver(COMMAND)
    assert (reply.status, b"canary" in reply.body) == (500, False)
    door.desk.is_broken = False
    assert (await door.deliver(COMMAND)).status == 202
    assert len(door.desk.taken) == 1


@pytest.mark.parametrize("signed", [[], "text", None, {}, {"type": 2}, {"type": 2, "id": 5}, {"id": ["1"]}])
async def test_signed_nonsense_is_refused_and_handed_to_nobody(door: Door, signed: object) -> None:
    assert (await door.deliver(signed)).status == 400
    assert door.desk.taken == []


async def test_other_methods_and_paths_are_no_way_in(door: Door) -> None:
    assert (await ask(door.server.port, "GET", "/interactions")).status == 405
    assert (await ask(door.server.port, "POST", "/interactions/")).status == 404


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        SIGNATURE: st.text(max_size=140) | st.from_regex(r"[0-9a-f]{128}", fullmatch=True),
        TIMESTAMP: st.text(max_size=20) | st.integers(0, 2**40).map(str),
    },
)


@given(body=st.binary(max_size=200), headers=HEADERS)
async def test_no_guess_gets_in_and_none_makes_it_fall_over(body: bytes, headers: dict[str, str]) -> None:
    door = Door()
    assert (await door.routes.handle(HttpRequest("/interactions", headers, body))).status == 401
    assert door.desk.taken == []


@given(
    body=st.binary(max_size=200) | st.just(json.dumps(COMMAND).encode()),
    place=st.integers(0, 10_000),
    flipped=st.integers(1, 255),
)
async def test_one_changed_byte_anywhere_breaks_the_signature(body: bytes, place: int, flipped: int) -> None:
    door = Door()
    signed = dict(KEY.sign(body, door.clock.now().timestamp()))
    parts = [bytearray(signed[TIMESTAMP].encode()), bytearray(body), bytearray.fromhex(signed[SIGNATURE])]
    whole = [(part, at) for part in parts for at in range(len(part))]
    part, at = whole[place % len(whole)]
    part[at] ^= flipped
    headers = {TIMESTAMP: parts[0].decode("latin-1"), SIGNATURE: parts[2].hex()}
    answer = await door.routes.handle(HttpRequest("/interactions", headers, bytes(parts[1])))
    assert (answer.status, door.desk.taken) == (401, [])


NONSENSE = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.just("data") | st.text(max_size=1), inner),
)


@given(body=st.binary(max_size=200) | NONSENSE.map(lambda value: json.dumps(value).encode()))
async def test_whatever_is_signed_is_answered(body: bytes) -> None:
    door = Door()
    headers = KEY.sign(body, door.clock.now().timestamp())
    answer = await door.routes.handle(HttpRequest("/interactions", headers, body))
    assert (answer.status, door.desk.taken) == (400, [])
