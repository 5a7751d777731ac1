"""Looks at what a provider has taken: by its id and, when that is said not to be there, in the provider's list."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from bot.errors import Missing, ProviderError
from bot.providers.base import GenerationReport, Progress, ProviderClient, TrainingReport

T = TypeVar("T")

GONE = frozenset({Progress.ARCHIVED, Progress.FAILED})
"""What cannot be used any more, although the provider still shows it."""


async def look_at_training(client: ProviderClient, request_id: str, since: datetime) -> TrainingReport:
    """Missing when its id leads nowhere and the list does not have it either, or cannot be read."""
    return await _look(lambda: client.training(request_id), lambda: client.listed_training(request_id, since))


async def look_at_generation(client: ProviderClient, request_id: str, since: datetime) -> GenerationReport:
    return await _look(
        lambda: client.generation(request_id),
        lambda: client.find_generation(lambda report: report.request_id == request_id, since),
    )


async def is_there(client: ProviderClient, remote_id: str) -> bool:
    """Whether a LoRA or character can be used, by its id alone. Raises ProviderError other than Missing."""
    try:
        return (await client.training(remote_id)).progress not in GONE
    except Missing:
        return False


async def has_lora(client: ProviderClient, remote_id: str) -> bool:
    """The same, and the list is asked when its id leads nowhere."""
    return await is_there(client, remote_id) or any(remote_id == lora.request_id for lora in await client.loras())


async def _look(ask: Callable[[], Awaitable[T]], search: Callable[[], Awaitable[T | None]]) -> T:
    try:
        return await ask()
    except Missing:
        try:
            found = await search()
        except ProviderError:
            found = None
        if found is None:
            raise
        return found
