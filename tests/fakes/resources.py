"""What services are built on, for tests that build a single one."""

from pathlib import Path
from typing import Any

from bot.clock import Clock, Timings
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Spool
from bot.photos.pool import PhotoPool
from bot.photos.room import Room
from bot.policy import Policy, policy_text
from bot.providers.base import ProviderClient
from bot.providers.transport import Transport
from bot.records.key import ProviderName
from bot.resources import Resources
from bot.storage.database import Database
from bot.storage.sealing import Sealer
from tests.fakes.members import FakeMembers
from tests.fakes.poster import FakePoster
from tests.fakes.venue import FakeVenue


def resources(database: Database, spool: Spool, clock: Clock, **given: Any) -> Resources:
    """Nothing of it reaches a provider or Discord; `given` takes the place of a part."""

    def connect(_provider: ProviderName, _api_key: str) -> ProviderClient:
        raise AssertionError("this test reaches no provider")

    parts: dict[str, Any] = {
        "room": Room(Path(), floor=0),
        "sealer": Sealer([b"m" * 32]),
        "fetcher": Fetcher(TrustedHosts.of([], [])),
        "pool": PhotoPool(spool, workers=1),
        "connect": connect,
        "prices": {},
        "transport": Transport(),
        "webhook_url": lambda _job: None,
        "public_url": lambda: None,
        "poster": FakePoster(clock),
        "members": FakeMembers(),
        "venue": FakeVenue(),
        "timings": Timings(),
        "policy": Policy(policy_text(None, None, Timings()), "2026-11-30 12345678"),
    }
    return Resources(database=database, spool=spool, clock=clock, **(parts | given))
