"""A measured row: a median beside the median of its floor, their ratio, and the target it is held against."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

DRIFT_MAX = 0.15
"""Floor passes that differ by more than this share say that the machine was not quiet."""


class NotMeasured(Exception):
    """A figure could not be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round's figure; `cpu_ms` is CPU time for each operation in milliseconds, None where it says nothing."""

    value: float
    cpu_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """The same figure for the least that could do the job, from before and after the product was measured."""

    name: str
    before: Sequence[Sample]
    after: Sequence[Sample]

    @property
    def value(self) -> float:
        return median(sample.value for sample in (*self.before, *self.after))

    @property
    def cpu_ms(self) -> float | None:
        return median_cpu((*self.before, *self.after))

    @property
    def drift(self) -> float:
        """How far the second pass lies from the first, as a share of the first."""
        first = median(sample.value for sample in self.before)
        return abs(median(sample.value for sample in self.after) - first) / first


@dataclass(frozen=True, slots=True)
class Target:
    """Bounds on the ratio (value / floor) or on the value itself; None: no such bound."""

    ratio_most: float | None = None
    ratio_least: float | None = None
    value_most: float | None = None
    value_least: float | None = None

    def is_met(self, value: float, ratio: float | None) -> bool | None:
        """None when there is nothing to hold the figure against."""
        checks = []
        if self.ratio_most is not None:
            checks.append(ratio is not None and ratio <= self.ratio_most)
        if self.ratio_least is not None:
            checks.append(ratio is not None and ratio >= self.ratio_least)
        if self.value_most is not None:
            checks.append(value <= self.value_most)
        if self.value_least is not None:
            checks.append(value >= self.value_least)
        return all(checks) if checks else None

    def describe(self, unit: str) -> str:
        parts = [
            f"{sign} {bound:g}{suffix}"
            for sign, bound, suffix in (
                ("<=", self.ratio_most, "x"),
                (">=", self.ratio_least, "x"),
                ("<=", self.value_most, f" {unit}"),
                (">=", self.value_least, f" {unit}"),
            )
            if bound is not None
        ]
        return ", ".join(parts) or "-"


NO_TARGET = Target()


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    unit: str
    value: float
    target: str = "-"
    met: bool | None = None
    floor_name: str = ""
    floor: float | None = None
    ratio: float | None = None
    floor_drift: float | None = None
    cpu_ms: float | None = None
    floor_cpu_ms: float | None = None
    rounds: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def is_unsettled(self) -> bool:
        """The two floor passes disagree, so the ratio is worth little."""
        return self.floor_drift is not None and self.floor_drift > DRIFT_MAX

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_unsettled": self.is_unsettled}


def compare(
    name: str,
    unit: str,
    product: Sequence[Sample],
    floor: Floor | None = None,
    *,
    target: Target = NO_TARGET,
    note: str = "",
) -> Row:
    value = median(sample.value for sample in product)
    ratio = None if floor is None else value / floor.value
    return Row(
        name=name,
        unit=unit,
        value=value,
        target=target.describe(unit),
        met=target.is_met(value, ratio),
        floor_name="" if floor is None else floor.name,
        floor=None if floor is None else floor.value,
        ratio=ratio,
        floor_drift=None if floor is None else floor.drift,
        cpu_ms=median_cpu(product),
        floor_cpu_ms=None if floor is None else floor.cpu_ms,
        rounds=[sample.value for sample in product],
        note=note,
    )


def median_cpu(samples: Sequence[Sample]) -> float | None:
    spent = [sample.cpu_ms for sample in samples if sample.cpu_ms is not None]
    return median(spent) if spent else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
