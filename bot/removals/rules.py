"""What an answer about a training or an order means for what is to go. Pure."""

from bot.providers.base import GenerationReport, Progress
from bot.records.limit import Amount, Spend

FAILED = Amount()
"""Apiframe gives the credits of a training that failed back (/docs/loras)."""
UNDER_WAY = frozenset({Progress.WAITING, Progress.PREPARING, Progress.RUNNING, Progress.UNKNOWN})


def training_took(progress: Progress) -> Amount | None:
    """What a training that has ended took; None: as much as was reserved for it."""
    return FAILED if progress is Progress.FAILED else None


def pictures_took(report: GenerationReport, spend: Spend | None) -> Amount | None:
    """The same for an order of pictures."""
    if report.progress is Progress.FAILED:
        return Amount(report.cost or 0)
    if report.cost is None or spend is None:
        return None
    return Amount(report.cost, spend.trainings, spend.pictures)
