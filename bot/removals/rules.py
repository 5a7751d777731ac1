"""What an answer about a training or an order means for what is to go, and what goes by itself. Pure."""

from datetime import datetime, timedelta

from bot.providers.base import GenerationReport, Progress
from bot.records.limit import Amount, Spend
from bot.records.removal import Removal, RemovalKind

FAILED = Amount()
"""Apiframe gives the credits of a training that failed back (/docs/loras)."""
GOES_BY_ITSELF = frozenset({RemovalKind.PICTURES, RemovalKind.UPLOAD})
KEPT_THERE = timedelta(hours=24)
"""How long a provider keeps them at the most (Apiframe OpenAPI 2.0.0; Aurous Labs /files, /images/retrieve-image)."""
UNDER_WAY = frozenset({Progress.WAITING, Progress.PREPARING, Progress.RUNNING, Progress.UNKNOWN})


def gone_by_itself_at(removal: Removal) -> datetime | None:
    """When it is gone although nobody could ask for it; None for what stays until somebody has it removed."""
    return removal.sent_at + KEPT_THERE if removal.kind in GOES_BY_ITSELF else None


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
