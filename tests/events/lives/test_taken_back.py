"""Somebody says no, withdraws, leaves or is banned, in any stage: their photos go, and what was made of them rests."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.training import TrainingStatus
from bot.storage.events import jobs as event_jobs
from tests.events.lives.event_acts import (
    lora_is_usable,
    make_picture,
    name_in_photos,
    only_lora,
    photo_files,
    reach,
    retired,
)
from tests.events.lives.event_books import check_books
from tests.events.lives.event_faults import outage
from tests.events.lives.event_run import HOST, HOUR, EventRun, begin
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import TRAINS_IN, Studio

S = EventStatus
DAN = 404
TakeBack = Callable[[EventRun, int], Awaitable[None]]


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def veto(life: EventRun, depiction_id: int) -> None:
    await life.studio.depictions.answer(depiction_id, False, DAN, GUILD)


async def withdraw(life: EventRun, _depiction_id: int) -> None:
    await life.studio.depictions.withdraw(life.event_id, Actor(GUILD, ANNA))


BOTH = pytest.mark.parametrize("take_back", [veto, withdraw])


async def named(studio: Studio, *, pack: tuple[str, ...] = ("{trigger} on a boat",)) -> tuple[EventRun, int]:
    """A shared event in which Anna's photos show Dan, who agreed; with it the depiction's id."""
    life = await begin(studio, pack=pack, budget=400)
    await life.give(ANNA, 12)
    await life.give(BEN, 16)
    return life, await name_in_photos(life, ANNA, DAN)


@BOTH
@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING])
async def test_before_training_the_photos_go_and_the_others_are_trained_on(
    keyed: Studio, stage: S, take_back: TakeBack
) -> None:
    life, depiction_id = await named(keyed)
    await reach(life, stage)
    assert len(await photo_files(keyed, of=ANNA)) == 12
    await take_back(life, depiction_id)
    assert await photo_files(keyed, of=ANNA) == []
    assert len(keyed.files()) == 16
    await reach(life, S.SHOWING)
    (chosen,) = await life.details(AnnouncementKind.CHOSEN)
    assert set(chosen["by"]) == {str(BEN)}
    assert await retired(keyed) == []
    assert AnnouncementKind.TAKEN_BACK not in await life.notes()
    await check_books(life)


@BOTH
async def test_while_the_training_waits_the_photos_are_left_out_of_it(keyed: Studio, take_back: TakeBack) -> None:
    life, depiction_id = await named(keyed)
    with outage(keyed):
        await reach(life, S.TRAINING)
        await life.pass_time(timedelta(seconds=1))
        await take_back(life, depiction_id)
    await reach(life, S.SHOWING)
    assert await retired(keyed) == [], "the LoRA never saw these photos"
    assert [len(lora.photos) for lora in keyed.server.loras.values()] == [16]
    await check_books(life)


@BOTH
async def test_while_the_photos_are_trained_on_the_lora_is_retired_as_soon_as_it_is_there(
    keyed: Studio, take_back: TakeBack
) -> None:
    life, depiction_id = await named(keyed)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=3))
    await take_back(life, depiction_id)
    await reach(life, S.SHOWING)
    lora = await only_lora(life)
    assert await retired(keyed) == [lora.id]
    assert await life.details(AnnouncementKind.TAKEN_BACK) != []
    await reach(life, S.FINISHED)
    await expect_unused(life)


async def expect_unused(life: EventRun) -> None:
    """The LoRA is retired, its host was told once, and nobody makes pictures with it any more."""
    lora = await only_lora(life)
    assert lora.retiring_since is not None
    await life.pass_time(timedelta(minutes=3))
    assert life.studio.server.loras[(await only_lora(life)).remote_id].status == "ARCHIVED"
    told = [detail for detail in await life.details(AnnouncementKind.TAKEN_BACK) if "lora_id" in detail]
    assert told == [{"lora_id": lora.id}]
    for user_id in (ADMIN, BEN):
        assert not await lora_is_usable(life, lora, user_id)
    await check_books(life)


@BOTH
@pytest.mark.parametrize("stage", [S.SHOWING, S.VOTING, S.FINISHED])
async def test_after_training_the_lora_is_retired_at_once_and_the_host_told_once(
    keyed: Studio, stage: S, take_back: TakeBack
) -> None:
    life, depiction_id = await named(keyed)
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await make_picture(life, BEN)
    await reach(life, stage)
    lora = await only_lora(life)
    made = keyed.charges("images")
    assert await lora_is_usable(life, lora, BEN)
    await take_back(life, depiction_id)
    await expect_unused(life)
    if stage is S.SHOWING:
        order = PictureOrder("at the beach", lora_id=lora.id)
        with pytest.raises(UserError, match="retired"):
            await keyed.budgets.order(await life.event(), order, Actor(GUILD, BEN), Channel(CHANNEL))
    await reach(life, S.FINISHED)
    await expect_unused(life)
    assert keyed.charges("images") == made


@BOTH
async def test_a_lora_that_comes_after_the_event_was_cancelled_is_retired_too(
    keyed: Studio, take_back: TakeBack
) -> None:
    life, depiction_id = await named(keyed)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=3))
    await take_back(life, depiction_id)
    await keyed.events.cancel(life.event_id, HOST)
    await life.pass_time(TRAINS_IN)
    await life.pass_time(HOUR)
    assert (await only_lora(life)).retiring_since is not None
    await life.pass_time(timedelta(minutes=3))
    assert life.studio.server.loras[(await only_lora(life)).remote_id].status == "ARCHIVED"
    await expect_unused(life)


async def test_only_the_personal_lora_of_these_photos_is_retired_even_while_others_train(
    keyed: Studio,
) -> None:
    life = await begin(keyed, EventMode.PERSONAL, photo_cap=20, pack=("{trigger} on a boat",))
    for user_id in (ANNA, BEN):
        await life.give(user_id, 15)
    depiction_id = await name_in_photos(life, ANNA, DAN)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=3))
    await veto(life, depiction_id)
    async with keyed.database.read() as connection:
        begun = {each.user_id: each for each in await event_jobs.trainings_of(connection, life.event_id)}
    request_id = (await keyed.training(begun[ANNA].id)).request_id
    assert request_id is not None
    keyed.finish_at_provider(request_id)
    await life.pass_time(timedelta(minutes=1))
    assert await life.status() is S.TRAINING, "Ben's is still under way"
    lora = await only_lora(life)
    assert lora.owner_id == ANNA
    assert await retired(keyed) == [lora.id]
    await reach(life, S.FINISHED)
    assert await retired(keyed) == [lora.id]
    assert keyed.charges("images") == 1, "the pack is made with Ben's alone"
    await check_books(life)


async def test_a_no_to_photos_nobody_answered_for_keeps_them_out(keyed: Studio) -> None:
    life = await begin(keyed, pack=())
    await life.give(ANNA, 12)
    await life.give(BEN, 16)
    await name_in_photos(life, ANNA, DAN, answer=None)
    await reach(life, S.SHOWING)
    (chosen,) = await life.details(AnnouncementKind.CHOSEN)
    assert set(chosen["by"]) == {str(BEN)}
    assert [len(lora.photos) for lora in keyed.server.loras.values()] == [16]
    await check_books(life)


@pytest.mark.parametrize("stage", [S.COLLECTING, S.REVIEWING])
async def test_who_is_gone_before_training_takes_their_photos_along(keyed: Studio, stage: S) -> None:
    life, _ = await named(keyed)
    await reach(life, stage)
    keyed.members.gone.add((GUILD, ANNA))
    await reach(life, S.TRAINING)
    assert await life.still_in() == [BEN]
    assert await photo_files(keyed, of=ANNA) == []
    await reach(life, S.SHOWING)
    assert [len(lora.photos) for lora in keyed.server.loras.values()] == [16]
    await check_books(life)


@pytest.mark.parametrize("stage", [S.TRAINING, S.SHOWING])
async def test_who_is_gone_later_is_not_in_the_ballot_and_the_others_go_on(keyed: Studio, stage: S) -> None:
    life, _ = await named(keyed)
    await reach(life, stage)
    if stage is S.TRAINING:
        keyed.members.gone.add((GUILD, ANNA))
    await reach(life, S.SHOWING)
    await make_picture(life, BEN)
    if stage is S.SHOWING:
        await make_picture(life, ANNA)
        keyed.members.gone.add((GUILD, ANNA))
    await reach(life, S.FINISHED)
    assert await life.still_in() == [BEN]
    assert await retired(keyed) == [], "leaving is not taking back"
    assert AnnouncementKind.TAKEN_BACK not in await life.notes()
    await check_books(life)


async def test_the_host_takes_somebody_out_who_was_banned(keyed: Studio) -> None:
    life, _ = await named(keyed)
    await keyed.events.remove_entrant(life.event_id, ANNA, HOST)
    assert await photo_files(keyed, of=ANNA) == []
    with pytest.raises(UserError, match="taken you out"):
        await keyed.contributions.join(life.event_id, Actor(GUILD, ANNA))
    await reach(life, S.SHOWING)
    assert await life.still_in() == [BEN]


async def test_everybody_withdraws_while_the_training_waits_so_that_nothing_is_sent(keyed: Studio) -> None:
    life, _ = await named(keyed)
    with outage(keyed):
        await reach(life, S.TRAINING)
        await life.pass_time(timedelta(seconds=1))
        for user_id in (ANNA, BEN):
            await keyed.depictions.withdraw(life.event_id, Actor(GUILD, user_id))
    await life.pass_time(HOUR)
    await keyed.settle(LaneName.EVENTS)
    assert keyed.charges("create") == 0
    assert keyed.files() == []
    assert (await life.view()).trainings == {TrainingStatus.FAILED: 1}
    assert (await life.event()).paused_why == "training_failed"
    assert (await life.view()).spent == 0
    await life.until(S.CANCELLED, within=timedelta(days=4))
    await check_books(life)


@pytest.mark.parametrize("mode", [EventMode.SHARED, EventMode.PERSONAL])
async def test_photos_of_a_training_that_never_began_go_soon_after_the_event_is_cancelled(
    keyed: Studio, mode: EventMode
) -> None:
    life = await begin(keyed, mode, photo_cap=20, pack=())
    await life.give(ANNA, 16)
    with outage(keyed):
        await reach(life, S.TRAINING)
        await life.pass_time(timedelta(seconds=1))
        await keyed.events.cancel(life.event_id, HOST)
        await life.pass_time(timedelta(minutes=1))
        await life.pass_time(keyed.timings.event_retry)
    assert keyed.files() == []
    assert keyed.charges("create") == 0
    assert (await life.view()).spent == 0
