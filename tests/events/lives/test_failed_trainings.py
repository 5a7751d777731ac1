"""A training of an event that the provider does not finish: the host hears of it once and can have another try."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.job import LaneName
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.events.lives.event_acts import photo_files, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_run import HOST, HOUR, EventRun, begin_with_enough
from tests.events.photo_givers import Giver
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA
from tests.fakes.studio import Studio

S = EventStatus


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def failed(studio: Studio, mode: EventMode) -> EventRun:
    """Everybody's training has failed after it was paid, and the event waits for its host."""
    life = await begin_with_enough(studio, mode)
    studio.server.faults.trainings.extend([TrainingFault.FAIL_AFTER_CHARGE] * 2)
    await reach(life, S.TRAINING)
    await life.pass_time(timedelta(minutes=5))
    await life.pass_time(timedelta(minutes=30))
    studio.server.faults.trainings.clear()
    assert (await life.event()).paused_why == "training_failed"
    return life


MODES = pytest.mark.parametrize("mode", [EventMode.SHARED, EventMode.PERSONAL])


@MODES
async def test_photos_that_are_still_here_are_tried_again_when_the_host_wants_it(
    keyed: Studio, mode: EventMode
) -> None:
    life = await begin_with_enough(keyed, mode)
    keyed.server.faults.next("POST /v2/loras", *[Fault.answer(402)] * (1 if mode is EventMode.SHARED else 2))
    await reach(life, S.TRAINING)
    await life.pass_time(HOUR)
    assert (await life.event()).paused_why == "training_failed"
    await keyed.events.extend(life.event_id, 1, HOST)
    await reach(life, S.SHOWING)
    assert [each["why"] for each in await life.details(AnnouncementKind.PAUSED)] == ["training_failed"]
    assert keyed.charges("create") == (1 if mode is EventMode.SHARED else 2)
    await check_books(life)


@MODES
async def test_a_training_that_failed_late_is_tried_again_with_the_same_photos(keyed: Studio, mode: EventMode) -> None:
    life = await failed(keyed, mode)
    kept, orders = await photo_files(keyed), keyed.charges("create")
    assert kept
    await keyed.events.extend(life.event_id, 1, HOST)
    await reach(life, S.SHOWING)
    assert keyed.charges("create") == 2 * orders
    assert await photo_files(keyed) == []
    await check_books(life)


@MODES
async def test_photos_whose_time_was_over_after_a_failed_try_can_be_given_again(
    keyed: Studio, attachments: Attachments, mode: EventMode
) -> None:
    life = await failed(keyed, mode)
    for dataset_id in await keyed.scalars(sa.select(tables.datasets.c.id)):
        await keyed.change(tables.datasets, dataset_id, due_at=keyed.clock.now())
    await keyed.settle(LaneName.DATASETS)
    assert await photo_files(keyed) == []
    await keyed.events.extend(life.event_id, 1, HOST)
    await life.pass_time(HOUR)
    await life.pass_time(HOUR)
    assert {each["why"] for each in await life.details(AnnouncementKind.PAUSED)} == {
        "training_failed",
        "too_few_photos",
    }
    assert (await life.notes()).count(AnnouncementKind.PAUSED) == 2
    event, orders = await life.event(), keyed.charges("create")
    await Giver(keyed, attachments, ANNA).give(event, 16)
    await reach(life, S.SHOWING)
    assert (await life.notes()).count(AnnouncementKind.RESUMED) == 2
    assert keyed.charges("create") == orders + 1
    assert [len(lora.photos) for lora in keyed.server.loras.values() if lora.status == "READY"] == [16]
    assert await photo_files(keyed) == []
    await check_books(life)


@MODES
async def test_an_event_whose_trainings_failed_and_nobody_helps_ends_by_itself(keyed: Studio, mode: EventMode) -> None:
    life = await failed(keyed, mode)
    keyed.server.faults.trainings.extend([TrainingFault.FAIL_AFTER_CHARGE] * 2)
    await keyed.events.extend(life.event_id, 1, HOST)
    await life.until(S.CANCELLED, within=timedelta(days=4))
    assert keyed.files() == []
    await check_books(life)
