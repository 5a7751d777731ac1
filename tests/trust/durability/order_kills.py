"""T04: the bot dies around paid calls, after the provider took the money most of all; 500 deaths for each provider.

A death is one of this process (mortal_points.py), which costs a tenth of a second; whole processes are killed in T02.
"""

import functools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from bot.generation import submission
from bot.generation.order import PictureOrder, provider_order
from bot.providers.apiframe.client import Apiframe
from bot.providers.base import GenerationOrder
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.storage import tables
from tests.fakes.lives import life_on
from tests.fakes.rows import ANNA, GUILD
from tests.fakes.studio import TRAINS_IN, Studio
from tests.generation.picture_orders import add_style, place, set_aurous_key
from tests.trust.durability.job_books import check_paid_and_told, pictures_taken, sent, statuses
from tests.trust.durability.mortal_points import Killed, MortalPoints, mortal
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

LIVES_EACH = 25
"""Of one installation; the accounts of the rehearsal providers pay for no more."""
WAITS = (timedelta(seconds=10),) * 2 + (timedelta(minutes=4),)


FOUND = tables.timeline.c.what == "found again"


Order = Callable[[Studio], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Shop:
    """`furnish` once for each installation; the lives on it place the `orders` by turns.

    Each comes with the point at which the provider has the money and we have not written it down.
    """

    furnish: Callable[[Studio], Awaitable[object]]
    orders: tuple[tuple[Order, str], ...]


async def furnish_apiframe(studio: Studio) -> None:
    await studio.set_key()
    await studio.lora()


async def order_pictures(studio: Studio) -> None:
    [lora_id, *_] = await studio.scalars(sa.select(tables.loras.c.id).where(tables.loras.c.guild_id == GUILD))
    await studio.order(await studio.loras.get_for(lora_id, Actor(GUILD, ANNA)))


async def furnish_aurous(studio: Studio) -> None:
    await set_aurous_key(studio)
    await add_style(studio)


async def order_with_style(studio: Studio) -> None:
    [style_id] = await studio.scalars(sa.select(tables.styles.c.id))
    await place(studio, PictureOrder("a fox", GenerationSettings(count=2), style_id=style_id))


APIFRAME = Shop(
    furnish_apiframe,
    ((Studio.begin, "provider POST /v2/loras: after"), (order_pictures, "provider POST /v2/images/generate: after")),
)
AUROUS = Shop(furnish_aurous, ((order_with_style, "provider POST /v1/images: after"),))


async def die_often(shop: Shop, deaths: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    with mortal() as points:
        while score.tried < deaths:
            async with fresh_studio() as ground:
                await _die_on(ground, shop, points, dice, score, deaths)
    return score


async def _die_on(
    ground: Studio, shop: Shop, points: MortalPoints, dice: random.Random, score: Score, deaths: int
) -> None:
    """Lives on one installation: each takes over what the one before has left, and orders something."""
    folder = ground.folder / "lives"
    points.begin(None)
    async with life_on(ground, folder) as life:
        await shop.furnish(life)
    accepted = 0
    for number in range(LIVES_EACH):
        turn, kind = divmod(number, len(shop.orders))
        order, paid = shop.orders[kind]
        target = points.least_tried(dice) if turn % 2 else paid
        points.begin(target)
        try:
            async with life_on(ground, folder) as life:
                await order(life)
                accepted += 1
                await life.settle()
                for wait in WAITS:
                    await life.pass_time(wait)
        except Killed:
            score.tried += 1
            score.fired["after the money was taken" if target == paid else "elsewhere"] += 1
            if score.tried == deaths:
                break
    points.begin(None)
    async with life_on(ground, folder) as life:
        await life.settle()
        for _ in range(2):  # a key has ten slots, so the trainings of many lives end in two turns
            await life.outlast_settling()
            await life.pass_time(TRAINS_IN)
        for wait in WAITS:
            await life.pass_time(wait)
        await _check(life, accepted, score)


async def _check(life: Studio, accepted: int, score: Score) -> None:
    ends = await statuses(life)
    score.bad["accepted and lost"] += max(0, accepted - len(ends))
    score.bad["neither found nor told"] += sum(status != "ready" for status in ends)
    await check_paid_and_told(life, score)
    score.fired["found again"] += len(await life.scalars(sa.select(tables.timeline.c.id).where(FOUND)))
    under_a_key = sent(life, "POST /v1/images") + sent(life, "POST /v2/images/generate")
    score.fired["the same key replayed"] += under_a_key - pictures_taken(life)
    score.bad["sent again without a key"] += sent(life, "POST /v2/loras") - life.charges("create")


def send_trainings_without_a_look(patch: pytest.MonkeyPatch) -> None:
    """What the provider has is not asked for, so an order of unknown outcome counts as not taken."""

    async def find_nothing(self: Apiframe, marker: str, since: datetime) -> None:
        return None

    patch.setattr(Apiframe, "find_training", find_nothing)


def use_a_new_key_each_time(patch: pytest.MonkeyPatch) -> None:
    """The provider cannot know that it has the order already."""

    def anew(*order: Any, **more: Any) -> GenerationOrder:
        return provider_order(*order, **(more | {"idempotency_key": str(uuid4())}))

    patch.setattr(submission, "provider_order", anew)


def rows() -> tuple[Row, ...]:
    faults = ("after the money was taken", "elsewhere", "the same key replayed")
    return tuple(
        Row(
            f"T04 {provider}",
            "deaths around paid calls",
            "each paid once, found again, told once",
            (8, 500),
            shop_faults,
            functools.partial(die_often, shop),
            mutants,
        )
        for provider, shop, shop_faults, mutants in (
            (
                ProviderName.APIFRAME,
                APIFRAME,
                (*faults, "found again"),
                (send_trainings_without_a_look, use_a_new_key_each_time),
            ),
            (ProviderName.AUROUS, AUROUS, faults, (use_a_new_key_each_time,)),
        )
    )
