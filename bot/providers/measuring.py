"""What calls to a provider cost in time and how they fail, for metrics and traces."""

import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bot.errors import ProviderError
from bot.process.figures import CALL_ERRORS, CALLS
from bot.process.tracing import span
from bot.providers.base import ProviderClient
from bot.records.key import ProviderName

C = TypeVar("C")

NAMES = tuple(name for name, each in vars(ProviderClient).items() if inspect.iscoroutinefunction(each))
"""What a provider can be asked."""
ERRORS = tuple(error.__name__ for error in ProviderError.__subclasses__())


def measured(provider: ProviderName, *, asks_nobody: tuple[str, ...] = ()) -> Callable[[type[C]], type[C]]:
    """Measure every call of a client class, except those that the provider has no call for."""

    def measure(client: type[C]) -> type[C]:
        for name in set(NAMES) - set(asks_nobody):
            setattr(client, name, _measure(provider, name, getattr(client, name)))
        return client

    return measure


def _measure(provider: ProviderName, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    for error in ERRORS:
        # From 0 on: of a series that begins with its first error Prometheus does not see that it grew.
        CALL_ERRORS.add(provider, name, error, by=0)

    @functools.wraps(call)
    async def measured_call(*args: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        with span(f"{provider} {name}", provider=provider, call=name):
            try:
                return await call(*args, **options)
            except ProviderError as failure:
                CALL_ERRORS.add(provider, name, type(failure).__name__)
                raise
            finally:
                CALLS.add(provider, name, seconds=time.perf_counter() - begun)

    return measured_call
