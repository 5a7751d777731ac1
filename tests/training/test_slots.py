"""Ten trainings for each key: never more, shared fairly, and a free slot is never left unused."""

import random
from collections import Counter

import sqlalchemy as sa

from bot.keys.slots import MAX_CONCURRENT_TRAININGS
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.limit import LimitKind
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import IN_FLIGHT, KEY, NEXT_KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio

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


# One team behind several servers


async def test_servers_with_keys_of_one_team_share_its_slots_and_its_credits(studio: Studio) -> None:
    studio.server._world.credits["Studio"] = 600
    await studio.set_key(KEY)
    await studio.set_key(KEY, guild_id=OTHER_GUILD)
    begun = [await studio.begin(guild_id=guild_id) for guild_id in (GUILD, OTHER_GUILD) * 2]
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    ended = [await studio.training(each.id) for each in begun]
    assert [each.status for each in ended] == [S.READY, S.READY, S.FAILED, S.FAILED]
    assert [each.error for each in ended if each.status is S.FAILED and "credits" in (each.error or "")] != []
    assert studio.charges("create") == 2


async def test_a_picture_does_not_take_what_is_set_aside_for_a_training_of_the_same_team(studio: Studio) -> None:
    """Mutant: the training, which is charged when it begins, fails for want of the picture's credits."""
    studio.server._world.credits["Studio"] = 258
    await studio.set_key(KEY)
    await studio.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    lora = await studio.lora(api_key=NEXT_KEY, guild_id=OTHER_GUILD)
    training = await studio.begin()
    await studio.settle(LaneName.TRAININGS)
    early = await studio.order(lora)
    await studio.settle(LaneName.GENERATIONS)
    refused = (await studio.generation(early.id)).error or ""
    assert "This takes 2 credits. 257 credits are set aside for trainings under way." in refused
    assert "256" not in refused
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
    studio.server._world.credits["Studio"] = 2
    await studio.order(lora)
    await studio.settle(LaneName.GENERATIONS)
    assert studio.charges("images") == 1


async def test_servers_of_one_team_never_have_more_than_its_slots_under_way_together(studio: Studio) -> None:
    await studio.set_key(KEY)
    await studio.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    studio.server.faults.hold_trainings = True
    for guild_id in (GUILD, OTHER_GUILD) * 8:
        await studio.begin(guild_id=guild_id, user_id=guild_id)
    await studio.settle(LaneName.TRAININGS)
    assert Counter(await in_flight(studio)) == {GUILD: 5, OTHER_GUILD: 5}
    assert {seen.status for seen in studio.server.requests if seen.method == "POST"} == {202}


async def test_fewer_slots_that_an_admin_allows_hold_for_the_whole_team(studio: Studio) -> None:
    await studio.keys.set(GUILD, PROVIDER, KEY, set_by=ADMIN, slots=3)
    await studio.limits.clear(Actor(GUILD, ADMIN, is_admin=True), LimitKind.MEMBER, None)
    studio.server.faults.hold_trainings = True
    for _ in range(5):
        await studio.begin()
    await studio.settle(LaneName.TRAININGS)
    assert len(await in_flight(studio)) == 3


async def test_a_full_team_is_tried_by_one_order_at_a_time_and_all_get_through(studio: Studio) -> None:
    """Its plan takes 3 at once and says so only with a 429."""
    studio.server.faults.answers.training_cap = 3
    studio.server.faults.hold_trainings = True
    await studio.set_key()
    begun = [await studio.begin(user_id=500 + number) for number in range(9)]
    await studio.settle(LaneName.TRAININGS)
    for _ in range(10):
        await studio.pass_time(studio.timings.busy, LaneName.TRAININGS)
    refused = [seen.status for seen in studio.server.requests if seen.method == "POST"].count(429)
    assert len(await in_flight(studio)) == 3
    assert refused <= 6 + 11, "those without a slot are posted again"
    views = [await studio.trainings.view_for(each.id, guild_id=GUILD, user_id=each.user_id) for each in begun]
    assert [view.place for view in views if view.place is not None] == [1, 2, 3, 4, 5]
    choice = random.Random(3)
    while await in_flight(studio):
        await finish_one(studio, choice)
        await studio.pass_time(studio.timings.busy, LaneName.TRAININGS)
    assert {(await studio.training(each.id)).status for each in begun} == {S.READY}
    assert studio.charges("create") == 9
