"""The first picture that follows a LoRA: once, after the news, within all limits, and never where it is unwanted."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.job import LaneName, SubjectTable
from bot.records.limit import Amount, LimitKind
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.apiframe.state import JobFault
from bot.storage import tables
from bot.storage.jobs import generations
from bot.storage.money import spends
from bot.storage.policy_tables import moderation_log
from tests.fakes.lives import copy_of, life_on
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import TRAINS_IN, Studio

MINUTE = timedelta(minutes=1)
NEWS = [PostKind.TRAINING_STATUS, PostKind.TRAINING_READY]


@pytest.fixture(autouse=True)
async def _guild_wants_them(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_samples(GUILD, are_made=True)


async def trained(studio: Studio) -> Training:
    """A LoRA, and time for a picture with it."""
    training = await studio.begin()
    await finish(studio)
    ended = await studio.training(training.id)
    assert ended.status is TrainingStatus.READY
    return ended


async def finish(studio: Studio) -> None:
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    for _ in range(3):
        await studio.pass_time(MINUTE)


async def orders(studio: Studio) -> list[Generation]:
    ids = await studio.scalars(sa.select(tables.generations.c.id).order_by(tables.generations.c.id))
    async with studio.database.read() as connection:
        found = [await generations.get(connection, each) for each in ids]
    return [each for each in found if each is not None]


async def assert_none(studio: Studio) -> None:
    assert await orders(studio) == []
    assert studio.charges("images") == 0
    assert studio.poster.kinds() == NEWS


async def test_a_picture_follows_the_news_that_the_lora_is_ready_and_is_booked(studio: Studio) -> None:
    training = await trained(studio)
    [sample] = await orders(studio)
    assert (sample.status, sample.sample_of, sample.user_id) == (GenerationStatus.READY, training.id, ANNA)
    assert sample.lora_id == training.lora_id
    [lora] = studio.server.loras.values()
    assert sample.prompt == f"{lora.trigger_word} portrait, soft light"
    assert studio.poster.kinds() == [*NEWS, PostKind.PICTURES]
    assert studio.charges("images") == 1
    async with studio.database.read() as connection:
        spend = await spends.of_job(connection, SubjectTable.GENERATION, sample.id)
    assert spend is not None
    assert (spend.user_id, Amount(spend.credits, spend.trainings, spend.pictures)) == (ANNA, Amount(2, 0, 1))


async def test_it_comes_privately_first_to_whoever_wants_that(studio: Studio) -> None:
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    await trained(studio)
    places = [message.place for message in studio.poster.messages]
    assert places == [*[Place(PlaceKind.CHANNEL, CHANNEL)] * len(NEWS), Place(PlaceKind.USER, ANNA)]


async def test_it_waits_for_the_news_that_it_answers(studio: Studio) -> None:
    """Mutant: posts in whatever order Discord takes them."""
    channel = Place(PlaceKind.CHANNEL, CHANNEL)
    await studio.begin()
    await studio.settle()
    studio.clock.advance(TRAINS_IN)
    await studio.settle(LaneName.TRAININGS)
    for _ in range(5):
        await studio.pass_time(MINUTE, LaneName.GENERATIONS)
    late = sa.update(tables.posts).where(tables.posts.c.kind == PostKind.TRAINING_READY)
    until = studio.clock.now() + 10 * MINUTE
    await studio.database.write(lambda connection: connection.execute(late.values(due_at=until)))
    await studio.settle(LaneName.POSTS)
    assert studio.poster.kinds() == NEWS[:1]
    await studio.pass_time(11 * MINUTE)
    await studio.pass_time(MINUTE)
    assert studio.poster.kinds() == [*NEWS, PostKind.PICTURES]
    assert {message.place for message in studio.poster.messages} == {channel}


async def test_a_server_that_switched_it_off_gets_none(studio: Studio) -> None:
    await studio.guilds.choose_samples(GUILD, are_made=False)
    await trained(studio)
    await assert_none(studio)


async def test_a_server_that_never_chose_gets_one(studio: Studio) -> None:
    """As after an update: nothing was chosen before there was a choice."""
    await studio.database.write(lambda connection: connection.execute(sa.delete(tables.guilds)))
    await trained(studio)
    assert len(await orders(studio)) == 1


@pytest.mark.parametrize(
    ("who", "room"),
    [
        (LimitKind.MEMBER, {"credits_": 258}),
        (LimitKind.SERVER, {"credits_": 258}),
        (LimitKind.MEMBER, {"pictures": 0}),
        (LimitKind.SERVER, {"pictures": 0}),
    ],
)
async def test_no_limit_is_ever_passed_for_it(studio: Studio, who: LimitKind, room: dict[str, int]) -> None:
    """Mutant: a sample that is reserved without a look at the limits."""
    limits = {"credits_": None, "trainings": None, "pictures": None} | room
    await studio.limits.set(Actor(GUILD, ADMIN, is_admin=True), who, None, **limits)
    await trained(studio)
    await assert_none(studio)


@pytest.mark.parametrize(("pictures", "made"), [(0, 0), (1, 1)])
async def test_the_limit_of_a_role_holds_for_it(studio: Studio, pictures: int, made: int) -> None:
    limits = {"credits_": None, "trainings": None, "pictures": pictures}
    await studio.limits.set(Actor(GUILD, ADMIN, is_admin=True), LimitKind.ROLE, 77, **limits)
    studio.members.roles[ANNA] = frozenset({77})
    await trained(studio)
    assert len(await orders(studio)) == made


async def test_whoever_has_left_the_server_gets_none(studio: Studio) -> None:
    studio.members.gone.add((GUILD, ANNA))
    await trained(studio)
    await assert_none(studio)


async def test_whoever_is_blocked_meanwhile_gets_none(studio: Studio) -> None:
    await studio.begin()
    await studio.settle()
    await studio.moderation.block(Actor(GUILD, ADMIN, is_admin=True, is_moderator=True), ANNA)
    await finish(studio)
    assert await orders(studio) == []
    assert studio.charges("images") == 0


async def test_a_word_that_the_server_refuses_is_not_drawn(studio: Studio) -> None:
    await studio.moderation.set_words(Actor(GUILD, ADMIN, is_admin=True, is_moderator=True), "portrait")
    await trained(studio)
    await assert_none(studio)


async def test_an_event_gets_none_because_its_pictures_come_anyway(studio: Studio) -> None:
    training = await studio.begin()
    await studio.change(tables.trainings, training.id, event_id=5)
    await finish(studio)
    assert await orders(studio) == []


async def test_whoever_was_erased_meanwhile_gets_nothing_more(studio: Studio) -> None:
    await studio.begin()
    await studio.settle()
    studio.clock.advance(TRAINS_IN)
    await studio.settle(LaneName.TRAININGS)
    assert len(await orders(studio)) == 1
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    for _ in range(3):
        await studio.pass_time(MINUTE)
    assert await orders(studio) == []
    assert PostKind.PICTURES not in studio.poster.kinds()


async def test_nobody_is_told_of_a_sample_that_did_not_come(studio: Studio) -> None:
    studio.server.faults.jobs.append(JobFault.FAIL)
    await trained(studio)
    [sample] = await orders(studio)
    assert sample.status is GenerationStatus.FAILED
    assert studio.poster.kinds() == NEWS


@pytest.mark.parametrize(("user_id", "lines"), [(ANNA, 0), (ADMIN, 1)])
async def test_nobody_is_told_of_a_sample_that_somebody_cancels(studio: Studio, user_id: int, lines: int) -> None:
    """Mutant: a rule for failures alone, so that an admin's cancel tells of an order that its member never sent."""
    await studio.begin()
    await studio.settle()
    studio.clock.advance(TRAINS_IN)
    await studio.settle(LaneName.TRAININGS)
    [sample] = await orders(studio)
    await studio.generations.cancel(sample.id, Actor(GUILD, user_id, is_admin=user_id == ADMIN))
    for _ in range(3):
        await studio.pass_time(MINUTE)
    assert (await studio.generation(sample.id)).status is GenerationStatus.FAILED
    assert studio.poster.kinds() == NEWS
    assert studio.charges("images") == 0
    noted = sa.select(moderation_log.c.member_id).where(moderation_log.c.act == Act.MODERATED)
    assert await studio.scalars(noted) == [ANNA] * lines


async def is_promised(studio: Studio, training: Training) -> bool:
    view = await studio.trainings.view(training.id)
    assert view is not None
    return view.has_sample


@pytest.mark.parametrize("how", ["made", "failed", "cancelled"])
async def test_the_news_says_that_a_picture_follows_until_it_is_known_that_none_does(studio: Studio, how: str) -> None:
    """Mutant: the news is not renewed and goes on promising what was cancelled."""
    if how == "failed":
        studio.server.faults.jobs.append(JobFault.FAIL)
    training = await studio.begin()
    assert not await is_promised(studio, training)
    await studio.settle()
    studio.clock.advance(TRAINS_IN)
    await studio.settle(LaneName.TRAININGS)
    await studio.settle(LaneName.POSTS)
    assert await is_promised(studio, training)
    if how == "cancelled":
        [sample] = await orders(studio)
        await studio.generations.cancel(sample.id, Actor(GUILD, ANNA))
    for _ in range(3):
        await studio.pass_time(MINUTE)
    assert await is_promised(studio, training) is (how == "made")
    renewed = [kind for kind, _ in studio.poster.edits if kind == PostKind.TRAINING_READY]
    assert len(renewed) == (how != "made")


async def test_a_picture_that_was_asked_for_is_still_told_of(studio: Studio) -> None:
    studio.server.faults.jobs.append(JobFault.FAIL)
    await studio.order(await studio.lora())
    for _ in range(3):
        await studio.pass_time(MINUTE)
    cancelled = await studio.order(await studio.lora())
    await studio.generations.cancel(cancelled.id, Actor(GUILD, ADMIN, is_admin=True))
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.PICTURES_FAILED] * 2


async def test_it_is_paid_and_posted_once_whenever_a_copy_was_made_that_is_put_back(studio: Studio) -> None:
    """Also what a kill at any of these moments leaves behind. Mutants: an order drawn by lot, a post without a look."""
    await studio.begin()
    copies = [await copy_of(studio, "copy-0")]
    while PostKind.PICTURES not in studio.poster.kinds():
        assert len(copies) < 60
        if await studio.work():
            copies.append(await copy_of(studio, f"copy-{len(copies)}"))
        else:
            studio.clock.advance(MINUTE)
    assert len(copies) >= 6
    for copy in copies:
        studio.clock.advance(10 * MINUTE)
        async with life_on(studio, copy) as life:
            for _ in range(25):
                await life.pass_time(MINUTE)
            [sample] = await orders(life)
            assert sample.status is GenerationStatus.READY
        assert studio.charges("images") == 1
        assert studio.poster.kinds() == [*NEWS, PostKind.PICTURES]


async def test_two_loras_get_one_each(studio: Studio) -> None:
    first, second = await studio.begin(), await studio.begin(user_id=BEN)
    await finish(studio)
    made = await orders(studio)
    assert {(each.sample_of, each.user_id) for each in made} == {(first.id, ANNA), (second.id, BEN)}
    assert len({each.idempotency_key for each in made}) == 2
    assert made[0].settings.seed != made[1].settings.seed
