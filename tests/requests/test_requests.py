"""Photos of somebody else's message: asked for privately, used after a yes alone, whatever stops in between."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import NotFound, UserError
from bot.records.dataset import ConsentKind, DatasetStatus
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.question import RequestStatus
from bot.requests.service import RequestView
from bot.requests.steps import PUT_BACK
from bot.storage import tables
from bot.storage.question_tables import photo_requests, questions
from tests.backup.backups import backed_up, life_from
from tests.fakes.attachments import Attachments, make_photo, open_attachments
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, stands_in
from tests.fakes.studio import TRAINS_IN, Studio

ANNA_HERE, HERE = Actor(GUILD, ANNA), Channel(CHANNEL)
DAY = timedelta(days=1)


@pytest.fixture
async def files() -> AsyncIterator[Attachments]:
    async with open_attachments() as attachments:
        yield attachments


async def ask(studio: Studio, files: Attachments, count: int = 2, author_id: int = BEN) -> RequestView:
    """Anna wants Ben's photos for a dataset of hers."""
    dataset_id = await studio.dataset(count=0)
    asked = await studio.requests.for_dataset(dataset_id, files.add_photos(count), author_id, ANNA_HERE, HERE)
    await studio.settle(LaneName.POSTS)
    return asked


async def ask_for_pictures(studio: Studio, files: Attachments, author_id: int = BEN) -> RequestView:
    settings = GenerationSettings(aspect="3:2")
    uploads = files.add_photos(1)
    asked = await studio.requests.for_pictures("a fox", settings, uploads, author_id, ANNA_HERE, HERE)
    await studio.settle(LaneName.POSTS)
    return asked


MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)


async def status(studio: Studio) -> list[RequestStatus]:
    return await studio.scalars(sa.select(photo_requests.c.status).order_by(photo_requests.c.id))


async def answer(studio: Studio, asked: RequestView, *, is_yes: bool) -> None:
    await studio.requests.answer(asked.request.id, is_yes=is_yes, user_id=BEN, guild_id=None)
    await studio.settle()


async def test_the_author_alone_is_asked_privately_and_nothing_is_downloaded_before(
    studio: Studio, files: Attachments
) -> None:
    await ask(studio, files)
    await studio.settle()
    assert [(each.kind, each.place) for each in studio.poster.messages] == [
        (PostKind.PHOTO_REQUEST, Place(PlaceKind.USER, BEN))
    ]
    assert files.asked_for == []
    assert studio.files() == []


async def test_after_a_yes_the_photos_are_in_the_dataset_with_both_consents(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    await answer(studio, asked, is_yes=True)
    board = await studio.datasets.board(asked.request.dataset_id or 0, guild_id=GUILD, user_id=ANNA)
    assert [photo.name for photo in board.photos] == ["photo-1.jpg", "photo-2.jpg"]
    consents = (await studio.everything())["consents"]
    assert [(row["user_id"], row["kind"]) for row in consents] == [
        (ANNA, ConsentKind.PHOTOS),
        (BEN, ConsentKind.AUTHOR),
    ]
    assert consents[0]["photo_hashes"] == consents[1]["photo_hashes"]
    assert "18 or older" in consents[1]["wording"]
    assert await status(studio) == [RequestStatus.DONE]
    assert studio.poster.kinds()[-1] == PostKind.PHOTO_REQUEST_ANSWERED
    assert studio.poster.messages[-1].place == Place(PlaceKind.USER, ANNA)


async def test_after_a_yes_the_pictures_are_ordered_once(studio: Studio, files: Attachments) -> None:
    await studio.set_key()
    asked = await ask_for_pictures(studio, files)
    await answer(studio, asked, is_yes=True)
    await studio.pass_time(timedelta(seconds=20))
    [order] = (await studio.everything())["generations"]
    assert (order["user_id"], order["prompt"], order["settings"].aspect) == (ANNA, "a fox", "3:2")
    assert (await studio.requests.view(asked.request.id)).request.outcome == f"#{order['id']}"  # type: ignore[union-attr]
    [consent] = (await studio.everything())["consents"]
    assert (consent["user_id"], consent["kind"], consent["provider"]) == (BEN, ConsentKind.AUTHOR, order["provider"])
    assert (consent["dataset_id"], consent["generation_id"]) == (None, order["id"])
    assert consent["wording"] == asked.sentence
    assert consent["policy_version"] == studio.policy.version
    assert len(consent["photo_hashes"]) == 1


@pytest.mark.parametrize("is_dataset", [True, False])
async def test_a_process_that_dies_between_the_yes_and_its_work_does_it_once(
    studio: Studio, files: Attachments, is_dataset: bool
) -> None:
    """Mutant: with the outcome in a second transaction the dead step's work is done twice."""
    await studio.set_key()
    asked = await (ask if is_dataset else ask_for_pictures)(studio, files)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=GUILD)
    [dead] = await studio.claim(LaneName.REQUESTS, owner="dead")
    studio.clock.advance(studio.timings.lease * 2)
    await studio.settle()
    await studio.step(LaneName.REQUESTS, dead)
    await studio.settle()
    left = await studio.everything()
    assert (len(left["photos"]), len(left["generations"])) == ((2, 0) if is_dataset else (0, 1))
    assert len(studio.files()) == (2 if is_dataset else len(studio.files()))
    assert studio.poster.kinds().count(PostKind.PHOTO_REQUEST_ANSWERED) == 1


async def test_two_workers_at_once_do_it_once(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)
    [first] = await studio.claim(LaneName.REQUESTS)
    studio.clock.advance(studio.timings.lease * 2)
    [second] = await studio.claim(LaneName.REQUESTS, owner="another")
    await studio.step(LaneName.REQUESTS, second)
    await studio.step(LaneName.REQUESTS, first)
    assert len((await studio.everything())["photos"]) == len(studio.files()) == 2


@pytest.mark.sqlite
async def test_pictures_that_a_backup_was_about_to_order_are_not_paid_again(studio: Studio, files: Attachments) -> None:
    """Mutant: the restored bot orders them anew, as another order."""
    await studio.set_key()
    asked = await ask_for_pictures(studio, files)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=GUILD)
    file = await backed_up(studio, "granted")
    await studio.pass_time(timedelta(minutes=2))
    assert studio.charges("images") == 1
    async with life_from(studio, file) as again:
        await again.pass_time(timedelta(minutes=2))
        assert (await again.requests.view(asked.request.id)).request.outcome == PUT_BACK  # type: ignore[union-attr]
        again.clock.advance(DAY)
        next_day = await ask_for_pictures(again, files)
        await again.requests.answer(next_day.request.id, is_yes=True, user_id=BEN, guild_id=GUILD)
        await again.pass_time(timedelta(minutes=2))
    assert studio.charges("images") == 2
    assert set(Counter(message.nonce for message in studio.poster.messages).values()) == {1}


async def test_a_no_uses_nothing_and_the_asker_is_told(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    await answer(studio, asked, is_yes=False)
    assert files.asked_for == []
    assert await status(studio) == [RequestStatus.REFUSED]
    assert studio.poster.kinds() == [PostKind.PHOTO_REQUEST, PostKind.PHOTO_REQUEST_ANSWERED]
    with pytest.raises(UserError, match="said no already"):
        await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)


async def test_no_answer_in_24_hours_is_a_no(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    await studio.pass_time(DAY - timedelta(minutes=1))
    assert await status(studio) == [RequestStatus.ASKED]
    await studio.pass_time(timedelta(minutes=2))
    assert await status(studio) == [RequestStatus.EXPIRED]
    assert studio.poster.kinds()[-1] == PostKind.PHOTO_REQUEST_ANSWERED
    with pytest.raises(UserError, match="time to answer is over"):
        await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)
    await studio.settle()
    assert files.asked_for == []


async def test_a_late_yes_is_no_yes_even_before_the_row_has_ended(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    studio.clock.advance(DAY + timedelta(seconds=1))
    with pytest.raises(UserError, match="time to answer is over"):
        await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)


async def test_nobody_else_can_answer(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    for user_id, guild_id in ((ANNA, GUILD), (ADMIN, None), (BEN, OTHER_GUILD)):
        with pytest.raises(NotFound, match="somebody else"):
            await studio.requests.answer(asked.request.id, is_yes=True, user_id=user_id, guild_id=guild_id)
    assert await status(studio) == [RequestStatus.ASKED]


async def test_a_yes_that_comes_too_late_for_the_dataset_tells_why(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    dataset_id = asked.request.dataset_id or 0
    await studio.datasets.discard(dataset_id, guild_id=GUILD, user_id=ANNA)
    await answer(studio, asked, is_yes=True)
    assert await status(studio) == [RequestStatus.FAILED]
    view = await studio.requests.view(asked.request.id)
    assert view is not None
    assert "started or discarded" in (view.request.outcome or "")
    assert studio.files() == []
    [kept] = (await studio.everything())["datasets"]
    assert kept["status"] is DatasetStatus.DISCARDED


@pytest.mark.parametrize("is_dataset", [True, False])
async def test_photos_that_their_author_deleted_meanwhile_are_not_used(
    studio: Studio, files: Attachments, is_dataset: bool
) -> None:
    """Mutant: a consent is kept of an author of whom no photo is."""
    await studio.set_key()
    asked = await (ask if is_dataset else ask_for_pictures)(studio, files)
    files.statuses |= dict.fromkeys(files.statuses, 404)
    await answer(studio, asked, is_yes=True)
    left = await studio.everything()
    assert [row["user_id"] for row in left["consents"]] == ([ANNA] if is_dataset else [])
    assert left["generations"] == []
    assert studio.files() == []
    view = await studio.requests.view(asked.request.id)
    assert view is not None
    assert (view.request.outcome or "").startswith("0 of 2" if is_dataset else "**photo-1.jpg** cannot be used")


async def test_pictures_that_cannot_be_ordered_after_the_yes_tell_why(studio: Studio, files: Attachments) -> None:
    asked = await ask_for_pictures(studio, files)
    await answer(studio, asked, is_yes=True)
    assert await status(studio) == [RequestStatus.FAILED]
    assert studio.files() == []


@pytest.mark.parametrize("is_dataset", [True, False])
@pytest.mark.parametrize("why", ["blocked", "left"])
async def test_nothing_is_used_for_an_asker_who_may_use_nothing_here_any_more(
    studio: Studio, files: Attachments, why: str, is_dataset: bool
) -> None:
    """Mutant: without the look at the asker the photos are downloaded into a blocked member's dataset."""
    await studio.set_key()
    asked = await (ask if is_dataset else ask_for_pictures)(studio, files)
    if why == "blocked":
        await studio.moderation.block(Actor(GUILD, ADMIN, is_moderator=True), ANNA)
    else:
        studio.members.gone.add((GUILD, ANNA))
    await answer(studio, asked, is_yes=True)
    view = await studio.requests.view(asked.request.id)
    assert view is not None
    assert view.request.status is RequestStatus.FAILED
    assert "so nothing was used" in (view.request.outcome or "")
    left = await studio.everything()
    assert left["photos"] == left["consents"] == left["generations"] == []
    assert files.asked_for == studio.files() == []


async def test_a_second_press_changes_nothing_in_either_direction(studio: Studio, files: Attachments) -> None:
    asked = await ask(studio, files)
    pressed = [
        studio.requests.answer(asked.request.id, is_yes=is_yes, user_id=BEN, guild_id=None)
        for is_yes in (True, False, True)
    ]
    first, *others = await asyncio.gather(*pressed, return_exceptions=True)
    assert first is None
    assert [type(each) for each in others] == [UserError, UserError]
    await studio.settle()
    assert await status(studio) == [RequestStatus.DONE]
    assert len((await studio.everything())["photos"]) == 2


async def test_a_dataset_that_was_started_meanwhile_takes_nothing(studio: Studio, files: Attachments) -> None:
    await studio.set_key()
    dataset_id = await studio.dataset()
    asked = await studio.requests.for_dataset(dataset_id, files.add_photos(2), BEN, ANNA_HERE, HERE)
    before = studio.files()
    await studio.start(dataset_id)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=GUILD)
    await studio.settle(LaneName.REQUESTS)
    assert await status(studio) == [RequestStatus.FAILED]
    assert (set(studio.files()), files.asked_for) == (set(before), [])


async def test_one_question_for_each_pair_and_day(studio: Studio, files: Attachments) -> None:
    first = await ask(studio, files)
    with pytest.raises(UserError, match="less than a day ago"):
        await ask_for_pictures(studio, files)
    await ask_for_pictures(studio, files, author_id=ADMIN)
    await answer(studio, first, is_yes=True)
    second = await ask_for_pictures(studio, files)
    assert studio.poster.kinds().count(PostKind.PHOTO_REQUEST) == 3
    await answer(studio, second, is_yes=False)
    with pytest.raises(UserError, match="less than a day ago"):
        await ask(studio, files)


async def test_without_an_answer_the_next_question_waits_for_the_next_day(studio: Studio, files: Attachments) -> None:
    await ask(studio, files)
    await studio.pass_time(DAY - timedelta(minutes=1))
    with pytest.raises(UserError, match="less than a day ago"):
        await ask(studio, files)
    await studio.pass_time(timedelta(minutes=1))
    await ask(studio, files)


async def test_who_has_left_cannot_be_asked(studio: Studio, files: Attachments) -> None:
    studio.members.gone.add((GUILD, BEN))
    with pytest.raises(UserError, match="not in this server any more"):
        await ask(studio, files)
    assert (await studio.everything())["photo_requests"] == []


@pytest.mark.parametrize("user_id", [ANNA, BEN])
async def test_erasing_either_of_them_ends_it(studio: Studio, files: Attachments, user_id: int) -> None:
    asked = await ask(studio, files)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=user_id)
    await studio.settle()
    left = await studio.everything()
    assert left["photo_requests"] == left["questions"] == left["posts"] == left["photos"] == []
    assert studio.files() == []


@pytest.mark.parametrize("is_trained", [False, True])
async def test_an_author_who_is_erased_takes_their_photos_back(
    studio: Studio, files: Attachments, is_trained: bool
) -> None:
    """Mutant: without it, the photos of an erased member are sent to the provider the next day."""
    await studio.set_key()
    dataset_id = await studio.dataset()
    theirs = [files.add(f"ben-{number}.jpg", make_photo(number)) for number in (1, 2)]
    asked = await studio.requests.for_dataset(dataset_id, theirs, BEN, ANNA_HERE, HERE)
    await answer(studio, asked, is_yes=True)
    if is_trained:
        await studio.start(dataset_id)
        await studio.settle()
        await studio.pass_time(TRAINS_IN)
        await studio.pass_time(TRAINS_IN)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    await studio.settle()
    left = await studio.everything()
    assert [photo["name"] for photo in left["photos"] if photo["name"].startswith("ben")] == []
    assert [lora["retiring_since"] is not None for lora in left["loras"]] == [True] * is_trained
    assert len(studio.files()) == (0 if is_trained else 15)
    [proof] = [row for row in left["consents"] if row["kind"] is ConsentKind.AUTHOR]
    assert proof["withdrawn_at"] == studio.clock.now()


async def test_erasing_oneself_is_no_way_to_ask_again_at_once(studio: Studio, files: Attachments) -> None:
    """Mutant: without the pseudonym the second question goes out, and so would a third."""
    await ask(studio, files)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert not stands_in(ANNA, (await studio.everything())["questions"])
    with pytest.raises(UserError, match="less than a day ago"):
        await ask(studio, files)
    studio.clock.advance(DAY)
    await ask(studio, files)
    await studio.settle()
    assert studio.poster.kinds().count(PostKind.PHOTO_REQUEST) == 2


async def test_a_question_that_nobody_saw_goes_with_its_asker(studio: Studio, files: Attachments) -> None:
    dataset_id = await studio.dataset(count=0)
    await studio.requests.for_dataset(dataset_id, files.add_photos(1), BEN, ANNA_HERE, HERE)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert (await studio.everything())["questions"] == []
    await ask(studio, files)


async def test_an_answered_request_is_forgotten_after_its_time(studio: Studio, files: Attachments) -> None:
    for is_yes in (True, False):  # after a no the pair could ask nothing more this day
        await answer(studio, await ask(studio, files), is_yes=is_yes)
    await studio.pass_time(studio.timings.details_kept)
    assert await studio.scalars(sa.select(photo_requests.c.id)) == []
    assert await studio.scalars(sa.select(questions.c.id)) == []
    assert await studio.scalars(sa.select(tables.posts.c.id)) == []


@pytest.mark.parametrize("asking", [ask, ask_for_pictures])
async def test_what_a_blocked_member_asked_for_ends_at_once(
    studio: Studio, files: Attachments, asking: Callable[[Studio, Attachments], Awaitable[RequestView]]
) -> None:
    """Mutant: it stays open for the rest of the day, and a yes downloads the photos. They are told nothing untrue."""
    await studio.set_key()
    asked = await asking(studio, files)
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    assert await status(studio) == [RequestStatus.EXPIRED]
    assert await studio.scalars(sa.select(questions.c.id).where(questions.c.is_open.is_(True))) == []
    with pytest.raises(UserError, match="time to answer is over"):
        await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)
    assert files.asked_for == []
    assert await studio.posts_of(PostKind.PHOTO_REQUEST_ANSWERED) == []


async def test_a_yes_just_before_the_block_uses_nothing(studio: Studio, files: Attachments) -> None:
    """Mutant: only open questions are ended, so that what was granted is downloaded."""
    await studio.set_key()
    asked = await ask_for_pictures(studio, files)
    await studio.requests.answer(asked.request.id, is_yes=True, user_id=BEN, guild_id=None)
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    assert await status(studio) == [RequestStatus.FAILED]
    assert files.asked_for == []
    assert studio.server.ledger == []
