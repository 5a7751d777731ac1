"""Who may begin: gives the free slots of an API key to the trainings that wait for one."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.records.key import ProviderName
from bot.storage import keys, trainings
from bot.training.lifecycle import SLOTS, fair_order


async def admit(
    connection: AsyncConnection, key_id: int, *, clock: Clock, slots: Mapping[ProviderName, int] = SLOTS
) -> None:
    """Give the free slots of this key to waiting trainings, fairly. Part of every write that may free a slot."""
    key = await keys.get(connection, key_id)
    if key is None or key_id not in await trainings.keys_with_waiting(connection):
        return
    held = await trainings.holding_slots(connection, key_id)
    free = slots[key.row.provider] - sum(held.values())
    if free <= 0:
        return
    chosen = fair_order(await trainings.waiting(connection, key_id), held)[:free]
    await trainings.let_through(connection, chosen, now=clock.now())
