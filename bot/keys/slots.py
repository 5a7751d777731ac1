"""Who may begin: gives the free slots of an API key to the trainings that wait for one."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.records.key import ProviderName
from bot.storage import keys, trainings

MAX_CONCURRENT_TRAININGS = 10
"""In flight for each API key; the provider's documented default (Apiframe /docs/loras)."""


MAX_CONCURRENT_CHARACTERS = 4
"""Our own: one is made in seconds out of up to 14 calls, of which 30 a minute are taken (Aurous Labs /characters)."""


SLOTS: Mapping[ProviderName, int] = {
    ProviderName.APIFRAME: MAX_CONCURRENT_TRAININGS,
    ProviderName.AUROUS: MAX_CONCURRENT_CHARACTERS,
}


def fair_order(waiting: Sequence[tuple[int, int]], held: Mapping[int, int]) -> list[int]:
    """Ids of the waiting trainings in the order they get slots.

    `waiting` holds (id, member) oldest first, `held` how many slots each member has. Whoever has the
    fewest goes first, then the oldest; each slot given counts for the next choice.
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
    """Give the free slots of this key to waiting trainings, fairly. Part of every write that may free a slot."""
    key = await keys.get(connection, key_id)
    if key is None or key_id not in await trainings.keys_with_waiting(connection):
        return
    held = await trainings.holding_slots(connection, key_id)
    free = slots[key.row.provider] - sum(held.values())
    if free <= 0:
        return
    chosen = fair_order(await trainings.waiting(connection, key_id), held)[:free]
    await trainings.assign_slots(connection, chosen, now=clock.now())
