"""Asks the provider for an order's price and the balance, before anything is stored."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import KeyRejected, Missing, OutOfCredits, ProviderError, Refused, UserError
from bot.generation import failures
from bot.keys.service import KeyService, cannot_be_opened
from bot.providers.base import Account, GenerationOrder, ProviderClient
from bot.providers.witness import has_lora
from bot.records.key import ApiKeyRow
from bot.records.lora import Lora

T = TypeVar("T")

NOT_THERE = (404, 410)

ASKED_FOR_S = 2.5
"""Seconds. The member waits for the answer, so the price of a slow provider stays unknown."""


@dataclass(frozen=True, slots=True)
class Price:
    """Both in credits, None when the provider did not answer in time."""

    estimate: int | None
    balance: int | None


class LoraVanished(UserError):
    def __init__(self, lora: Lora) -> None:
        super().__init__(failures.gone_at_provider(lora))
        self.lora = lora


async def ask_price(
    key_service: KeyService, key: ApiKeyRow, order: GenerationOrder, lora: Lora | None, channel_id: int
) -> Price:
    """Price and balance. UserError when the provider refuses the order or the key, or the balance is too low.

    Nothing is paid by this. LoraVanished, also a UserError, when the provider no longer has the LoRA.
    """
    client = await key_service.client(key.id)
    if client is None:
        raise cannot_be_opened(key.provider)
    try:
        estimate, account = await asyncio.gather(_in_time(client.estimate(order)), _in_time(client.account()))
    except KeyRejected as error:
        if not await _in_time(key_service.is_refused(key.id, error, noticed_in=channel_id)):
            return Price(None, None)
        raise UserError(failures.key_rejected(key.provider)) from error
    except OutOfCredits as error:
        raise UserError(failures.out_of_credits(error)) from error
    except (Refused, Missing) as error:
        if lora is not None and await has_vanished(client, lora, error):
            raise LoraVanished(lora) from error
        raise UserError(failures.refused(key.provider, error)) from error
    balance = account.credits if isinstance(account, Account) else None
    if estimate is not None and balance is not None and balance < estimate:
        short = OutOfCredits(required=estimate, available=balance)
        raise UserError(failures.out_of_credits(short)) from short
    return Price(estimate, balance)


async def has_vanished(client: ProviderClient, lora: Lora | None, error: ProviderError) -> bool:
    """Whether an order was refused because the provider no longer has this LoRA or character; it is asked."""
    if lora is None or error.status not in NOT_THERE:
        return False
    try:
        return not await has_lora(client, lora.remote_id)
    except ProviderError:
        return False


async def _in_time(question: Awaitable[T]) -> T | None:
    """The answer; None when the provider is slow or in trouble. A refusal is raised."""
    try:
        async with asyncio.timeout(ASKED_FOR_S):
            return await question
    except TimeoutError:
        return None
    except (KeyRejected, OutOfCredits, Refused, Missing):
        raise
    except ProviderError:
        return None
