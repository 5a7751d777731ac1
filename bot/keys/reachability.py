"""The webhook self-test: whether the public address leads here and the providers' deliveries arrive."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from secrets import token_urlsafe
from urllib.parse import urlsplit

from bot.errors import Missing, NoKey, ProviderError, Refused
from bot.keys.endpoints import TOKEN_BYTES, Arrivals, EndpointService
from bot.keys.service import KeyService, explain
from bot.providers.transport import Lost, NotSent, Request, Response, Transport
from bot.records.key import ApiKeyRow, ProviderName
from bot.resources import Resources, Service
from bot.storage import meta
from bot.text import code

PATH = "/webhooks/reachability/"
REACH_S = 10.0
PROXY_TROUBLE = frozenset({502, 503, 504})
PROOF_LENGTH = 32
"""Characters; of base64, so it stands for 192 bits."""


class Mark(StrEnum):
    GOOD = "good"
    BAD = "bad"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ReachabilityFinding:
    """One line of the result. `at` is a time that is shown at the end of the sentence."""

    mark: Mark
    text: str
    at: datetime | None = None


class ReachabilityService(Service):
    def __init__(self, opened: Resources, keys: KeyService, endpoints: EndpointService) -> None:
        super().__init__(opened)
        self._keys = keys
        self._endpoints = endpoints
        self._transport = opened.transport
        self._public_url = opened.public_url
        self._arrivals = Arrivals()
        self._secret: bytes | None = None

    def arrive(self, token: str) -> bool:
        """Note a request to the self-test's address; False when the one-time token is not ours."""
        return self._arrivals.note(token)

    async def vouch(self, token: str) -> str | None:
        """What only a Darkroom on this database can answer to the token of `introduction`; None for any other token."""
        if self._secret is None:
            self._secret = await self._database.fetch(meta.get, meta.IDENTITIES)
        return None if self._secret is None else proof_of(self._secret, token)

    async def run(self, guild_id: int) -> list[ReachabilityFinding]:
        """Run the self-test; a problem is a finding, never an error.

        Takes `timings.reachability` and a few seconds at most.
        """
        base = self._public_url()
        if base is None:
            text = (
                "DARKROOM_PUBLIC_URL is not set. Darkroom looks at running jobs by itself every few seconds, "
                "so nothing is missing."
            )
            return [ReachabilityFinding(Mark.NOTE, text)]
        findings = [ReachabilityFinding(Mark.GOOD, f"DARKROOM_PUBLIC_URL is {code(base)}."), await self._reach(base)]
        for provider in ProviderName:
            try:
                key = await self._keys.current(guild_id, provider)
            except NoKey as error:
                findings.append(ReachabilityFinding(Mark.NOTE, str(error)))
            else:
                findings.append(await self._try_provider(key))
        return findings

    async def _reach(self, base: str) -> ReachabilityFinding:
        """Call our own public address as a provider would: no redirects, no second try."""
        token = token_urlsafe(TOKEN_BYTES)
        loop = asyncio.get_running_loop()
        with self._arrivals.expect(token) as arrival:
            started = loop.time()
            try:
                answer = await knock(self._transport, base, token)
            except NotSent as error:
                return ReachabilityFinding(Mark.BAD, why_not_sent(error))
            seconds = loop.time() - started
        if arrival.is_set():
            return _arrived(answer, seconds)
        return ReachabilityFinding(Mark.BAD, who_answered(answer))

    async def _try_provider(self, key: ApiKeyRow) -> ReachabilityFinding:
        match key.provider:
            case ProviderName.APIFRAME:
                return _last_heard(key)
            case ProviderName.AUROUS:
                try:
                    return await self._try_endpoint(key)
                except ProviderError as error:
                    return ReachabilityFinding(Mark.BAD, explain(error, key.provider))

    async def _try_endpoint(self, key: ApiKeyRow) -> ReachabilityFinding:
        label = key.provider.label
        await self._endpoints.bring_up(key)
        present = await self._keys.get(key.id)
        if present is None or present.endpoint_id is None:
            text = (
                f"{label} did not register the address. It has to begin with https; "
                "if it does, try again after a restart of Darkroom."
            )
            return ReachabilityFinding(Mark.BAD, text)
        try:
            seconds = await self._endpoints.try_out(key, patience=self._timings.reachability)
        except Missing:
            await self._endpoints.renew(key)
            text = (
                f"{label} did not know our address any more. It has been registered again: run `/keys test` once more."
            )
            return ReachabilityFinding(Mark.BAD, text)
        except Refused:
            return ReachabilityFinding(
                Mark.BAD, f"{label} did not take the request for a test delivery. Please try again later."
            )
        if seconds is not None:
            return ReachabilityFinding(Mark.GOOD, f"A signed delivery of {label} arrived after {seconds:.1f} seconds.")
        await self._endpoints.renew(key)
        waited = self._timings.reachability.total_seconds()
        text = (
            f"A test delivery of {label} did not arrive within {waited:.0f} seconds. See that firewall and proxy let "
            "POST requests from outside through to `/webhooks/`. The address has been registered again, "
            "so run `/keys test` once more."
        )
        return ReachabilityFinding(Mark.BAD, text)


async def knock(transport: Transport, base: str, token: str) -> Response | None:
    """One request to the self-test's address below `base`; None when no whole answer came back. Raises NotSent."""
    request = Request("POST", f"{base}{PATH}{token}", json={}, read_timeout_s=REACH_S, deadline_s=REACH_S)
    try:
        return await transport.send(request)
    except Lost:
        return None


def introduction(secret: bytes) -> str:
    """A token that a running Darkroom knows as made beside its own database, whose `secret` is meta.IDENTITIES."""
    nonce = token_urlsafe(TOKEN_BYTES)
    return nonce + _sign(secret, f"ask {nonce}")


def proof_of(secret: bytes, token: str) -> str | None:
    nonce, signature = token[:-PROOF_LENGTH], token[-PROOF_LENGTH:]
    if not hmac.compare_digest(signature, _sign(secret, f"ask {nonce}")):
        return None
    return _sign(secret, f"answer {nonce}")


def _sign(secret: bytes, text: str) -> str:
    digest = hmac.digest(secret, f"reachability {text}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:PROOF_LENGTH]


def _arrived(answer: Response | None, seconds: float) -> ReachabilityFinding:
    if answer is not None and 200 <= answer.status < 300:
        return ReachabilityFinding(
            Mark.GOOD, f"A request to this address reaches Darkroom after {seconds:.1f} seconds."
        )
    said = "nothing" if answer is None else f"status {answer.status}"
    text = f"A request to this address reaches Darkroom, but its answer comes back as {said}. Check the proxy."
    return ReachabilityFinding(Mark.BAD, text)


def who_answered(answer: Response | None) -> str:
    if answer is None:
        return "Something takes requests at this address, but no answer comes back. Check firewall and proxy."
    if 300 <= answer.status < 400:
        host = urlsplit(answer.headers.get("location", "")).netloc
        where = f" to {code(host)}" if host else ""
        return (
            f"This address redirects{where}, which providers do not follow. Set DARKROOM_PUBLIC_URL to the final one."
        )
    if answer.status in PROXY_TROUBLE:
        return (
            f"The proxy at this address cannot reach Darkroom (status {answer.status}). "
            "See that it passes requests on to DARKROOM_LISTEN."
        )
    return (
        f"Something else than this Darkroom answers at this address (status {answer.status}). "
        "Check the address, and the port that the proxy passes requests on to."
    )


def why_not_sent(error: NotSent) -> str:
    said = str(error)
    if "DNS" in said or "InvalidURL" in said:
        return "The name in this address is not known. Check it for a typing error, and the DNS entry."
    if "SSL" in said or "Certificate" in said:
        return "This address has no valid certificate, so providers will not use it. Check the proxy's certificate."
    return "Nobody listens at this address. Check the port, the firewall and that the proxy is running."


def _last_heard(key: ApiKeyRow) -> ReachabilityFinding:
    label = key.provider.label
    if key.endpoint_heard_at is None:
        text = f"{label} has no test delivery. No delivery has come since this key was set; the next job will show."
        return ReachabilityFinding(Mark.NOTE, text)
    return ReachabilityFinding(
        Mark.GOOD, f"{label} has no test delivery. Its last signed delivery came", key.endpoint_heard_at
    )
