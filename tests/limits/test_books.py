"""How long the ledger is kept: with the member's id as long as the job's details, without it for a year."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.generation.order import PictureOrder
from bot.limits.rules import LimitReached
from bot.records.guild import Actor, Channel
from bot.records.limit import LimitKind, Spend
from bot.storage import tables
from bot.storage.money import spends
from tests.events.event_spends import TRAINING
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import TRAINS_IN, Studio
from tests.generation.picture_orders import finish

pytestmark = pytest.mark.both
DAY = timedelta(days=1)
A_YEAR = timedelta(days=365)


async def books(studio: Studio) -> list[Spend]:
    return await studio.database.fetch(spends.of_guild, GUILD)


async def names(studio: Studio) -> list[bool]:
    return [each.user_id == ANNA for each in await books(studio)]


async def a_picture(studio: Studio, user_id: int = ANNA) -> None:
    await studio.orders.accept(PictureOrder("a fox"), Actor(GUILD, user_id), Channel(CHANNEL))
    await studio.settle()
    await finish(studio)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def test_the_members_id_goes_with_the_details_of_the_job_and_the_sum_stays(keyed: Studio) -> None:
    """Mutant: a job whose details are deleted and whose row of the ledger is left as it was."""
    await keyed.begin()
    await keyed.settle()
    await keyed.pass_time(TRAINS_IN)
    await a_picture(keyed)
    before = await books(keyed)
    await keyed.pass_time(29 * DAY)
    assert await names(keyed) == [True, True]
    await keyed.pass_time(2 * DAY)
    assert await keyed.scalars(sa.select(tables.trainings.c.id)) == []
    assert await names(keyed) == [False, False]
    after = await books(keyed)
    assert {each.user_id for each in after} == {after[0].user_id}
    assert after[0].user_id < 0
    assert [each.credits for each in after] == [each.credits for each in before]
    assert after[0].credits == TRAINING


async def test_a_month_of_31_days_counts_to_its_last_hour(keyed: Studio) -> None:
    """Mutant: a row that is deleted, or that nobody knows any more as the member's, gives its credits back."""
    keyed.clock.advance(datetime(2026, 5, 1, tzinfo=UTC) - keyed.clock.now())
    boss = Actor(GUILD, ADMIN, is_admin=True)
    await keyed.limits.set(boss, LimitKind.MEMBER, None, credits_=None, trainings=None, pictures=1)
    await a_picture(keyed)
    await keyed.pass_time(30 * DAY + timedelta(hours=23))
    assert keyed.clock.now().month == 5
    assert await names(keyed) == [False]
    with pytest.raises(LimitReached, match="0 are left"):
        await a_picture(keyed)
    await a_picture(keyed, BEN)


async def test_after_a_year_a_row_is_deleted_and_younger_ones_stay(keyed: Studio) -> None:
    await a_picture(keyed)
    await keyed.pass_time(100 * DAY)
    await a_picture(keyed)
    await keyed.pass_time(A_YEAR - 100 * DAY - timedelta(minutes=5))
    assert len(await books(keyed)) == 2
    await keyed.pass_time(DAY)
    assert len(await books(keyed)) == 1
    await keyed.pass_time(101 * DAY)
    assert await books(keyed) == []


async def test_a_server_that_brings_the_bot_back_keeps_its_books_no_longer_than_others(keyed: Studio) -> None:
    """Mutant: the row of the server is not due any more once it is back."""
    await a_picture(keyed)
    await keyed.guilds.leave(GUILD)
    await keyed.pass_time(DAY)
    assert await keyed.guilds.come_back(GUILD)
    await keyed.settle()
    assert len(await books(keyed)) == 1
    await keyed.pass_time(A_YEAR)
    assert await books(keyed) == []
    assert await keyed.guilds.get(GUILD) is not None
