"""Ten trainings for each key: never more, shared fairly, and a free slot is never left unused."""

import random
from collections import Counter

import sqlalchemy as sa

from bot.keys.slots import MAX_CONCURRENT_TRAININGS
from bot.records.job import LaneName
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import IN_FLIGHT, KEY, NEXT_KEY, OTHER_KEY, Studio

S = TrainingStatus
CARA = 403


async def in_flight(studio: Studio) -> list[int]:
    """The members of the trainings under way."""
    return await studio.scalars(sa.select(tables.trainings.c.user_id).where(tables.trainings.c.status.in_(IN_FLIGHT)))


async def finish_one(studio: Studio, choice: random.Random) -> None:
    running = await studio.scalars(
        sa.select(tables.trainings.c.request_id).where(tables.trainings.c.status.in_(IN_FLIGHT))
    )
    studio.finish_at_provider(choice.choice(running))
    await studio.pass_time(studio.timings.poll, LaneName.TRAININGS)


async def test_many_members_never_have_more_than_ten_under_way_and_all_get_theirs(studio: Studio) -> None:
    choice = random.Random(7)
    await studio.set_key()
    studio.server.faults.hold_trainings = True
    members = [ANNA] * 7 + [BEN] * 4 + list(range(500, 505))
    choice.shuffle(members)
    for member in members:
        await studio.begin(user_id=member)
    await studio.settle(LaneName.TRAININGS)
    while running := await in_flight(studio):
        waiting = await studio.scalars(sa.select(tables.trainings.c.id).where(tables.trainings.c.status == S.QUEUED))
        assert len(running) <= MAX_CONCURRENT_TRAININGS
        assert len(running) == MAX_CONCURRENT_TRAININGS or not waiting
        await finish_one(studio, choice)
    assert Counter(await studio.scalars(sa.select(tables.trainings.c.status))) == {S.READY: len(members)}
    assert studio.charges("create") == len(members)
    assert {seen.status for seen in studio.server.requests if seen.method == "POST"} == {202}


async def test_a_newcomer_goes_before_a_member_who_filled_the_queue(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.hold_trainings = True
    for _ in range(12):
        await studio.begin(user_id=ANNA)
    await studio.settle(LaneName.TRAININGS)
    newcomer = await studio.begin(user_id=BEN)
    view = await studio.trainings.view_for(newcomer.id, guild_id=GUILD, user_id=BEN)
    assert view.place == 1
    await finish_one(studio, random.Random(1))
    assert Counter(await in_flight(studio)) == {ANNA: 9, BEN: 1}


async def test_a_waiting_member_sees_a_place_that_counts_down(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.hold_trainings = True
    trainings = [await studio.begin(user_id=ANNA) for _ in range(12)]
    await studio.settle(LaneName.TRAININGS)

    async def places() -> list[int | None]:
        views = [await studio.trainings.view_for(one.id, guild_id=GUILD, user_id=ANNA) for one in trainings]
        return [view.place for view in views]

    assert await places() == [None] * 10 + [1, 2]
    await finish_one(studio, random.Random(1))
    assert await places() == [None] * 11 + [1]


async def test_guilds_with_their_own_keys_do_not_wait_for_each_other(studio: Studio) -> None:
    await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    studio.server.faults.hold_trainings = True
    for _ in range(11):
        await studio.begin()
    elsewhere = await studio.begin(guild_id=OTHER_GUILD)
    await studio.settle(LaneName.TRAININGS)
    assert (await studio.training(elsewhere.id)).status is S.SUBMITTED


async def test_a_slot_that_an_erased_member_held_goes_to_the_next_one_waiting(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.hold_trainings = True
    for _ in range(10):
        await studio.begin(user_id=ANNA)
    waiting = await studio.begin(user_id=BEN)
    await studio.settle(LaneName.TRAININGS)
    assert (await studio.training(waiting.id)).due_at is None
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    for lora in studio.server.loras.values():
        lora.status = "ARCHIVED"
    await studio.settle(LaneName.TRAININGS)
    assert (await studio.training(waiting.id)).status is S.SUBMITTED


async def test_a_new_key_lets_those_who_waited_through_fairly_and_ten_at_most(studio: Studio) -> None:
    await studio.set_key()
    for member in [ANNA] * 11 + [BEN, CARA]:
        await studio.begin(user_id=member)
    studio.server.faults.inactive_keys.add(KEY)
    await studio.settle(LaneName.TRAININGS)
    await studio.outlast(studio.timings.key_doubted, LaneName.TRAININGS)
    assert await in_flight(studio) == []
    studio.server.faults.hold_trainings = True
    await studio.set_key(NEXT_KEY)
    await studio.settle(LaneName.TRAININGS)
    assert Counter(await in_flight(studio)) == {ANNA: 8, BEN: 1, CARA: 1}


async def test_an_order_that_comes_back_to_the_queue_takes_no_eleventh_slot_of_a_new_key(studio: Studio) -> None:
    """Sent under the old key, provably not taken, to be sent again under the new one, which is full by then."""
    await studio.set_key()
    late = await studio.begin(user_id=BEN)
    studio.server.faults.next("POST /v2/loras", Fault.reset_before())
    await studio.settle(LaneName.TRAININGS)
    studio.server.faults.hold_trainings = True
    await studio.set_key(OTHER_KEY)
    for _ in range(10):
        await studio.begin(user_id=ANNA)
    await studio.settle(LaneName.TRAININGS)
    await studio.outlast_settling()
    assert len(await in_flight(studio)) == MAX_CONCURRENT_TRAININGS
    assert (await studio.training(late.id)).status is S.QUEUED
    await finish_one(studio, random.Random(1))
    assert (await studio.training(late.id)).status is S.SUBMITTED
