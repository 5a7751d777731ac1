"""What a new training means and what stands in its way, told before any photo is sent."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.service import check_may_begin
from bot.keys.service import usable_key
from bot.keys.slots import has_free_slot
from bot.limits.ledger import Ledger
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.resources import Resources, Service
from bot.storage.money.slots import TRAININGS


@dataclass(frozen=True, slots=True)
class Outlook:
    """`price` in credits of the server; `waits`: all of its places for trainings are taken just now."""

    provider: ProviderName
    price: int
    waits: bool


class OutlookService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._prices = opened.prices
        self._ledger = Ledger(opened.clock, opened.timings)

    async def ask(self, actor: Actor, provider: ProviderName) -> Outlook:
        """UserError, with what to do, when the member could start nothing with this provider just now."""
        return await self._database.fetch(self._look, actor, provider)

    async def _look(self, connection: AsyncConnection, actor: Actor, provider: ProviderName) -> Outlook:
        key = await usable_key(connection, actor.guild_id, provider)
        price = self._prices[provider].training
        await self._ledger.check(connection, actor, Amount(price, trainings=1))
        await check_may_begin(connection, actor.guild_id, actor.user_id)
        return Outlook(provider, price, waits=not await has_free_slot(connection, key.id, TRAININGS))
