"""Gives the free slots of a team at a provider to waiting trainings and orders of pictures, in fair turns."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.records.key import ProviderName
from bot.storage.money import keys, slots
from bot.storage.money.slots import PICTURES, TRAININGS, SlotQueue, Waiting
from bot.storage.reader import asked_once

MAX_CONCURRENT_TRAININGS = 10
"""Trainings at once under one API key; the provider's documented default (Apiframe /docs/loras)."""


MAX_CONCURRENT_CHARACTERS = 4
"""Our own limit: one takes up to 14 calls within seconds; 30 a minute are allowed (Aurous Labs /characters)."""


SLOTS: Mapping[ProviderName, int] = {
    ProviderName.APIFRAME: MAX_CONCURRENT_TRAININGS,
    ProviderName.AUROUS: MAX_CONCURRENT_CHARACTERS,
}
ORDERS_AT_ONCE = 10
"""Orders of pictures that the provider has of one team; the number of Apiframe's example (/docs/account/me).

The rest waits here, where it waits in fair turns; the providers take everything in the order in which it comes.
"""


def fair_order(waiting: Sequence[Waiting], held: Mapping[tuple[int, int], int]) -> list[int]:
    """Ids of the waiting jobs in the order in which they get slots.

    `waiting` is oldest first; `held` is how many slots each (server, member) has. The server with the fewest slots goes
    first, of it the member with the fewest, of theirs the oldest job; each slot that is given counts for the next
    choice.
    """
    queues: dict[tuple[int, int], list[int]] = {}
    for job in reversed(waiting):
        queues.setdefault((job.guild_id, job.user_id), []).append(job.job_id)
    of_member, of_guild = Counter(held), Counter[int]()
    for (guild_id, _), number in held.items():
        of_guild[guild_id] += number
    order: list[int] = []
    while queues:
        first = min(queues, key=lambda who: (of_guild[who[0]], of_member[who], queues[who][-1]))
        order.append(queues[first].pop())
        of_guild[first[0]] += 1
        of_member[first] += 1
        if not queues[first]:
            del queues[first]
    return order


async def assign_free_slots(connection: AsyncConnection, key_id: int, queue: SlotQueue, *, clock: Clock) -> None:
    """Give the free slots of the key's team to waiting jobs; part of every write that may free a slot.

    Credits and slots belong to the team at the provider: several servers, or several keys of one, may share them.
    """
    jobs = await slots.waiting(connection, queue, key_id)
    if not jobs:
        return
    held = await slots.holding(connection, queue, key_id)
    free = await most(connection, key_id, queue) - sum(held.values())
    if free > 0:
        await slots.assign(connection, queue, fair_order(jobs, held)[:free], now=clock.now())


async def assign_all_free_slots(connection: AsyncConnection, key_id: int, *, clock: Clock) -> None:
    for queue in (TRAININGS, PICTURES):
        await assign_free_slots(connection, key_id, queue, clock=clock)


async def most(connection: AsyncConnection, key_id: int, queue: SlotQueue) -> int:
    """How many jobs of this kind the key's team may have at the provider at once."""
    key = await keys.get(connection, key_id)
    if queue is PICTURES or key is None:
        return ORDERS_AT_ONCE
    return await keys.slots_of(connection, key_id, SLOTS[key.row.provider])


@asked_once
async def has_free_slot(connection: AsyncConnection, key_id: int, queue: SlotQueue) -> bool:
    """Whether a new job of the key's team would get a slot at once."""
    if await slots.waiting(connection, queue, key_id):
        return False
    held = await slots.holding(connection, queue, key_id)
    return await most(connection, key_id, queue) > sum(held.values())


async def place_of(connection: AsyncConnection, job_id: int, key_id: int, queue: SlotQueue) -> int | None:
    """The job's place among those that wait, from 1; None when it does not wait."""
    order = fair_order(await slots.waiting(connection, queue, key_id), await slots.holding(connection, queue, key_id))
    return order.index(job_id) + 1 if job_id in order else None
