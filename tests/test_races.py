"""Many at the same moment, on both databases: limits of places and money hold, and nobody meets an error."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import UserError
from bot.generation.order import Accepted, PictureOrder
from bot.keys.slots import MAX_CONCURRENT_TRAININGS
from bot.limits.ledger import BudgetSpent
from bot.records.event import EventMode
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.training import TrainingStatus
from bot.storage import tables
from bot.storage.events import entrants
from tests.events.event_spends import PICTURE, add_event_lora, total_of, without_engine
from tests.events.photo_givers import member, open_event
from tests.fakes.events import add_entrants, add_event
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD
from tests.fakes.studio import IN_FLIGHT, KEY, NEXT_KEY, PROVIDER, Studio

pytestmark = pytest.mark.both

HERE = Channel(CHANNEL)
ROUNDS, ARRIVING = 2, 11


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return without_engine(studio)


async def together(*acts: Awaitable[Any]) -> list[Any]:
    """What came of each, done at the same time."""
    return await asyncio.gather(*acts, return_exceptions=True)


def errors(came: list[Any]) -> list[BaseException]:
    return [each for each in came if isinstance(each, BaseException)]


async def slots_held(studio: Studio) -> int:
    queued = sa.and_(tables.trainings.c.status == TrainingStatus.QUEUED, tables.trainings.c.due_at.is_not(None))
    held = sa.or_(tables.trainings.c.status.in_(IN_FLIGHT), queued)
    return len(await studio.scalars(sa.select(tables.trainings.c.id).where(held)))


async def waiting(studio: Studio) -> int:
    columns = tables.trainings.c
    queued = sa.select(columns.id).where(columns.status == TrainingStatus.QUEUED, columns.due_at.is_(None))
    return len(await studio.scalars(queued))


# Slots of a key


async def test_of_40_members_who_start_at_once_ten_train(keyed: Studio) -> None:
    datasets = [(user_id, await keyed.dataset(user_id=user_id, count=15)) for user_id in range(500, 540)]
    came = await together(*(keyed.start(dataset_id, user_id=user_id) for user_id, dataset_id in datasets))
    assert errors(came) == []
    assert await slots_held(keyed) == MAX_CONCURRENT_TRAININGS == 10
    assert await waiting(keyed) == 30


async def test_starting_the_same_photos_many_times_at_once_trains_once(keyed: Studio) -> None:
    dataset_id = await keyed.dataset()
    came = await together(*(keyed.start(dataset_id) for _ in range(6)))
    assert errors(came) == []
    assert len({training.id for training in came}) == 1
    await keyed.settle()
    assert keyed.charges("create") == 1


async def test_while_trainings_end_and_others_arrive_no_slot_is_given_twice_or_forgotten(
    keyed: Studio,
) -> None:
    keyed.server.faults.hold_trainings = True
    for user_id in range(500, 510):
        await keyed.begin(user_id=user_id)
    await keyed.settle(LaneName.TRAININGS)
    for round_ in range(ROUNDS):
        columns = tables.trainings.c
        for request_id in await keyed.scalars(sa.select(columns.request_id).where(columns.status.in_(IN_FLIGHT))):
            keyed.finish_at_provider(request_id)
        first = 600 + ARRIVING * round_
        datasets = [(user_id, await keyed.dataset(user_id=user_id)) for user_id in range(first, first + ARRIVING)]
        keyed.clock.advance(keyed.timings.poll)
        ending = [keyed.step(LaneName.TRAININGS, claim) for claim in await keyed.claim(LaneName.TRAININGS)]
        arriving = [keyed.start(dataset_id, user_id=user_id) for user_id, dataset_id in datasets]
        assert errors(await together(*ending, *arriving)) == []
        assert await slots_held(keyed) == MAX_CONCURRENT_TRAININGS
        await keyed.settle(LaneName.TRAININGS)
    assert await waiting(keyed) == ROUNDS * (ARRIVING - MAX_CONCURRENT_TRAININGS)


# Places and money of events


async def test_of_20_who_join_an_event_with_5_places_5_are_in(keyed: Studio) -> None:
    for _ in range(ROUNDS):
        event = await open_event(keyed, mode=EventMode.CLUB, entrants_max=5)
        came = await together(
            *(keyed.contributions.join(event.id, member(user_id)) for user_id in range(500, 520)),
        )
        assert [type(error) for error in errors(came)] == [UserError] * 15
        async with keyed.database.read() as connection:
            assert await entrants.count(connection, event.id) == 5


async def test_joining_ten_times_at_once_is_joining_once(keyed: Studio) -> None:
    event = await open_event(keyed, mode=EventMode.CLUB, entrants_max=5)
    came = await together(*(keyed.contributions.join(event.id, member()) for _ in range(10)))
    assert errors(came) == []
    assert len({entrant.user_id for entrant in came}) == 1
    async with keyed.database.read() as connection:
        assert await entrants.count(connection, event.id) == 1


@pytest.mark.parametrize(
    ("changes", "orders", "taken"),
    [({"pictures_each": 1}, 6, 1), ({"pictures_each": 50, "budget": 5 * PICTURE}, 20, 5)],
    ids=["one picture each", "a budget for five"],
)
async def test_of_orders_at_once_only_what_the_event_gives_is_taken_and_paid(
    keyed: Studio, changes: dict[str, int], orders: int, taken: int
) -> None:
    event = await add_event(keyed.database, host_id=ANNA, **changes)
    await add_entrants(keyed.database, event, ANNA)
    lora = await add_event_lora(keyed, event, user_id=ANNA)
    wanted = PictureOrder("a fox", lora_id=lora.id)
    came = await together(*(keyed.budgets.order(event, wanted, Actor(GUILD, ANNA), HERE) for _ in range(orders)))
    assert [isinstance(each, Accepted) for each in came].count(True) == taken
    assert {type(error) for error in errors(came)} <= {UserError, BudgetSpent}
    assert await total_of(keyed, event) == taken * PICTURE
    await keyed.settle(LaneName.GENERATIONS)
    assert keyed.charges("images") == taken


# One member, many presses


async def test_many_orders_of_one_member_at_once_are_all_taken(keyed: Studio) -> None:
    lora = await keyed.lora()
    came = await together(*(keyed.order(lora, f"fox {number}") for number in range(12)))
    assert errors(came) == []
    assert len(await keyed.scalars(sa.select(tables.remembered.c.user_id))) == 1


async def test_choices_of_admins_at_once_leave_one_row(studio: Studio) -> None:
    came = await together(
        *(studio.guilds.choose_gallery(GUILD, channel_id) for channel_id in range(1, 8)),
        *(studio.guilds.choose_provider(GUILD, provider) for provider in ProviderName),
    )
    assert errors(came) == []
    assert len(await studio.scalars(sa.select(tables.guilds.c.guild_id))) == 1


async def test_keys_that_are_set_at_once_leave_one_in_use(studio: Studio) -> None:
    came = await together(
        *(studio.keys.set(GUILD, PROVIDER, api_key, set_by=ADMIN) for api_key in (KEY, NEXT_KEY) * 3),
    )
    assert errors(came) == []
    current = sa.select(tables.api_keys.c.id).where(tables.api_keys.c.retired_at.is_(None))
    assert len(await studio.scalars(current)) == 1
