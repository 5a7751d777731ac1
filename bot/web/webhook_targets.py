"""Finds the service whose row has a webhook's token."""

from collections.abc import Sequence
from typing import Protocol

from bot.providers.base import WebhookHint, WebhookSecrets
from bot.records.key import ProviderName


class HintTaker(Protocol):
    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        """What may have signed a delivery for the row with this token; None when no row has it."""
        ...

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """Make the row due now; False when the hint is about another object."""
        ...


class WebhookHints:
    """Implements bot.web.webhooks.WebhookTarget over every service whose rows have webhook tokens."""

    def __init__(self, takers: Sequence[HintTaker]) -> None:
        self._takers = takers

    async def secrets_for(self, provider: ProviderName, token: str) -> WebhookSecrets | None:
        for taker in self._takers:
            secrets = await taker.webhook_secrets(token)
            if secrets is not None:
                return secrets
        return None

    async def wake(self, provider: ProviderName, token: str, hint: WebhookHint) -> bool:
        for taker in self._takers:
            if await taker.hint(token, hint):
                return True
        return False
