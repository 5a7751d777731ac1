"""Orders of pictures wait here in fair turns: a provider takes everything in the order in which it comes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.generation.order import PictureOrder
from bot.keys.slots import ORDERS_AT_ONCE
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, PROVIDER, Studio

S = GenerationStatus


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def order(studio: Studio, user_id: int = ANNA, guild_id: int = GUILD) -> int:
    accepted = await studio.orders.accept(PictureOrder("a fox"), Actor(guild_id, user_id), Channel(CHANNEL))
    return accepted.generation.id


async def sent(studio: Studio) -> list[int]:
    """The members whose orders reached the provider, in that order."""
    taken = tables.generations.c
    return await studio.scalars(
        sa.select(taken.user_id).where(taken.submitted_at.is_not(None)).order_by(taken.submitted_at, taken.id)
    )


async def finish(studio: Studio) -> None:
    for _ in range(4):
        await studio.pass_time(timedelta(seconds=5), LaneName.GENERATIONS)


async def test_one_order_does_not_wait_behind_a_flood_of_another_member(keyed: Studio) -> None:
    for _ in range(30):
        await order(keyed, ANNA)
    bens = await order(keyed, BEN)
    await keyed.settle(LaneName.GENERATIONS)
    assert await sent(keyed) == [ANNA] * ORDERS_AT_ONCE
    view = await keyed.generations.view(bens)
    assert view is not None
    assert view.place == 1
    await finish(keyed)
    assert BEN in (await sent(keyed))[: 2 * ORDERS_AT_ONCE]


async def test_all_orders_of_a_flood_are_made_in_the_end_and_never_more_than_ten_at_once(keyed: Studio) -> None:
    for _ in range(25):
        await order(keyed)
    for _ in range(6):
        await keyed.settle(LaneName.GENERATIONS)
        under_way = sa.select(sa.func.count()).where(tables.generations.c.status.in_([S.SUBMITTED, S.FETCHING]))
        assert (await keyed.scalars(under_way))[0] <= ORDERS_AT_ONCE
        await finish(keyed)
    assert set(await keyed.scalars(sa.select(tables.generations.c.status))) == {S.READY}
    assert keyed.charges("images") == 25


async def test_a_server_is_not_held_up_by_another_one_of_the_same_team(keyed: Studio) -> None:
    await keyed.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    keyed.server._world.credits["Studio"] = 1000
    for _ in range(15):
        await order(keyed)
    elsewhere = await order(keyed, ANNA, OTHER_GUILD)
    view = await keyed.generations.view(elsewhere)
    assert view is not None
    assert view.place == 1


async def test_what_waits_ends_with_a_sentence_when_the_key_is_taken_away(keyed: Studio) -> None:
    keyed.server.faults.hold_trainings = True
    waiting = [await order(keyed) for _ in range(ORDERS_AT_ONCE + 3)][-1]
    await keyed.keys.remove(GUILD, ProviderName.APIFRAME)
    await keyed.settle(LaneName.GENERATIONS)
    ended = await keyed.generation(waiting)
    assert ended.status is S.FAILED
    assert "no Apiframe key" in str(ended.error)


@pytest.mark.parametrize("api_key", [NEXT_KEY, OTHER_KEY])
async def test_what_waits_goes_on_under_a_new_key(keyed: Studio, api_key: str) -> None:
    keyed.server._world.credits["Studio"] = 1000
    for _ in range(ORDERS_AT_ONCE + 3):
        await order(keyed)
    await keyed.set_key(api_key)
    await keyed.settle(LaneName.GENERATIONS)
    await finish(keyed)
    await finish(keyed)
    assert set(await keyed.scalars(sa.select(tables.generations.c.status))) == {S.READY}


async def test_a_cancelled_order_lets_the_next_one_through(keyed: Studio) -> None:
    first, *_, last = [await order(keyed) for _ in range(ORDERS_AT_ONCE + 1)]
    assert (await keyed.generation(last)).due_at is None
    await keyed.generations.cancel(first, Actor(GUILD, ANNA))
    assert (await keyed.generation(last)).due_at is not None


async def test_a_restart_with_a_full_queue_goes_on_where_it_was(keyed: Studio) -> None:
    for _ in range(ORDERS_AT_ONCE + 5):
        await order(keyed)
    await keyed.lanes[LaneName.GENERATIONS][0].release_all()
    for _ in range(3):
        await keyed.settle(LaneName.GENERATIONS)
        await finish(keyed)
    assert keyed.charges("images") == ORDERS_AT_ONCE + 5


async def test_a_key_of_another_team_has_slots_of_its_own(keyed: Studio) -> None:
    await keyed.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    for _ in range(ORDERS_AT_ONCE + 1):
        await order(keyed)
    elsewhere = await order(keyed, BEN, OTHER_GUILD)
    assert (await keyed.generation(elsewhere)).due_at is not None
    assert KEY != OTHER_KEY
    assert PROVIDER is ProviderName.APIFRAME
