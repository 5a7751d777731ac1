"""Orders of pictures by the hundred, also by a process that is killed while it places and sends them."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import NoReturn

from bot.clock import Timings
from bot.engine import Lane
from bot.generation.acceptance import OrderAcceptance
from bot.generation.order import PictureOrder
from bot.limits.rules import LimitReached
from bot.photos.intake import Spool
from bot.providers.apiframe import client as apiframe
from bot.providers.base import ProviderClient
from bot.providers.transport import Transport
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.services import build_lanes, build_services
from bot.storage.database import Database
from bot.storage.due import LeaseLost
from tests.fakes.clock import ManualClock
from tests.fakes.resources import resources
from tests.fakes.rows import ANNA, CHANNEL, GUILD

AT_ONCE = 200
LEASE = Timings().lease


async def place_all(orders: OrderAcceptance, lora_id: int) -> int:
    """So many members press at once; how many were accepted."""

    async def place(number: int) -> bool:
        try:
            await orders.accept(PictureOrder(f"a fox, {number}", lora_id=lora_id), Actor(GUILD, ANNA), Channel(CHANNEL))
        except LimitReached:
            return False
        return True

    return sum(await asyncio.gather(*map(place, range(AT_ONCE))))


async def _live(url: str, folder: Path, provider_url: str, lora_id: int) -> None:
    clock, spool = ManualClock(), Spool(folder / "spool")
    async with Database(url) as database, Transport() as transport:

        def connect(_provider: ProviderName, api_key: str) -> ProviderClient:
            return apiframe.Apiframe(transport, provider_url, api_key)

        prices = {ProviderName.APIFRAME: apiframe.PRICES}
        opened = resources(database, spool, clock, transport=transport, connect=connect, prices=prices)
        services = build_services(opened)
        [lane] = [each for each in build_lanes(opened, services) if each.name == LaneName.GENERATIONS]
        await asyncio.gather(place_all(services.orders, lora_id), _send_all(lane, clock))


async def _send_all(lane: Lane, clock: ManualClock) -> NoReturn:
    while True:
        now = clock.now()
        for claim in await lane.rows.claim(owner="mortal", now=now, until=now + LEASE, limit=1):
            with contextlib.suppress(LeaseLost):
                await lane.advance(claim)


if __name__ == "__main__":
    asyncio.run(_live(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
