"""Webhook routes: a provider's signed delivery becomes a hint that makes one row due now."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from secrets import token_urlsafe
from typing import Protocol

from bot.providers.base import VerifyWebhook, WebhookHint, WebhookSecrets
from bot.records.key import ProviderName
from bot.web.metrics import Metric
from bot.web.server import HttpRequest, HttpResponse, Route

log = logging.getLogger(__name__)

PREFIX = "/webhooks/"

_PATH = re.compile(PREFIX + r"(?P<provider>[a-z]+)/(?P<token>[A-Za-z0-9_-]{22,64})")
"""22 URL-safe characters hold the 128 random bits that a token has at least."""

_TARGET_SECONDS = 2.5
"""No provider documents how long it waits for an answer; three seconds is the shortest that senders commonly do."""

_ACCEPTED = HttpResponse(204)
REFUSED = HttpResponse(401, "This delivery is not accepted.")
_LATER = HttpResponse(503, "Please deliver this again in a moment.")


class HintReceiver(Protocol):
    """A service whose rows have webhook tokens. Both methods may raise when the database is busy."""

    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        """What may have signed a delivery for the row with this token; None: no row has it."""
        ...

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """Make that row due now; False when there is none or the hint is about another object than the row's."""
        ...


class WebhookRoutes:
    """Checks the token's shape, then the signature over the raw body, and parses nothing before that.

    A wrong token, signature or object all get the same 401, and an unknown token takes as much work as a wrong
    signature. 503 is for our own trouble only.
    """

    def __init__(self, receivers: Sequence[HintReceiver], verifiers: Mapping[ProviderName, VerifyWebhook]) -> None:
        self._receivers = tuple(receivers)
        self._verifiers = dict(verifiers)
        self._decoys = WebhookSecrets((token_urlsafe(32),))
        self.accepted = 0
        self.refused = 0
        self.postponed = 0

    def routes(self) -> list[Route]:
        return [Route("POST", PREFIX, self.handle)]

    def metrics(self) -> list[Metric]:
        name, meaning = "darkroom_webhooks_total", "Webhook deliveries since the start, by outcome."
        counts = {"accepted": self.accepted, "refused": self.refused, "postponed": self.postponed}
        return [Metric(name, meaning, count, {"outcome": outcome}) for outcome, count in counts.items()]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        try:
            async with asyncio.timeout(_TARGET_SECONDS):
                accepted = await self._admit(request)
        except Exception:  # the handler's outermost boundary: the sender may try again
            log.exception("A webhook could not be taken; its sender was asked to try again.")
            self.postponed += 1
            return _LATER
        if not accepted:
            self.refused += 1
            return REFUSED
        self.accepted += 1
        return _ACCEPTED

    async def _admit(self, request: HttpRequest) -> bool:
        match = _PATH.fullmatch(request.path)
        if match is None:
            return False
        provider = next((name for name in self._verifiers if name.value == match["provider"]), None)
        if provider is None:
            return False
        known = await self._secrets_for(match["token"])
        secrets = known or self._decoys
        hint = self._verifiers[provider](
            request.body, request.headers, secrets.keys, may_be_unsigned=secrets.may_be_unsigned
        )
        if known is None or hint is None:
            return False
        for receiver in self._receivers:
            if await receiver.hint(match["token"], hint):
                return True
        return False

    async def _secrets_for(self, token: str) -> WebhookSecrets | None:
        for receiver in self._receivers:
            secrets = await receiver.webhook_secrets(token)
            if secrets is not None:
                return secrets
        return None
