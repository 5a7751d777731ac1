"""Limits that change while orders wait, and the ledger as a table."""

import csv
import io

import pytest

from bot.generation.order import PictureOrder
from bot.limits.rules import LimitReached
from bot.limits.service import COLUMNS
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.limit import LimitKind, Unit
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import finish, set_aurous_key

pytestmark = pytest.mark.both
BOSS, OTHER_BOSS = Actor(GUILD, ADMIN, is_admin=True), Actor(GUILD, BEN, is_admin=True)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def allow(studio: Studio, pictures: int) -> None:
    await studio.limits.set(BOSS, LimitKind.MEMBER, None, credits_=None, trainings=None, pictures=pictures)


async def order(studio: Studio) -> None:
    await studio.orders.accept(PictureOrder("a fox"), Actor(GUILD, ANNA), Channel(CHANNEL))


async def test_a_limit_below_what_is_reserved_stops_new_orders_and_takes_none_back(keyed: Studio) -> None:
    await allow(keyed, 3)
    for _ in range(3):
        await order(keyed)
    await allow(keyed, 1)
    with pytest.raises(LimitReached, match="may use 1 picture a month, and 0 are left"):
        await order(keyed)
    rest = await keyed.limits.rest_of(Actor(GUILD, ANNA))
    assert rest.used.of(Unit.PICTURES) == 3
    await keyed.settle(LaneName.GENERATIONS)
    assert keyed.charges("images") == 3


async def test_a_limit_that_is_cleared_while_orders_wait_lets_new_ones_in(keyed: Studio) -> None:
    await allow(keyed, 1)
    await order(keyed)
    await keyed.limits.clear(BOSS, LimitKind.MEMBER, None)
    await order(keyed)
    await keyed.settle(LaneName.GENERATIONS)
    assert keyed.charges("images") == 2


async def test_of_two_admins_the_last_one_counts_and_nothing_is_mixed(keyed: Studio) -> None:
    await keyed.limits.set(BOSS, LimitKind.SERVER, None, credits_=5, trainings=5, pictures=None)
    await keyed.limits.set(OTHER_BOSS, LimitKind.SERVER, None, credits_=None, trainings=None, pictures=8)
    [limit] = await keyed.limits.of_guild(GUILD)
    assert (limit.credits, limit.trainings, limit.pictures, limit.set_by) == (None, None, 8, BEN)


async def test_the_table_has_the_columns_that_were_promised_and_no_formula(keyed: Studio) -> None:
    await set_aurous_key(keyed)
    await order(keyed)
    await keyed.settle()
    await finish(keyed)
    await keyed.begin()
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    heading, made, training = csv.reader(io.StringIO(await keyed.limits.export(GUILD)))
    assert tuple(heading) == COLUMNS
    assert heading == ["time", "member id", "job", "kind", "provider", "credits reserved", "credits taken", "state"]
    assert made[2:] == ["generation 1", "pictures", "Apiframe", "3", "3", "taken"]
    assert training[2:] == ["training 1", "training", "Apiframe", "257", "0", "given back"]
    assert made[1] == training[1] == str(int(made[1]))
    assert not any(cell.startswith(("=", "+", "@")) for row in (made, training) for cell in row)
