"""What the services are built from, and the base class that they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.clock import Clock, Timings
from bot.photos.intake import Fetcher, Spool
from bot.photos.pool import PhotoPool
from bot.photos.room import Room
from bot.policy import Policy
from bot.ports import Members, Poster, Venue
from bot.providers.base import Prices, ProviderClient
from bot.providers.transport import Transport
from bot.records.generation import Generation
from bot.records.key import ProviderName
from bot.records.training import Training
from bot.storage.database import Database
from bot.storage.sealing import Sealer

PublicUrl = Callable[[], str | None]


Connect = Callable[[ProviderName, str], ProviderClient]


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that is opened once at the start.

    `webhook_url` gives a job's callback address and `public_url` the base address of the web server; both give None
    when no public address is set.
    """

    database: Database
    sealer: Sealer
    spool: Spool
    room: Room
    fetcher: Fetcher
    pool: PhotoPool
    connect: Connect
    prices: Mapping[ProviderName, Prices]
    transport: Transport
    webhook_url: Callable[[Training | Generation], str | None]
    public_url: PublicUrl
    poster: Poster
    members: Members
    venue: Venue
    clock: Clock
    timings: Timings
    policy: Policy


class Service:
    """Base of services, steps and outcomes: all of them need the database, the spool, the clock and the timings."""

    def __init__(self, opened: Resources) -> None:
        self._database = opened.database
        self._spool = opened.spool
        self._clock = opened.clock
        self._timings = opened.timings
