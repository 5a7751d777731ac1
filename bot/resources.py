"""What is opened before anything is built, and the base of everything that is built on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from bot.clock import Clock, Timings
from bot.photos.intake import Fetcher, Spool
from bot.photos.prepare import PhotoPool
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
    """`webhook_url` gives a job's callback address, None without one.

    `public_url`: the public base address of the web server, None without one.
    """

    database: Database
    sealer: Sealer
    spool: Spool
    fetcher: Fetcher
    pool: PhotoPool
    connect: Connect
    prices: Mapping[ProviderName, Prices]
    transport: Transport
    webhook_url: Callable[[Training | Generation], str | None]
    public_url: PublicUrl
    poster: Poster
    limiter: AsyncLimiter
    members: Members
    venue: Venue
    clock: Clock
    timings: Timings


class Service:
    """A service, a step or what stores its outcome: all of them read the database, the clock and the timings."""

    def __init__(self, opened: Resources) -> None:
        self._database = opened.database
        self._spool = opened.spool
        self._clock = opened.clock
        self._timings = opened.timings
