"""The main job, step by step: from a press on Start to a LoRA, and what is gone from us by then."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NoKey, NotFound, UserError
from bot.providers.base import WebhookHint
from bot.records.dataset import DatasetStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, PROVIDER, TRAINS_IN, Studio

S = TrainingStatus


@pytest.fixture(autouse=True)
async def _guild_has_a_key(studio: Studio) -> None:
    await studio.set_key()


async def test_a_started_training_becomes_a_lora_and_is_paid_for_once(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTED
    await studio.pass_time(TRAINS_IN)
    ended = await studio.training(training.id)
    assert ended.status is S.READY
    assert ended.lora_id is not None
    lora = await studio.loras.get_for(ended.lora_id, Actor(GUILD, ANNA))
    assert lora.remote_id == ended.request_id
    assert lora.trigger_word == studio.server.loras[lora.remote_id].trigger_word
    assert studio.charges("create") == studio.charges("training") == 1


async def test_the_timeline_tells_the_whole_story_in_order(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(timedelta(minutes=2))
    await studio.pass_time(TRAINS_IN)
    assert await studio.words(training) == ["received", "checked", "submitted", "running", "ready", "delivered"]


async def test_the_member_gets_one_status_message_and_one_that_it_is_ready(studio: Studio) -> None:
    await studio.begin()
    await studio.settle()
    for _ in range(21):
        await studio.pass_time(timedelta(seconds=60))
    assert sorted(studio.poster.kinds()) == [PostKind.TRAINING_READY, PostKind.TRAINING_STATUS]
    assert [kind for kind, _ in studio.poster.edits] == [PostKind.TRAINING_STATUS] * 2


async def test_photos_and_personal_details_wait_until_the_lora_is_ready(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(timedelta(minutes=2))
    assert (await studio.training(training.id)).status is S.TRAINING
    assert len(studio.files()) == 15
    assert set(await studio.scalars(sa.select(tables.datasets.c.ethnicity))) == {"Mixed"}
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
    await assert_nothing_left_of_the_person(studio)


async def test_photos_go_at_their_time_while_the_provider_still_trains(studio: Studio) -> None:
    """Mutant: with photos that wait for READY alone, a training that hangs keeps them."""
    studio.server.faults.hold_trainings = True
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(studio.timings.photos_kept - timedelta(seconds=1))
    assert len(studio.files()) == 15
    await studio.pass_time(timedelta(seconds=1))
    assert not (await studio.training(training.id)).status.is_terminal
    await assert_nothing_left_of_the_person(studio)


async def assert_nothing_left_of_the_person(studio: Studio) -> None:
    assert studio.files() == []
    assert set(await studio.scalars(sa.select(tables.photos.c.file))) == {None}
    async with studio.database.read() as connection:
        columns = (tables.datasets.c.gender, tables.datasets.c.ethnicity, tables.datasets.c.age)
        assert set(await connection.execute(sa.select(*columns))) == {(None, None, None)}


async def test_what_the_member_chose_is_what_the_provider_gets(studio: Studio) -> None:
    training = await studio.start(await studio.dataset(count=17, steps=1500, rank=16))
    await studio.settle()
    [lora] = studio.server.loras.values()
    assert lora.name == f"Rex ·{training.marker}"
    assert (lora.gender, lora.ethnicity, lora.age, lora.steps, lora.rank) == ("female", "Mixed", "early 30s", 1500, 16)
    assert len(lora.photos) == 17


async def test_pressing_start_many_times_at_once_starts_one_training(studio: Studio) -> None:
    dataset_id = await studio.dataset()
    started = await asyncio.gather(*(studio.start(dataset_id) for _ in range(10)))
    assert len({training.id for training in started}) == 1
    await studio.settle()
    assert studio.charges("create") == 1


async def test_starting_takes_fifteen_photos_and_says_how_many_are_missing(studio: Studio) -> None:
    dataset_id = await studio.dataset(count=14)
    with pytest.raises(UserError, match="add 1 more"):
        await studio.start(dataset_id)
    assert (await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)).dataset.status is DatasetStatus.OPEN


async def test_a_discarded_dataset_cannot_be_started(studio: Studio) -> None:
    dataset_id = await studio.dataset()
    await studio.datasets.discard(dataset_id, guild_id=GUILD, user_id=ANNA)
    with pytest.raises(UserError, match="/train"):
        await studio.start(dataset_id)


async def test_photos_of_more_than_100_mb_together_cannot_be_started(studio: Studio) -> None:
    dataset_id = await studio.dataset(count=20)
    await studio.change(tables.photos, 1, size=100_000_000)
    with pytest.raises(UserError, match="100 MB"):
        await studio.start(dataset_id)


async def test_without_a_key_nothing_starts_and_the_dataset_stays_open(studio: Studio) -> None:
    dataset_id = await studio.dataset(guild_id=OTHER_GUILD)
    with pytest.raises(NoKey, match="/keys set"):
        await studio.start(dataset_id, guild_id=OTHER_GUILD)
    board = await studio.datasets.board(dataset_id, guild_id=OTHER_GUILD, user_id=ANNA)
    assert board.can_start


@pytest.mark.parametrize(("guild_id", "user_id"), [(GUILD, BEN), (OTHER_GUILD, ANNA), (OTHER_GUILD, BEN)])
async def test_another_member_or_guild_can_neither_see_nor_start_nor_retry_it(
    studio: Studio, guild_id: int, user_id: int
) -> None:
    dataset_id = await studio.dataset()
    with pytest.raises(NotFound) as foreign:
        await studio.start(dataset_id, guild_id=guild_id, user_id=user_id)
    with pytest.raises(NotFound) as missing:
        await studio.start(dataset_id + 1000, guild_id=guild_id, user_id=user_id)
    assert str(foreign.value) == str(missing.value)
    training = await studio.start(dataset_id)
    with pytest.raises(NotFound) as hidden:
        await studio.trainings.view_for(training.id, guild_id=guild_id, user_id=user_id)
    with pytest.raises(NotFound) as absent:
        await studio.trainings.view_for(training.id + 1000, guild_id=guild_id, user_id=user_id)
    assert str(hidden.value) == str(absent.value)
    assert (await studio.history.of_member(Actor(guild_id, user_id), 0, 4)).entries == ()


async def test_a_failed_training_names_what_it_took_and_no_balance(studio: Studio) -> None:
    studio.server.faults.trainings.append(TrainingFault.FAIL_AFTER_CHARGE)
    studio.server.faults.refund_create_fee = False
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert ended.error is not None
    assert studio.server.faults.failure_text.rstrip(".") in ended.error
    assert "This server has 2 credits less than before this training." in ended.error
    assert "100000" not in ended.error
    assert "99998" not in ended.error
    assert studio.poster.kinds()[-1] == PostKind.TRAINING_FAILED


async def test_when_the_balance_cannot_be_read_nothing_is_said_of_refunds(studio: Studio) -> None:
    studio.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    training = await studio.begin()
    await studio.settle()
    studio.server.faults.next("GET /v2/me", *[Fault.answer(500)] * 3)
    await studio.pass_time(TRAINS_IN)
    error = (await studio.training(training.id)).error
    assert error is not None
    assert "dashboard" in error
    assert "refund" not in error.lower()


async def test_a_failure_before_training_began_can_be_retried_with_one_press(studio: Studio) -> None:
    studio.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    failed = await studio.begin()
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.trainings.view_for(failed.id, guild_id=GUILD, user_id=ANNA)).photos_left
    again = await studio.trainings.retry(failed.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    assert again.id != failed.id
    assert again.marker != failed.marker
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(again.id)).status is S.READY


async def test_a_failure_late_in_a_training_starts_again_with_the_same_photos_in_one_press(studio: Studio) -> None:
    """Mutant: with photos that leave when the training begins, nothing is left to start again."""
    failed = await fail_late(studio)
    assert (await studio.trainings.view_for(failed.id, guild_id=GUILD, user_id=ANNA)).photos_left
    again = await studio.trainings.retry(failed.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(again.id)).status is S.READY
    first, second = studio.server.loras.values()
    assert [path.name for path in first.photos] == [path.name for path in second.photos]
    assert (second.gender, second.ethnicity, second.age) == (first.gender, first.ethnicity, first.age)
    await assert_nothing_left_of_the_person(studio)


async def test_starting_again_gives_the_photos_no_more_time(studio: Studio) -> None:
    failed = await fail_late(studio)
    studio.server.faults.hold_trainings = True
    await studio.trainings.retry(failed.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    begun = (await studio.training(failed.id)).created_at
    await studio.pass_time(begun + studio.timings.photos_kept - studio.clock.now())
    await assert_nothing_left_of_the_person(studio)


async def test_a_late_failure_after_the_photos_time_cannot_be_retried_and_says_so(studio: Studio) -> None:
    failed = await fail_late(studio)
    await studio.pass_time(studio.timings.photos_kept)
    with pytest.raises(UserError, match="deleted"):
        await studio.trainings.retry(failed.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))


async def test_an_erasure_while_the_provider_trains_deletes_the_photos_at_once(studio: Studio) -> None:
    await studio.begin()
    await studio.settle()
    await studio.pass_time(timedelta(minutes=2))
    assert len(studio.files()) == 15
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert studio.files() == []


async def fail_late(studio: Studio) -> Training:
    studio.server.faults.trainings.append(TrainingFault.FAIL_AFTER_CHARGE)
    failed = await studio.begin()
    await studio.settle()
    await studio.pass_time(timedelta(minutes=2))
    assert (await studio.training(failed.id)).status is S.TRAINING
    await studio.pass_time(TRAINS_IN)
    ended = await studio.training(failed.id)
    assert ended.status is S.FAILED
    return ended


async def test_a_running_or_ready_training_cannot_be_retried(studio: Studio) -> None:
    training = await studio.begin()
    for step in (timedelta(0), TRAINS_IN):
        await studio.pass_time(step)
        with pytest.raises(UserError):
            await studio.trainings.retry(training.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    assert studio.charges("create") == 1


@pytest.mark.parametrize("lost", ["a file", "a photo", "all photos", "the dataset"])
async def test_photos_that_are_lost_before_their_time_are_not_said_to_have_expired(studio: Studio, lost: str) -> None:
    training = await studio.begin()
    if lost == "a file":
        studio.spool.free(studio.files()[:1])
    else:
        await studio.database.write(lambda connection: lose(connection, lost))
    await studio.settle()
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert ended.error is not None
    assert "24 hours" not in ended.error
    assert "Not all of the photos are on the bot’s disk any more" in ended.error
    assert studio.server.ledger == []


async def lose(connection: AsyncConnection, what: str) -> None:
    if what == "a photo":
        await connection.execute(sa.delete(tables.photos).where(tables.photos.c.id == 1))
    elif what == "all photos":
        await connection.execute(sa.delete(tables.photos))
    else:
        await connection.execute(sa.update(tables.trainings).values(dataset_id=999))


async def test_photos_that_run_out_of_time_in_the_queue_end_it_uncharged(studio: Studio) -> None:
    training = await studio.begin()
    await studio.change(tables.trainings, training.id, due_at=None)
    await studio.pass_time(studio.timings.photos_kept - timedelta(seconds=1))
    assert (await studio.training(training.id)).status is S.QUEUED
    await studio.pass_time(timedelta(seconds=1))
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert ended.error is not None
    assert "24 hours" in ended.error
    assert "Nothing was charged" in ended.error
    assert studio.files() == []
    assert studio.server.ledger == []
    with pytest.raises(UserError):
        await studio.trainings.retry(training.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))


async def test_a_late_training_is_named_once_and_watched_on(studio: Studio) -> None:
    studio.server.faults.hold_trainings = True
    training = await studio.begin()
    await studio.settle()
    for _ in range(8):
        await studio.pass_time(timedelta(minutes=30))
    assert (await studio.words(training)).count("late") == 1
    studio.server.faults.hold_trainings = False
    await studio.pass_time(timedelta(minutes=30))
    assert (await studio.training(training.id)).status is S.READY


async def test_a_training_that_never_ends_is_given_up_after_a_day_with_a_word(studio: Studio) -> None:
    studio.server.faults.hold_trainings = True
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(studio.timings.give_up + timedelta(minutes=1))
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert training.marker in (ended.error or "")
    assert studio.poster.kinds()[-1] == PostKind.TRAINING_FAILED


@pytest.mark.parametrize("trouble", ["outage", "key refused", "key gone"])
async def test_a_provider_that_stays_silent_for_a_day_leaves_nobody_waiting(studio: Studio, trouble: str) -> None:
    training = await studio.begin()
    await studio.settle()
    if trouble == "outage":
        await studio.server.close()
    elif trouble == "key refused":
        studio.server.faults.inactive_keys.add(KEY)
    else:
        await studio.keys.remove(GUILD, PROVIDER)
        await studio.change(tables.api_keys, 1, sealed=b"damaged")
    for _ in range(13):
        await studio.pass_time(timedelta(hours=2))
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert training.marker in (ended.error or "")


async def test_a_training_deleted_at_the_provider_ends_with_a_word(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    request_id = (await studio.training(training.id)).request_id
    assert request_id is not None
    del studio.server.loras[request_id]
    await studio.outlast(studio.timings.job_doubted)
    assert "does not know" in ((await studio.training(training.id)).error or "")


async def test_an_archived_training_ends_with_a_word(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    request_id = (await studio.training(training.id)).request_id
    assert request_id is not None
    studio.server.loras[request_id].status = "ARCHIVED"
    await studio.outlast(studio.timings.job_doubted)
    assert "does not know" in ((await studio.training(training.id)).error or "")


async def test_an_unknown_status_word_is_polled_on(studio: Studio) -> None:
    training = await studio.begin()
    await studio.settle()
    studio.server.faults.next("GET /v2/loras/{id}", Fault.unknown_status_word())
    await studio.pass_time(timedelta(seconds=30))
    assert (await studio.training(training.id)).status is S.SUBMITTED
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY


async def test_a_hint_while_the_last_step_runs_does_not_take_the_result_away(studio: Studio) -> None:
    """The webhook and the poll meet: the row has just become ready when its hint is counted."""
    training = await studio.begin()
    await studio.settle(LaneName.TRAININGS)
    studio.clock.advance(TRAINS_IN)
    [claim] = await studio.claim(LaneName.TRAININGS)
    assert await studio.trainings.hint(claim.row.webhook_token, WebhookHint(claim.row.request_id, True, "hex"))
    await studio.step(LaneName.TRAININGS, claim)
    await studio.settle()
    assert (await studio.training(training.id)).status is S.READY
    assert PostKind.TRAINING_READY in studio.poster.kinds()


async def test_a_finished_training_and_its_posts_go_after_thirty_days_and_its_lora_stays(
    studio: Studio,
) -> None:
    lora = await studio.trained()
    await studio.pass_time(studio.timings.details_kept - timedelta(seconds=1))
    assert await studio.scalars(sa.select(tables.trainings.c.id)) == [lora.training_id]
    await studio.pass_time(timedelta(days=1))
    for table in (tables.trainings, tables.timeline, tables.posts, tables.datasets, tables.photos):
        assert await studio.scalars(sa.select(table.c.id)) == []
    assert (await studio.loras.get_for(lora.id, Actor(GUILD, ANNA))).trigger_word == lora.trigger_word
