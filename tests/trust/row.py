"""A row of the fault catalogue: what is done to Darkroom, how often, and what is counted."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum

import pytest


class Size(IntEnum):
    """How much is tried: a little inside `make test`, all of it in `make trust`."""

    SHORT = 0
    LONG = 1


@dataclass(slots=True)
class Score:
    """What a row has counted. `bad` must be zero for each name; each fault of the row must be in `fired`."""

    tried: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Row:
    """`amounts` are handed to `run`, with a seed, for each size. `mutants` each break what the row promises."""

    id: str
    fault: str
    bar: str
    amounts: tuple[int, int]
    faults: tuple[str, ...]
    run: Callable[[int, int], Awaitable[Score]]
    mutants: tuple[Callable[[pytest.MonkeyPatch], None], ...]
    starts_process: bool = False

    async def measure(self, size: Size, seed: int) -> Score:
        return await self.run(self.amounts[size], seed)

    def failures(self, score: Score) -> list[str]:
        """Why the row does not reach its bar: what was counted as bad, and each fault that was never tried."""
        counted = [f"{name}: {count}" for name, count in sorted(score.bad.items()) if count]
        missed = [f"never tried: {name}" for name in self.faults if not score.fired[name]]
        return counted + missed
