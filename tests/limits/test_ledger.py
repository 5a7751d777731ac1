"""What is ordered is reserved from each limit that holds, and settled by what it took, whatever happens meanwhile."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.limits.ledger import BudgetSpent
from bot.limits.rules import LimitReached, ServerLimitReached, TooSoon
from bot.records.event import EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.limit import LimitKind, Spend
from bot.sandbox.apiframe.state import JobFault, TrainingFault
from bot.storage.events import tables as event_tables
from bot.storage.money import spends
from tests.events.event_spends import PICTURE, TRAINING, add_event_lora, without_engine
from tests.fakes.events import add_entrants, add_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import TRAINS_IN, Studio
from tests.generation.picture_orders import finish

pytestmark = pytest.mark.both
BOSS = Actor(GUILD, ADMIN, is_admin=True)
ARTISTS = 7
PLAIN = 3
"""Credits of a picture without a LoRA."""
A_MONTH = timedelta(days=31)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def limit(
    studio: Studio,
    who: LimitKind = LimitKind.MEMBER,
    role_id: int | None = None,
    *,
    credits_: int | None = None,
    trainings: int | None = None,
    pictures: int | None = None,
) -> None:
    await studio.limits.set(BOSS, who, role_id, credits_=credits_, trainings=trainings, pictures=pictures)


async def order(studio: Studio, user_id: int = ANNA, *, roles: set[int] | None = None) -> int:
    actor = Actor(GUILD, user_id, frozenset(roles or ()))
    return (await studio.orders.accept(PictureOrder("a fox"), actor, Channel(CHANNEL))).generation.id


async def ledger(studio: Studio, guild_id: int = GUILD) -> list[Spend]:
    return await studio.database.fetch(spends.of_guild, guild_id)


async def used(studio: Studio) -> list[tuple[int, int, int]]:
    return [(each.credits, each.trainings, each.pictures) for each in await ledger(studio)]


async def test_pictures_are_refused_before_anything_is_stored_or_sent(keyed: Studio) -> None:
    await limit(keyed, credits_=2 * PLAIN)
    await order(keyed)
    await order(keyed)
    with pytest.raises(LimitReached, match=r"takes 3 credits\. Each member here may use 6 credits a month, and 0 are"):
        await order(keyed)
    await order(keyed, BEN)
    await keyed.settle()
    assert keyed.charges("images") == 3
    assert await used(keyed) == [(PLAIN, 0, 1)] * 3


@pytest.mark.parametrize(("most", "trainings", "fits"), [(TRAINING, None, 1), (None, 2, 2), (TRAINING - 1, None, 0)])
async def test_trainings_count_in_credits_and_in_number(
    keyed: Studio, most: int | None, trainings: int | None, fits: int
) -> None:
    await limit(keyed, credits_=most, trainings=trainings)
    for _ in range(fits):
        await keyed.begin()
    with pytest.raises(LimitReached):
        await keyed.begin()
    assert await used(keyed) == [(TRAINING, 1, 0)] * fits


async def test_a_refused_training_leaves_its_photos_where_they_were(keyed: Studio) -> None:
    await limit(keyed, trainings=0)
    dataset_id = await keyed.dataset()
    with pytest.raises(LimitReached):
        await keyed.start(dataset_id)
    await keyed.limits.clear(BOSS, LimitKind.MEMBER, None)
    assert (await keyed.start(dataset_id)).dataset_id == dataset_id


async def test_a_role_gives_more_and_the_server_is_the_end_for_everybody(keyed: Studio) -> None:
    await limit(keyed, pictures=1)
    await limit(keyed, LimitKind.ROLE, ARTISTS, pictures=3)
    await limit(keyed, LimitKind.SERVER, pictures=4)
    for _ in range(3):
        await order(keyed, roles={ARTISTS})
    with pytest.raises(LimitReached, match=r"With your role <@&7>"):
        await order(keyed, roles={ARTISTS})
    await order(keyed, BEN)
    with pytest.raises(ServerLimitReached, match="This server may use 4 pictures a month, and 0 are left"):
        await order(keyed, 900)


async def test_what_failed_is_given_back_and_what_was_made_is_not(keyed: Studio) -> None:
    await limit(keyed, credits_=TRAINING + PLAIN)
    keyed.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    await keyed.begin()
    with pytest.raises(LimitReached):
        await keyed.begin()
    await keyed.settle()
    await keyed.pass_time(TRAINS_IN)
    keyed.server.faults.jobs.append(JobFault.FAIL)
    await order(keyed)
    await keyed.settle()
    await finish(keyed)
    assert await used(keyed) == [(0, 0, 0), (0, 0, 0)]
    await keyed.begin()
    await keyed.settle()
    await keyed.pass_time(TRAINS_IN)
    with pytest.raises(LimitReached):
        await keyed.begin()
    assert sum(each.credits for each in await ledger(keyed)) == TRAINING


async def test_a_cancelled_order_is_given_back_at_once(keyed: Studio) -> None:
    await limit(keyed, pictures=1)
    generation_id = await order(keyed)
    await keyed.generations.cancel(generation_id, Actor(GUILD, ANNA))
    assert await used(keyed) == [(0, 0, 0)]
    await order(keyed)


async def test_everything_renews_with_the_month(keyed: Studio) -> None:
    await limit(keyed, pictures=1)
    await order(keyed)
    with pytest.raises(LimitReached):
        await order(keyed)
    keyed.clock.advance(A_MONTH)
    await order(keyed)


async def test_erasing_oneself_does_not_bring_back_what_was_spent(keyed: Studio) -> None:
    await limit(keyed, pictures=1)
    await order(keyed)
    await keyed.settle()
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    with pytest.raises(LimitReached, match="0 are left"):
        await order(keyed)
    assert [each.user_id > 0 for each in await ledger(keyed)] == [False]
    await order(keyed, BEN)


async def test_one_server_does_not_count_for_another(keyed: Studio) -> None:
    await keyed.set_key(guild_id=OTHER_GUILD)
    await limit(keyed, pictures=1)
    await order(keyed)
    wanted = PictureOrder("a fox")
    await keyed.orders.accept(wanted, Actor(OTHER_GUILD, ANNA), Channel(CHANNEL))
    assert [each.pictures for each in await ledger(keyed, OTHER_GUILD)] == [1]


@pytest.mark.parametrize("who", [LimitKind.MEMBER, LimitKind.SERVER])
async def test_many_at_once_get_exactly_what_there_is(keyed: Studio, who: LimitKind) -> None:
    await limit(keyed, who, pictures=5)
    came = await asyncio.gather(*(order(keyed) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, int) for each in came) == 5
    assert {type(each) for each in came} <= {int, LimitReached, ServerLimitReached}
    await keyed.settle(LaneName.GENERATIONS)
    assert keyed.charges("images") == 5


async def test_the_pause_between_trainings_ends_by_itself_and_failed_ones_do_not_count(keyed: Studio) -> None:
    await keyed.limits.choose_training_pause(GUILD, 6)
    keyed.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    await keyed.begin()
    with pytest.raises(TooSoon):
        await keyed.begin()
    await keyed.begin(user_id=BEN)
    await keyed.settle()
    await keyed.pass_time(TRAINS_IN)
    await keyed.begin()
    keyed.clock.advance(timedelta(hours=6))
    await keyed.begin()


# Events


async def in_event(studio: Studio, **changes: Any) -> tuple[int, int]:
    """An event in which Anna may make pictures, and pictures that were made in it."""
    event = await add_event(
        studio.database, mode=EventMode.PERSONAL, status=EventStatus.SHOWING, host_id=ADMIN, **changes
    )
    await add_entrants(studio.database, event, ANNA)
    lora = await add_event_lora(studio, event, user_id=ANNA)
    wanted = PictureOrder("a fox", lora_id=lora.id)
    accepted = await studio.budgets.order(event, wanted, Actor(GUILD, ANNA), Channel(CHANNEL))
    await studio.settle(LaneName.GENERATIONS)
    for _ in range(4):
        await studio.pass_time(timedelta(seconds=5), LaneName.GENERATIONS)
    return event.id, accepted.generation.id


async def test_an_event_counts_for_itself_and_the_server_and_not_for_its_members(keyed: Studio) -> None:
    without_engine(keyed)
    await limit(keyed, pictures=0)
    await limit(keyed, LimitKind.SERVER, pictures=1)
    event_id, made = await in_event(keyed, pictures_each=5)
    [spend] = await ledger(keyed)
    assert (spend.event_id, spend.credits, spend.settled_at is not None) == (event_id, PICTURE, True)
    with pytest.raises(ServerLimitReached):
        await keyed.generations.again(made, Actor(GUILD, ANNA), channel=Channel(CHANNEL))


@pytest.mark.parametrize("press", ["again", "vary"])
async def test_repeating_a_picture_of_a_live_event_belongs_to_the_event(keyed: Studio, press: str) -> None:
    """Mutant: posted where it was pressed, a picture of a private channel could be entered in the vote."""
    without_engine(keyed)
    elsewhere = Channel(CHANNEL + 1, is_age_restricted=True)
    event_id, made = await in_event(keyed, pictures_each=2, budget=2 * PICTURE)
    anna = Actor(GUILD, ANNA)

    async def repeat() -> int:
        if press == "again":
            return (await keyed.generations.again(made, anna, channel=elsewhere)).generation.id
        return (await keyed.generations.vary(made, "a wolf", anna, channel=elsewhere)).generation.id

    again = await keyed.generation(await repeat())
    assert (again.event_id, again.channel_id) == (event_id, CHANNEL)
    with pytest.raises(UserError, match="all your pictures for this event"):
        await repeat()
    with pytest.raises(UserError):
        await keyed.generations.again(made, Actor(GUILD, BEN), channel=Channel(CHANNEL))
    assert sum(each.credits for each in await ledger(keyed)) == 2 * PICTURE


async def test_the_events_budget_stops_what_is_repeated(keyed: Studio) -> None:
    without_engine(keyed)
    _, made = await in_event(keyed, pictures_each=9, budget=PICTURE)
    with pytest.raises(BudgetSpent):
        await keyed.generations.again(made, Actor(GUILD, ANNA), channel=Channel(CHANNEL))


async def test_once_the_event_is_over_it_is_the_members_own_order(keyed: Studio) -> None:
    without_engine(keyed)
    event_id, made = await in_event(keyed, pictures_each=1)
    await keyed.change(event_tables.events, event_id, status=EventStatus.FINISHED)
    again = await keyed.generations.again(made, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    assert again.generation.event_id is None
    await limit(keyed, pictures=1)
    with pytest.raises(LimitReached):
        await keyed.generations.again(made, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
