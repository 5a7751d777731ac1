"""Settings that a host changes while the event runs: they hold from now on, and take nothing away from anybody."""

from datetime import timedelta
from typing import Any

import pytest

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.records.event import AnnouncementKind, EventStatus
from bot.records.guild import Actor, Channel
from tests.events.lives.event_acts import make_picture, only_lora, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_run import CLEO, HOST, HOUR, EventRun, begin
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

S = EventStatus
PACK = ("{trigger} on a boat", "{trigger} in the snow", "{trigger} at home")


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def collecting(studio: Studio, **changes: Any) -> EventRun:
    life = await begin(studio, **({"pack": ()} | changes))
    await life.give(ANNA, 12)
    await life.give(BEN, 10)
    return life


async def change(life: EventRun, **changes: Any) -> None:
    await life.studio.events.change(life.event_id, HOST, **changes)
    await life.studio.settle()


async def test_hours_changed_now_are_those_of_the_stages_to_come(keyed: Studio) -> None:
    life = await collecting(keyed)
    ends_at = (await life.event()).stage_ends_at
    await change(life, hours={S.COLLECTING: 1.0, S.REVIEWING: 9.0})
    assert (await life.event()).stage_ends_at == ends_at
    await life.close()
    assert (await life.event()).stage_ends_at == keyed.clock.now() + 9 * HOUR


async def test_a_stage_of_no_hours_is_passed_at_once_with_its_work_done(keyed: Studio) -> None:
    life = await collecting(keyed)
    await change(life, hours={S.REVIEWING: 0.0})
    await life.close()
    assert await life.status() is S.TRAINING
    assert [detail["photos"] for detail in await life.details(AnnouncementKind.CHOSEN)] == [22]


async def test_fewer_entrants_wanted_lets_a_waiting_event_go_on(keyed: Studio) -> None:
    life = await collecting(keyed, entrants_min=3)
    await life.close()
    assert (await life.event()).paused_why == "too_few_entrants"
    await change(life, entrants_min=2)
    await life.pass_time(timedelta(minutes=10))
    assert (await life.event()).paused_at is None
    await reach(life, S.TRAINING)
    assert (await life.notes()).count(AnnouncementKind.RESUMED) == 1


async def test_fewer_places_throw_nobody_out_and_let_nobody_else_in(keyed: Studio) -> None:
    life = await collecting(keyed)
    await keyed.contributions.join(life.event_id, Actor(GUILD, CLEO))
    await change(life, entrants_max=2)
    assert len(await life.still_in()) == 3
    with pytest.raises(UserError, match="places are taken"):
        await keyed.contributions.join(life.event_id, Actor(GUILD, 499))


async def test_another_pack_is_made_when_it_is_changed_before_the_pictures(keyed: Studio) -> None:
    life = await collecting(keyed, pack=PACK)
    await reach(life, S.TRAINING)
    await change(life, pack=PACK[:1])
    await reach(life, S.SHOWING)
    await life.pass_time(timedelta(minutes=5))
    assert (await life.view()).pictures == 1
    with pytest.raises(UserError, match="too late"):
        await change(life, pack=PACK)
    await check_books(life)


async def test_a_lower_budget_stops_what_is_still_to_come_and_never_falls_below_what_is_spent(keyed: Studio) -> None:
    life = await collecting(keyed, pack=PACK, budget=400)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=1))
    with pytest.raises(UserError, match="cannot be lower"):
        await change(life, budget=256)
    await change(life, budget=257 + 2)
    await reach(life, S.FINISHED)
    assert (await life.view()).spent == 257 + 2
    assert keyed.charges("images") == 1
    await check_books(life)


async def test_fewer_own_pictures_hold_from_now_on(keyed: Studio) -> None:
    life = await collecting(keyed, pictures_each=3)
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await change(life, pictures_each=1)
    order = PictureOrder("at the beach", lora_id=(await only_lora(life)).id)
    with pytest.raises(UserError, match="there was 1"):
        await keyed.budgets.order(await life.event(), order, Actor(GUILD, ANNA), Channel(CHANNEL))
    await make_picture(life, BEN)
    assert (await life.view()).pictures == 2


async def test_a_limit_set_on_an_event_without_one_holds(keyed: Studio) -> None:
    life = await collecting(keyed, pack=PACK, budget=None)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=1))
    await change(life, budget=257)
    await reach(life, S.FINISHED)
    assert (await life.view()).spent == 257
    assert keyed.charges("images") == 0
