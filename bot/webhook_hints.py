"""Finds the row a webhook's token belongs to, whichever kind of job it is."""

from collections.abc import Sequence
from typing import Protocol

from bot.models import ProviderName
from bot.providers.base import WebhookHint


class HintTaker(Protocol):
    async def signing_keys(self, token: str) -> list[str] | None:
        """Keys that may have signed a delivery for the row with this token; None when no row has it."""
        ...

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """Make the row due now; False when the hint is about another object."""
        ...


class WebhookHints:
    """Implements bot.web.webhooks.WebhookTarget over every service whose rows have webhook tokens."""

    def __init__(self, takers: Sequence[HintTaker]) -> None:
        self._takers = takers

    async def keys_for(self, provider: ProviderName, token: str) -> Sequence[str] | None:
        for taker in self._takers:
            keys = await taker.signing_keys(token)
            if keys is not None:
                return keys
        return None

    async def wake(self, provider: ProviderName, token: str, hint: WebhookHint) -> bool:
        for taker in self._takers:
            if await taker.hint(token, hint):
                return True
        return False
