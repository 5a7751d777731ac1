"""What the client's tests do again and again, and what they count."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.providers.apiframe.client import Apiframe
from bot.providers.base import PhotoFile, ProviderClient
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import RehearsalTimings
from bot.sandbox.aurous.records import AurousTimings
from bot.sandbox.aurous.server import RehearsalAurous
from tests.providers.sample_orders import make_training_order

INSTANT = RehearsalTimings(0, 0, 0, 0, 0)
AUROUS_INSTANT = AurousTimings(0, 0, 0.01, (0.01,))
AUROUS_KEY = "al_live_" + "0123456789abcdef" * 4
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Call = Callable[[ProviderClient], Awaitable[object]]


async def train(client: Apiframe, photos: list[PhotoFile], name: str = "Rex ·k7f3q2") -> str:
    return (await client.submit_training(make_training_order(photos, name=name))).request_id


def charged(server: RehearsalApiframe, what: str) -> int:
    return sum(entry.what == what for entry in server.ledger)


def held(server: RehearsalAurous) -> int:
    """How often credits were set aside for an image."""
    return sum(entry.what == "image hold" for entry in server.ledger)
