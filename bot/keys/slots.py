"""Gives the free training slots of an API key to waiting trainings."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.records.key import ProviderName
from bot.storage import keys, trainings

MAX_CONCURRENT_TRAININGS = 10
"""Trainings at once under one API key; the provider's documented default (Apiframe /docs/loras)."""


MAX_CONCURRENT_CHARACTERS = 4
"""Our own limit: one takes up to 14 calls within seconds; 30 a minute are allowed (Aurous Labs /characters)."""


SLOTS: Mapping[ProviderName, int] = {
    ProviderName.APIFRAME: MAX_CONCURRENT_TRAININGS,
    ProviderName.AUROUS: MAX_CONCURRENT_CHARACTERS,
}


def fair_order(waiting: Sequence[tuple[int, int]], held: Mapping[int, int]) -> list[int]:
    """Ids of the waiting trainings in the order in which they get slots.

    `waiting` holds (id, member) pairs, oldest first; `held` is how many slots each member has. The member with the
    fewest slots goes first, then the oldest training; each slot that is given counts for the next choice.
    """
    queues: dict[int, list[int]] = {}
    for training_id, member in reversed(waiting):
        queues.setdefault(member, []).append(training_id)
    counts = {member: held.get(member, 0) for member in queues}
    order: list[int] = []
    while queues:
        member = min(queues, key=lambda one: (counts[one], queues[one][-1]))
        order.append(queues[member].pop())
        counts[member] += 1
        if not queues[member]:
            del queues[member]
    return order


async def assign_free_slots(
    connection: AsyncConnection, key_id: int, *, clock: Clock, slots: Mapping[ProviderName, int] = SLOTS
) -> None:
    """Give the free slots of the key's team to waiting trainings; part of every write that may free a slot.

    Credits and slots belong to the team at the provider: several servers, or several keys of one, may share them.
    """
    key = await keys.get(connection, key_id)
    queue = [] if key is None else await trainings.waiting(connection, key_id)
    if key is None or not queue:
        return
    held = await trainings.holding_slots(connection, key_id)
    free = await keys.slots_of(connection, key_id, slots[key.row.provider]) - sum(held.values())
    if free > 0:
        await trainings.assign_slots(connection, fair_order(queue, held)[:free], now=clock.now())
