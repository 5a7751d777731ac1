"""What an event will take: one training in all or one for each entrant, the pack, and the entrants' own pictures."""

from collections.abc import Mapping

from bot.providers.base import Prices
from bot.records.event import Event, EventMode
from bot.records.key import ProviderName

ENTRANTS_EXPECTED = 10
"""How many are reckoned with in an event for any number of entrants."""


def entrants_reckoned(event: Event, taking_part: int = 0) -> int:
    """How many are reckoned with, `taking_part` of whom have joined already."""
    return event.entrants_max or max(ENTRANTS_EXPECTED, event.entrants_min, taking_part)


def estimate(event: Event, prices: Mapping[ProviderName, Prices], taking_part: int = 0) -> int:
    """Credits, at list prices, when as many take part as `entrants_reckoned` and everybody uses all they may."""
    price, entrants = prices[event.subject_kind.provider], entrants_reckoned(event, taking_part)
    loras = {
        EventMode.SHARED: 1,
        EventMode.PERSONAL: entrants,
        EventMode.CLUB: 0,
        EventMode.BAKEOFF: len(event.candidates),
    }[event.mode]
    trainings = loras if event.mode.trains else 0
    own = 0 if event.mode is EventMode.BAKEOFF else entrants * event.pictures_each
    return trainings * price.training + (loras * len(event.pack) + own) * price.picture
