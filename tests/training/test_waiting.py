"""Waiting for a training: cancelled before it is sent, or not at all; how long it takes; places that are true."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import NotFound, UserError
from bot.limits.rules import TooSoon
from bot.records.dataset import DatasetStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName, SubjectTable
from bot.records.limit import Amount
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.money import spends
from bot.training.failures import CANCELLED_BY_ADMIN
from bot.training.outcomes import TrainingOutcomes
from bot.training.waiting import usual_length
from tests.fakes.lives import copy_of, life_on
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import OTHER_KEY, TRAINS_IN, Studio

S = TrainingStatus
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
async def _guild_has_a_key(studio: Studio) -> None:
    await studio.set_key()


def anna(guild_id: int = GUILD) -> Actor:
    return Actor(guild_id, ANNA)


async def spent(studio: Studio, training: Training) -> Amount:
    async with studio.database.read() as connection:
        spend = await spends.of_job(connection, SubjectTable.TRAINING, training.id)
    assert spend is not None
    return Amount(spend.credits, spend.trainings, spend.pictures)


async def assert_never_sent(studio: Studio, training: Training) -> None:
    for _ in range(3):
        await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.CANCELLED
    assert studio.charges("create") == 0
    assert studio.server.loras == {}


async def test_a_queued_training_is_cancelled_and_its_photos_are_back_on_their_board(studio: Studio) -> None:
    training = await studio.begin()
    view = await studio.trainings.cancel(training.id, anna())
    assert view.training.status is S.CANCELLED
    assert view.photos_left
    assert await studio.words(training) == ["received", "checked", "cancelled"]
    board = await studio.datasets.board(training.dataset_id, guild_id=GUILD, user_id=ANNA)
    assert board.can_start
    assert len(studio.files()) == 15
    assert await spent(studio, training) == Amount()
    again = await studio.start(training.dataset_id)
    assert again.id != training.id
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(again.id)).status is S.READY
    assert studio.charges("create") == 1


async def test_the_photos_of_a_cancelled_training_go_at_the_time_that_was_said(studio: Studio) -> None:
    training = await studio.begin()
    studio.clock.advance(timedelta(hours=1))
    await studio.trainings.cancel(training.id, anna())
    await studio.pass_time(studio.timings.photos_kept - timedelta(hours=1, seconds=1))
    assert len(studio.files()) == 15
    await studio.pass_time(timedelta(seconds=1))
    assert studio.files() == []
    board = await studio.datasets.board(training.dataset_id, guild_id=GUILD, user_id=ANNA)
    assert board.dataset.status is DatasetStatus.EXPIRED


async def test_the_pause_between_trainings_does_not_count_a_cancelled_one(studio: Studio) -> None:
    await studio.limits.choose_training_pause(GUILD, 24)
    training = await studio.begin()
    with pytest.raises(TooSoon):
        await studio.begin()
    await studio.trainings.cancel(training.id, anna())
    await studio.start(training.dataset_id)


async def test_whoever_waits_gets_the_slot_of_a_cancelled_training(studio: Studio) -> None:
    """A status message shows a new place to those who still wait. Mutant: places that only the own moves renew."""
    studio.server.faults.hold_trainings = True
    trainings = [await studio.begin() for _ in range(12)]
    assert [await place(studio, each) for each in trainings[9:]] == [None, 1, 2]
    await studio.pass_time(MINUTE, LaneName.POSTS)
    before = await revision(studio, trainings[11])
    await studio.trainings.cancel(trainings[9].id, anna())
    assert [await place(studio, each) for each in trainings[10:]] == [None, 1]
    assert await revision(studio, trainings[11]) > before
    await studio.pass_time(MINUTE)
    assert studio.charges("create") == 10


async def test_a_newcomer_who_goes_first_renews_the_places_of_those_who_waited(studio: Studio) -> None:
    studio.server.faults.hold_trainings = True
    trainings = [await studio.begin() for _ in range(11)]
    before = await revision(studio, trainings[10])
    await studio.begin(user_id=BEN)
    assert await place(studio, trainings[10]) == 2
    assert await revision(studio, trainings[10]) > before


async def place(studio: Studio, training: Training) -> int | None:
    view = await studio.trainings.view(training.id)
    assert view is not None
    return view.place


async def revision(studio: Studio, training: Training) -> int:
    columns = tables.posts.c
    mine = sa.select(columns.revision).where(
        columns.kind == PostKind.TRAINING_STATUS, columns.subject_id == training.id
    )
    [found] = await studio.scalars(mine)
    return int(found)


async def test_a_cancel_beats_the_claim_that_would_send_it(studio: Studio) -> None:
    """Mutant: a cancel that only looks at who has the lease, or a send that does not look at the status."""
    training = await studio.begin()
    [claim] = await studio.claim(LaneName.TRAININGS)
    await studio.trainings.cancel(training.id, anna())
    await studio.step(LaneName.TRAININGS, claim)
    await assert_never_sent(studio, training)


async def test_a_claim_that_sends_beats_the_cancel_and_it_is_paid_for_once(studio: Studio) -> None:
    training = await studio.begin()
    [claim] = await studio.claim(LaneName.TRAININGS)
    await TrainingOutcomes(studio.opened).submitting(claim, balance=None)
    with pytest.raises(UserError, match="just being handed over to Apiframe"):
        await studio.trainings.cancel(training.id, anna())
    assert (await spent(studio, training)).trainings == 1
    for rows, _ in studio.lanes.values():
        await rows.release_all()
    await studio.settle()
    await studio.outlast_settling()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
    assert studio.charges("create") == 1


@pytest.mark.parametrize("is_running", [False, True])
async def test_after_it_was_sent_it_is_said_why_it_cannot_be_cancelled(studio: Studio, *, is_running: bool) -> None:
    training = await studio.begin()
    await studio.settle()
    if is_running:
        await studio.pass_time(timedelta(minutes=3))
    with pytest.raises(UserError, match="Apiframe has this training already and offers no way to stop one"):
        await studio.trainings.cancel(training.id, anna())
    await studio.pass_time(TRAINS_IN)
    with pytest.raises(UserError, match="this training has ended"):
        await studio.trainings.cancel(training.id, anna())
    assert studio.charges("create") == 1


async def test_two_presses_cancel_once_and_both_are_told_so(studio: Studio) -> None:
    training = await studio.begin()
    views = await asyncio.gather(*(studio.trainings.cancel(training.id, anna()) for _ in range(2)))
    assert [view.training.status for view in views] == [S.CANCELLED] * 2
    assert (await studio.words(training)).count("cancelled") == 1


async def test_a_cancel_outlives_a_death_right_after_it(studio: Studio) -> None:
    training = await studio.begin()
    await studio.claim(LaneName.TRAININGS)
    await studio.trainings.cancel(training.id, anna())
    async with life_on(studio, await copy_of(studio, "after")) as life:
        await assert_never_sent(life, training)
        board = await life.datasets.board(training.dataset_id, guild_id=GUILD, user_id=ANNA)
        assert board.can_start or board.dataset.status is DatasetStatus.EXPIRED


async def test_a_copy_put_back_cancels_nothing_that_was_sent_after_it_was_made(studio: Studio) -> None:
    """Mutant: without a look at the provider a paid training is called cancelled and unpaid."""
    training = await studio.begin()
    copy = await copy_of(studio, "before")
    await studio.settle()
    async with life_on(studio, copy) as life:
        life.server.faults.next("GET /v2/loras", *[Fault.answer(503)] * 3)
        with pytest.raises(UserError, match="could not be asked just now"):
            await life.trainings.cancel(training.id, anna())
        with pytest.raises(UserError, match="Apiframe has this training already"):
            await life.trainings.cancel(training.id, anna())
        await life.settle()
        await life.pass_time(TRAINS_IN)
        assert (await life.training(training.id)).status is S.READY
    assert studio.charges("create") == 1


async def test_a_training_older_than_the_process_is_cancelled_when_the_provider_has_it_not(studio: Studio) -> None:
    training = await studio.begin()
    async with life_on(studio, await copy_of(studio, "before")) as life:
        assert (await life.trainings.cancel(training.id, anna())).training.status is S.CANCELLED
        await assert_never_sent(life, training)


@pytest.mark.parametrize(
    "actor",
    [Actor(GUILD, BEN), Actor(GUILD, BEN, is_moderator=True), Actor(OTHER_GUILD, ANNA, is_admin=True)],
    ids=["member", "moderator", "another server"],
)
async def test_nobody_else_can_cancel_it(studio: Studio, actor: Actor) -> None:
    training = await studio.begin()
    with pytest.raises(NotFound):
        await studio.trainings.cancel(training.id, actor)
    assert (await studio.training(training.id)).status is S.QUEUED


async def test_an_admin_cancels_it_and_its_member_is_told_and_starts_it_again(studio: Studio) -> None:
    """Mutant: told of nothing, the member would wait for ever; logged for each press, the log would say it twice."""
    training = await studio.begin()
    admin = Actor(GUILD, BEN, is_admin=True, is_moderator=True)
    for _ in range(2):
        view = await studio.trainings.cancel(training.id, admin)
    assert view.training.error == CANCELLED_BY_ADMIN
    assert (await studio.words(training)).count("cancelled") == 1
    log = await studio.moderation.log(admin)
    assert log.count(f"training #{training.id}, cancelled") == 1
    await studio.settle(LaneName.POSTS)
    assert studio.poster.kinds().count(PostKind.TRAINING_FAILED) == 1
    again = await studio.trainings.retry(training.id, anna(), channel=Channel(training.channel_id))
    assert (again.id > training.id, again.status) == (True, S.QUEUED)


async def test_the_training_of_an_event_is_not_its_owners_to_cancel(studio: Studio) -> None:
    training = await studio.begin()
    await studio.change(tables.trainings, training.id, event_id=5)
    with pytest.raises(UserError, match="belongs to an event"):
        await studio.trainings.cancel(training.id, anna())
    assert (await studio.training(training.id)).status is S.QUEUED


async def test_a_training_that_was_erased_meanwhile_is_not_there_to_cancel(studio: Studio) -> None:
    training = await studio.begin()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    with pytest.raises(NotFound):
        await studio.trainings.cancel(training.id, anna())


HALF, QUARTER, WHOLE = timedelta(minutes=30), timedelta(minutes=15), timedelta(hours=1)


@pytest.mark.parametrize(
    ("done", "usual"),
    [
        ([], None),
        ([(1000, QUARTER)], QUARTER),
        ([(1000, QUARTER), (1000, QUARTER), (1000, timedelta(days=1))], QUARTER),
        ([(2000, HALF)], QUARTER),
        ([(2000, HALF)] * 5 + [(1000, timedelta(hours=9))], QUARTER),
        ([(2000, HALF)] * 5 + [(1000, WHOLE)] * 3, WHOLE),
    ],
)
def test_the_usual_length_is_the_median_of_those_most_like_it(
    done: list[tuple[int, timedelta]], usual: timedelta | None
) -> None:
    assert usual_length(done, 1000) == usual


def test_a_character_takes_as_long_as_other_characters() -> None:
    assert usual_length([(0, MINUTE), (0, 3 * MINUTE)], 0) == 2 * MINUTE


async def test_nothing_is_promised_before_the_first_training_and_then_what_it_took(studio: Studio) -> None:
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    first = await studio.begin()
    assert await usual_of(studio, first) is None
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(first.id)).status is S.READY
    assert await usual_of(studio, first) is None
    elsewhere = await studio.begin(guild_id=OTHER_GUILD)
    assert await usual_of(studio, elsewhere) == TRAINS_IN


async def usual_of(studio: Studio, training: Training) -> timedelta | None:
    view = await studio.trainings.view(training.id)
    assert view is not None
    return view.usual
