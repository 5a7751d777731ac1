"""Hosts, members and the engine at the same moment: one of them wins, and nothing is lost or done twice."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.limits.ledger import BudgetSpent
from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.storage.jobs.tables import lora_previews
from tests.events.lives.event_acts import make_picture, only_lora, photo_files, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_run import CLEO, HOST, HOUR, EventRun, begin
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

pytestmark = pytest.mark.both

S = EventStatus
OTHER_HOST = Actor(GUILD, 555, is_admin=True)
STAGES = [S.COLLECTING, S.REVIEWING, S.TRAINING, S.SHOWING, S.VOTING]


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def at(studio: Studio, stage: S, **changes: Any) -> EventRun:
    """A shared event in this stage, with more photos than are chosen and, for the ballot, a picture of each entrant."""
    life = await begin(studio, **({"pack": ()} | changes))
    await life.give(ANNA, 20)
    await life.give(BEN, 16)
    if stage is S.VOTING:
        await reach(life, S.SHOWING)
        await make_picture(life, ANNA)
        await make_picture(life, BEN)
    await reach(life, stage)
    return life


async def together(*acts: Awaitable[Any]) -> list[Any]:
    """What came of each, done at the same time."""
    return await asyncio.gather(*acts, return_exceptions=True)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING])
async def test_two_hosts_who_press_close_at_once_close_one_stage(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    event_id = life.event_id
    first, second = await together(keyed.events.close(event_id, HOST), keyed.events.close(event_id, OTHER_HOST))
    assert [type(each) for each in (first, second)].count(UserError) == 1
    assert "closing already" in str(first) + str(second)
    await keyed.work(LaneName.EVENTS)
    assert await life.status() is STAGES[STAGES.index(stage) + 1] if stage is not S.VOTING else S.FINISHED


async def test_close_and_cancel_at_once_leave_one_end(keyed: Studio) -> None:
    life = await at(keyed, S.COLLECTING)
    event_id = life.event_id
    await together(keyed.events.close(event_id, HOST), keyed.events.cancel(event_id, OTHER_HOST))
    await life.pass_time(HOUR)
    assert await life.status() is S.CANCELLED
    assert (await life.notes()).count(AnnouncementKind.CANCELLED) == 1
    assert keyed.files() == sorted(await keyed.scalars(sa.select(lora_previews.c.file)))


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING])
async def test_more_time_given_while_the_engine_decides_keeps_the_stage_as_it_was(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage)
    before = await life.event()
    assert before.stage_ends_at is not None
    photos, told = await photo_files(keyed), await life.notes()
    keyed.clock.stand_still_for(before.stage_ends_at - keyed.clock.now())
    (claim,) = await keyed.claim(LaneName.EVENTS)
    await keyed.events.extend(life.event_id, 5, HOST)
    await keyed.step(LaneName.EVENTS, claim)
    await keyed.settle()
    after = await life.event()
    assert after.status is stage
    assert after.stage_ends_at == before.stage_ends_at + 5 * HOUR
    assert await photo_files(keyed) == photos, "photos went although there is more time to choose"
    assert await life.notes() == told
    await life.pass_time(5 * HOUR)
    assert await life.status() is not stage
    await check_books(life)


@pytest.mark.parametrize("stage", STAGES)
async def test_a_cancelled_event_ends_in_any_stage_and_pays_nothing_more(keyed: Studio, stage: S) -> None:
    life = await at(keyed, stage, pack=("{trigger} on a boat",), budget=400)
    await keyed.events.cancel(life.event_id, HOST)
    await life.pass_time(timedelta(minutes=1))
    paid = keyed.charges("create"), keyed.charges("images")
    await life.pass_time(HOUR)
    await life.pass_time(timedelta(days=8))
    assert await life.status() is S.CANCELLED
    assert (keyed.charges("create"), keyed.charges("images")) == paid
    assert (await life.notes()).count(AnnouncementKind.CANCELLED) == 1
    assert keyed.files() == sorted(await keyed.scalars(sa.select(lora_previews.c.file)))
    await check_books(life)


@pytest.mark.parametrize("stage", STAGES)
async def test_a_step_in_whose_middle_the_event_is_cancelled_begins_nothing(keyed: Studio, stage: S) -> None:
    life = await at(keyed, S.REVIEWING if stage is S.TRAINING else stage, pack=("{trigger} on a boat",))
    if stage is S.TRAINING:
        await keyed.events.close(life.event_id, HOST)
        await keyed.work(LaneName.EVENTS)
    elif stage is not S.SHOWING:
        await keyed.events.close(life.event_id, HOST)
    paid = keyed.charges("create"), keyed.charges("images")
    claims = await keyed.claim(LaneName.EVENTS)
    await keyed.events.cancel(life.event_id, HOST)
    for claim in claims:
        await keyed.step(LaneName.EVENTS, claim)
    await life.pass_time(HOUR)
    assert await life.status() is S.CANCELLED
    assert (keyed.charges("create"), keyed.charges("images")) == paid
    assert [each for each in await life.notes() if each is AnnouncementKind.CANCELLED] == [AnnouncementKind.CANCELLED]
    await check_books(life)


async def test_the_last_credits_go_to_as_many_as_they_reach_for(keyed: Studio) -> None:
    life = await at(keyed, S.SHOWING, budget=257 + 3 * 2, pictures_each=5)
    event, lora = await life.event(), await only_lora(life)
    order = PictureOrder("at the beach", lora_id=lora.id)
    wanted = [keyed.budgets.order(event, order, Actor(GUILD, user_id), Channel(CHANNEL)) for user_id in (ANNA, BEN) * 3]
    came = await together(*wanted)
    assert [type(each) for each in came].count(BudgetSpent) == 3
    assert (await life.view()).spent == 257 + 3 * 2
    await check_books(life)


async def test_members_who_join_at_once_take_no_more_than_the_places_there_are(keyed: Studio) -> None:
    life = await begin(keyed, entrants_min=1, entrants_max=2)
    came = await together(
        *(keyed.contributions.join(life.event_id, Actor(GUILD, user_id)) for user_id in (ANNA, BEN, CLEO, ANNA))
    )
    assert [type(each) for each in came].count(UserError) == 1
    assert len(await life.still_in()) == 2


async def test_a_vote_at_the_moment_of_the_count_counts_or_is_refused(keyed: Studio) -> None:
    life = await at(keyed, S.VOTING)
    entry = next(each for each in await keyed.ballots.entries(life.event_id, Actor(GUILD, ANNA)) if each.is_mine)
    await keyed.ballots.vote(life.event_id, entry.entry_id, Actor(GUILD, CLEO))
    await keyed.events.close(life.event_id, HOST)
    (claim,) = await keyed.claim(LaneName.EVENTS)
    late, _ = await together(
        keyed.ballots.vote(life.event_id, entry.entry_id, Actor(GUILD, ADMIN)), keyed.step(LaneName.EVENTS, claim)
    )
    await keyed.settle()
    assert isinstance(late, UserError)
    assert [(each.user_id, each.votes) for each in (await life.view()).winners] == [(ANNA, 1)]
    await check_books(life)


async def test_an_entrant_who_withdraws_while_training_begins_is_trained_or_gone(keyed: Studio) -> None:
    life = await begin(keyed, EventMode.PERSONAL, photo_cap=20, pack=())
    for user_id in (ANNA, BEN):
        await life.give(user_id, 15)
    await reach(life, S.REVIEWING)
    await keyed.events.close(life.event_id, HOST)
    await keyed.work(LaneName.EVENTS)
    (claim,) = await keyed.claim(LaneName.EVENTS)
    await together(keyed.step(LaneName.EVENTS, claim), keyed.depictions.withdraw(life.event_id, Actor(GUILD, BEN)))
    await reach(life, S.SHOWING)
    assert await life.still_in() == [ANNA]
    assert await photo_files(keyed, of=BEN) == []
    assert [lora.owner_id for lora in (await life.view()).loras if lora.retiring_since is None] == [ANNA]
    await check_books(life)
