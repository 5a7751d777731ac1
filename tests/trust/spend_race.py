"""T09: hundreds order at once against a budget for fewer."""

import asyncio
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.generation.order import Accepted, PictureOrder
from bot.keys import slots
from bot.limits import ledger
from bot.limits.ledger import BudgetSpent
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.storage import tables
from tests.events.event_spends import PICTURE, add_event_lora, total_of
from tests.fakes.events import add_entrants, add_event
from tests.fakes.rows import ANNA, CHANNEL
from tests.fakes.studio import Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

AT_ONCE, FITTING = 200, 50
S = GenerationStatus


async def race(seeds: int, seed: int) -> Score:
    """All are paid when they are handed over; the provider has room for all at once, as nothing here is about turns."""
    score = Score()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "ORDERS_AT_ONCE", FITTING)
        for number in range(seeds):
            await _one_race(score, random.Random(seed + number))
    return score


async def _one_race(score: Score, dice: random.Random) -> None:
    async with fresh_studio() as studio:
        await studio.set_key()
        studio.lanes.pop(LaneName.EVENTS)
        event = await add_event(studio.database, host_id=ANNA, pictures_each=AT_ONCE, budget=FITTING * PICTURE + 1)
        await add_entrants(studio.database, event, ANNA)
        lora = await add_event_lora(studio, event, user_id=ANNA)

        async def order(number: int) -> Accepted | None:
            for _ in range(dice.randrange(8)):
                await asyncio.sleep(0)
            wanted = PictureOrder(f"a fox, {number}", lora_id=lora.id)
            try:
                return await studio.budgets.order(event, wanted, Actor(event.guild_id, ANNA), Channel(CHANNEL))
            except BudgetSpent:
                score.fired["refused by the budget"] += 1
                return None

        accepted = [each for each in await asyncio.gather(*map(order, range(AT_ONCE))) if each is not None]
        await _hand_over_all(studio)
        score.tried += AT_ONCE
        score.fired["accepted"] += len(accepted)
        score.bad["not exactly as many accepted as the budget buys"] += len(accepted) != FITTING
        score.bad["paid for another number than accepted"] += studio.charges("images") != len(accepted)
        taken = sum(entry.credits for entry in studio.server.ledger)
        score.bad["the budget has counted another sum than the provider"] += await total_of(studio, event) != taken
        score.bad["more taken than there is"] += taken > FITTING * PICTURE + 1


async def _hand_over_all(studio: Studio) -> None:
    columns = tables.generations.c
    not_sent = sa.select(columns.id).where(columns.status.in_([S.QUEUED, S.SUBMITTING]))
    while await studio.scalars(not_sent):
        await studio.pass_time(timedelta(seconds=5), LaneName.GENERATIONS)


def look_before_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """Nothing is compared where the job is stored."""

    async def check(self: ledger.Ledger, *_order: object) -> None:
        del self

    patch.setattr(ledger.Ledger, "_check", check)


ROW = Row(
    "T09",
    f"{AT_ONCE} orders at once, a budget for {FITTING}",
    f"exactly {FITTING} paid for each seed",
    (1, 100),
    ("accepted", "refused by the budget"),
    race,
    (look_before_the_transaction,),
)
