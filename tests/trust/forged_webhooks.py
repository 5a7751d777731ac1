"""T08: forged, malformed, replayed and misdirected webhooks, for both schemes of signatures."""

import functools
import hmac
import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import webhooks as aurous
from bot.providers.base import WebhookHint, WebhookSecrets
from bot.records.key import ProviderName
from bot.sandbox.apiframe.answers import sign as sign_apiframe
from bot.sandbox.aurous.events import sign as sign_aurous
from bot.web.server import HttpRequest
from bot.web.webhooks import PREFIX, WebhookRoutes
from tests.trust.row import Row, Score

Headers = Mapping[str, str]
Forged = tuple[str, bytes, Headers]
OBJECTS = ("8a4d2c14-0000-4000-8000-00000000000a", "8a4d2c14-0000-4000-8000-00000000000b")
TOKENS = ("a" * 22, "b" * 22)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one provider signs: `sign` gives the header's value for a body, a secret and a time."""

    provider: ProviderName
    header: str
    secrets: tuple[str, str]
    verify: Callable[..., WebhookHint | None]
    sign: Callable[[bytes, str, datetime], str]
    body: Callable[[str], dict[str, Any]]
    has_time: bool


APIFRAME = Scheme(
    ProviderName.APIFRAME,
    "X-Webhook-Signature",
    ("afk_guild_a_0123456789", "afk_guild_b_0123456789"),
    apiframe.verify_webhook,
    lambda body, key, _: sign_apiframe(body, key, "hex"),
    lambda lora: {"event": "completed", "id": lora, "status": "READY", "imageCount": 18},
    has_time=False,
)
AUROUS = Scheme(
    ProviderName.AUROUS,
    "Aurous-Webhook-Signature",
    ("whsec_" + "A1" * 16, "whsec_" + "B2" * 16),
    aurous.verify_webhook,
    lambda body, secret, at: sign_aurous(body, secret, int(at.timestamp())),
    lambda job: {"type": "image.completed", "data": {"id": job}},
    has_time=True,
)


@dataclass(slots=True)
class TwoGuilds:
    """A row of each guild, with a token, a secret and an object of its own; what has been woken."""

    scheme: Scheme
    woken: list[str] = field(default_factory=list)

    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        return WebhookSecrets([self.scheme.secrets[TOKENS.index(token)]]) if token in TOKENS else None

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        if OBJECTS[TOKENS.index(token)] != hint.request_id:
            return False
        self.woken.append(token)
        return True


class Forger:
    """Makes deliveries that must be refused out of ones that would be accepted."""

    def __init__(self, scheme: Scheme, dice: random.Random, now: datetime) -> None:
        self._scheme, self._dice, self._now = scheme, dice, now
        self._ways: dict[str, Callable[[int], Forged]] = {
            "a bit of the body": lambda who: self._with_body(who, self._flip),
            "a body cut short": lambda who: self._with_body(who, lambda body: body[: dice.randrange(len(body))]),
            "a longer body": lambda who: self._with_body(who, lambda body: body + dice.randbytes(dice.randrange(1, 9))),
            "a byte order mark": lambda who: self._with_body(who, lambda body: b"\xef\xbb\xbf" + body),
            "noise": lambda who: self._with_body(who, lambda _: dice.randbytes(dice.randrange(64)) or b"\x00"),
            "a signature cut short": lambda who: self._with_header(who, lambda sent: sent[: -dice.randrange(1, 40)]),
            "a letter of the signature": lambda who: self._with_header(who, self._other_letter),
            "another digest": lambda who: self._with_header(who, lambda sent: sent[:-64] + dice.randbytes(32).hex()),
            "something behind it": lambda who: self._with_header(who, lambda sent: sent + dice.choice("0;=\udcff")),
            "no digest at all": lambda who: self._with_header(
                who, lambda _: dice.choice(("", "v1,", "sha1=", "\x00é"))
            ),
            "no signature": self._without_header,
            "the other guild's key": lambda who: self._signed(who, secret=1 - who),
            "the other guild's row": lambda who: self._signed(who, to=TOKENS[1 - who]),
            "the other guild's object": lambda who: self._signed(who, about=OBJECTS[1 - who]),
            "an unknown row": lambda who: self._signed(who, to=secrets.token_urlsafe(16)),
        }
        if scheme.has_time:
            self._ways |= {
                "an old one again": lambda who: self._signed(who, age=timedelta(seconds=dice.randrange(301, 10**6))),
                "one from the future": lambda who: self._signed(
                    who, age=-timedelta(seconds=dice.randrange(301, 10**6))
                ),
                "another time": lambda who: self._with_header(who, lambda sent: f"t={int(now.timestamp()) + 1},{sent}"),
            }
        self.names = tuple(self._ways)

    def forge(self, name: str, who: int) -> Forged:
        return self._ways[name](who)

    def _signed(
        self,
        who: int,
        *,
        to: str | None = None,
        secret: int | None = None,
        about: str = "",
        age: timedelta = timedelta(),
    ) -> Forged:
        scheme = self._scheme
        body = json.dumps(scheme.body(about or OBJECTS[who])).encode() + b" " * self._dice.randrange(1000)
        value = scheme.sign(body, scheme.secrets[who if secret is None else secret], self._now - age)
        return to or TOKENS[who], body, {scheme.header: value}

    def _with_body(self, who: int, change: Callable[[bytes], bytes]) -> Forged:
        token, body, headers = self._signed(who)
        return token, change(body), headers

    def _with_header(self, who: int, change: Callable[[str], str]) -> Forged:
        token, body, headers = self._signed(who)
        return token, body, {name: change(value) for name, value in headers.items()}

    def _without_header(self, who: int) -> Forged:
        token, body, headers = self._signed(who)
        return token, body, self._dice.choice(({}, {"X-Signature": headers[self._scheme.header]}))

    def _flip(self, body: bytes) -> bytes:
        at = self._dice.randrange(len(body))
        return body[:at] + bytes([body[at] ^ (1 << self._dice.randrange(8))]) + body[at + 1 :]

    def _other_letter(self, sent: str) -> str:
        at = self._dice.randrange(len(sent) - 64, len(sent))
        return sent[:at] + self._dice.choice("ghxyz \u0661é") + sent[at + 1 :]


async def forge_many(scheme: Scheme, amount: int, seed: int) -> Score:
    score, guilds, dice, now = Score(), TwoGuilds(scheme), random.Random(seed), datetime.now(UTC)
    verify = functools.partial(scheme.verify, now=now) if scheme.has_time else scheme.verify
    door, forger = WebhookRoutes([guilds], {scheme.provider: verify}), Forger(scheme, dice, now)
    with pytest.MonkeyPatch.context() as patch:
        compared = _count_comparisons(patch)
        for number in range(amount):
            name = forger.names[number % len(forger.names)]
            token, body, headers = forger.forge(name, number % 2)
            answer = await door.handle(HttpRequest(f"{PREFIX}{scheme.provider}/{token}", headers, body))
            score.tried += 1
            score.fired[name] += 1
            score.bad["not answered 401"] += answer.status != 401
        score.bad["compared in a time that tells the signature"] += not compared
        for who, token in enumerate(TOKENS):
            _, body, headers = forger.forge("an unknown row", who)
            honest = await door.handle(HttpRequest(f"{PREFIX}{scheme.provider}/{token}", headers, body))
            score.bad["an honest delivery refused"] += honest.status != 204
    score.bad["a row woken by a forgery"] += len(guilds.woken) - len(TOKENS)
    return score


def _count_comparisons(patch: pytest.MonkeyPatch) -> list[int]:
    compared: list[int] = []
    real = hmac.compare_digest

    def counting(left: Any, right: Any) -> bool:
        compared.append(1)
        return real(left, right)

    patch.setattr(hmac, "compare_digest", counting)
    return compared


def compare_a_prefix(patch: pytest.MonkeyPatch) -> None:
    real = hmac.compare_digest
    patch.setattr(hmac, "compare_digest", lambda left, right: real(left[:1], right[:1]))


def compare_plainly(patch: pytest.MonkeyPatch) -> None:
    """Right answers, but how long the comparison takes tells how much of the signature was right."""
    for module in (apiframe, aurous):
        patch.setattr(module, "hmac", _PlainHmac)


class _PlainHmac:
    new = staticmethod(hmac.new)

    @staticmethod
    def compare_digest(left: str, right: str) -> bool:
        return left == right


def rows() -> tuple[Row, ...]:
    return tuple(
        Row(
            f"T08 {scheme.provider}",
            "forged and malformed webhooks",
            "0 accepted, 0 other answers than 401",
            (4_000, 1_000_000),
            Forger(scheme, random.Random(0), datetime.now(UTC)).names,
            functools.partial(forge_many, scheme),
            (compare_a_prefix, compare_plainly),
        )
        for scheme in (APIFRAME, AUROUS)
    )
