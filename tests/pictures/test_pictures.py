"""Made pictures after they were posted: who may do what, deleted for good, in the gallery once, kept and edited."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import NoKey, NotAllowed, NotFound, UserError
from bot.generation.access import GONE
from bot.pictures.service import COPY_GONE, NO_GALLERY, UNFINISHED, PictureService, Removal
from bot.records.generation import Generation, Operation
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import LaneName, SubjectTable
from bot.records.lora import Lora
from bot.records.post import Post, PostKind, PostStatus
from bot.storage import tables
from bot.storage.jobs import timeline
from tests.fakes.poster import FakePoster, Trouble
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_generation
from tests.fakes.studio import OTHER_KEY, PROVIDER, Studio
from tests.generation.picture_orders import ready_pictures

HERE = Place(PlaceKind.CHANNEL, CHANNEL)
GALLERY = Place(PlaceKind.CHANNEL, 350)
REQUESTER, MEMBER = Actor(GUILD, ANNA), Actor(GUILD, BEN)
MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)
STRANGER = Actor(OTHER_GUILD, ANNA, is_admin=True, is_moderator=True)
UNKNOWN = 987_654
DAY = timedelta(days=1)

Ask = Callable[[PictureService, int, Actor], Awaitable[Any]]
ASKS: dict[str, Ask] = {
    "see": PictureService.see,
    "vary": PictureService.to_vary,
    "work on": PictureService.to_edit,
    "to gallery": PictureService.to_gallery,
    "to delete": PictureService.to_delete,
    "delete": PictureService.delete,
}
asks = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    await studio.guilds.choose_gallery(GUILD, GALLERY.id)
    return await studio.lora()


@pytest.fixture
async def posted(studio: Studio, lora: Lora) -> Generation:
    """Anna's two pictures, posted in the channel."""
    return await ready_pictures(studio, lora, count=2)


async def picture_ids(studio: Studio, generation: Generation) -> list[int]:
    columns = tables.pictures.c
    return await studio.scalars(
        sa.select(columns.id).where(columns.generation_id == generation.id).order_by(columns.position)
    )


async def saves(studio: Studio, generation: Generation) -> list[int]:
    columns = tables.pictures.c
    return await studio.scalars(
        sa.select(columns.saves).where(columns.generation_id == generation.id).order_by(columns.position)
    )


async def only_post(studio: Studio, kind: PostKind = PostKind.PICTURES) -> Post:
    [post] = await studio.posts_of(kind)
    return post


async def details(studio: Studio, generation: Generation, what: str) -> list[str]:
    async with studio.database.read() as connection:
        entries = await timeline.of(connection, SubjectTable.GENERATION, generation.id)
    return [entry.detail for entry in entries if entry.what == what]


async def refusal(studio: Studio, ask: Ask, generation_id: int, actor: Actor) -> str:
    with pytest.raises(UserError) as caught:
        await ask(studio.pictures, generation_id, actor)
    return f"{type(caught.value).__name__}: {caught.value}"


@asks
async def test_another_guilds_pictures_look_like_pictures_that_do_not_exist(
    studio: Studio, posted: Generation, ask: Ask
) -> None:
    """Mutant: without the guild in the question, a moderator elsewhere deletes them."""
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    await studio.guilds.choose_gallery(OTHER_GUILD, GALLERY.id)
    nothing = await refusal(studio, ask, UNKNOWN, STRANGER)
    assert await refusal(studio, ask, posted.id, STRANGER) == nothing == f"NotFound: {GONE}"
    assert (await studio.generation(posted.id)).deleted_at is None


@asks
async def test_pictures_that_nobody_has_seen_yet_are_not_there_for_other_members(
    studio: Studio, lora: Lora, ask: Ask
) -> None:
    studio.poster.ready = False
    made = await ready_pictures(studio, lora)
    assert await refusal(studio, ask, made.id, MEMBER) == await refusal(studio, ask, UNKNOWN, MEMBER)


async def test_pictures_that_went_to_a_private_message_are_only_for_their_member(studio: Studio, lora: Lora) -> None:
    studio.poster.closed.add(HERE)
    made = await ready_pictures(studio, lora)
    assert studio.poster.messages[0].place == Place(PlaceKind.USER, ANNA)
    assert (await studio.pictures.see(made.id, REQUESTER)).generation.id == made.id
    with pytest.raises(NotFound):
        await studio.pictures.see(made.id, MEMBER)


async def test_pictures_that_were_handed_over_privately_are_only_for_their_member(studio: Studio, lora: Lora) -> None:
    studio.poster.closed |= {HERE, Place(PlaceKind.USER, ANNA)}
    made = await ready_pictures(studio, lora)
    [kept] = await studio.outbox.kept_for(guild_id=GUILD, user_id=ANNA)
    await studio.outbox.hand_over(kept.id)
    assert (await studio.pictures.see(made.id, REQUESTER)).generation.id == made.id
    with pytest.raises(NotFound):
        await studio.pictures.see(made.id, MEMBER)


async def test_what_hangs_in_the_gallery_is_seen_by_everybody_there(studio: Studio, lora: Lora) -> None:
    studio.poster.closed.add(HERE)
    made = await ready_pictures(studio, lora)
    await studio.pictures.send_to_gallery(await picture_ids(studio, made), made.id, REQUESTER)
    await studio.settle()
    assert (await studio.pictures.see(made.id, MEMBER)).generation.id == made.id


@pytest.mark.parametrize("ask", ["to gallery", "to delete", "delete"])
async def test_who_only_sees_pictures_can_neither_hang_nor_delete_them(
    studio: Studio, posted: Generation, ask: str
) -> None:
    with pytest.raises(NotAllowed, match="Only whoever ordered these pictures, or a moderator, can"):
        await ASKS[ask](studio.pictures, posted.id, MEMBER)
    assert (await studio.generation(posted.id)).deleted_at is None


@asks
async def test_a_deleted_set_can_be_used_by_nobody_any_more(studio: Studio, posted: Generation, ask: Ask) -> None:
    await studio.pictures.delete(posted.id, REQUESTER)
    assert await refusal(studio, ask, posted.id, MEMBER) == f"NotFound: {GONE}"
    if ask not in {ASKS["delete"], ASKS["to delete"]}:
        assert await refusal(studio, ask, posted.id, REQUESTER) == f"NotFound: {GONE}"


@asks
async def test_what_was_forgotten_after_30_days_is_not_there(studio: Studio, posted: Generation, ask: Ask) -> None:
    await studio.pictures.send_to_gallery(await picture_ids(studio, posted), posted.id, REQUESTER)
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    for _ in range(3):
        await studio.pass_time(15 * DAY)
    for actor in (REQUESTER, MEMBER, MODERATOR):
        assert await refusal(studio, ask, posted.id, actor) == f"NotFound: {GONE}"
    assert await studio.scalars(sa.select(tables.posts.c.id)) == []


DELETERS = {"its member": REQUESTER, f"moderator {ADMIN}": MODERATOR}


@pytest.mark.parametrize("who", DELETERS)
async def test_deleting_removes_message_gallery_copies_and_files_and_notes_who_did_it(
    studio: Studio, posted: Generation, who: str
) -> None:
    await studio.pictures.send_to_gallery(await picture_ids(studio, posted), posted.id, REQUESTER)
    await studio.settle()
    assert len(studio.poster.messages) == 3
    assert await studio.pictures.delete(posted.id, DELETERS[who]) == [Removal.REMOVED] * 3
    await studio.pass_time(DAY)
    assert studio.poster.messages == []
    assert len(studio.poster.removed) == 3
    assert studio.files() == []
    assert (await studio.generation(posted.id)).deleted_at is not None
    assert await details(studio, posted, "deleted") == [f"by {who}"]


async def test_deleting_twice_is_deleting_once(studio: Studio, posted: Generation) -> None:
    await studio.pictures.delete(posted.id, REQUESTER)
    assert await studio.pictures.delete(posted.id, MODERATOR) == []
    assert await details(studio, posted, "deleted") == ["by its member"]


async def test_a_post_that_was_waiting_for_a_deleted_set_never_appears(studio: Studio, lora: Lora) -> None:
    """Mutant: without withdrawing, the outbox posts pictures that were deleted a moment ago."""
    studio.poster.ready = False
    made = await ready_pictures(studio, lora)
    assert await studio.pictures.delete(made.id, REQUESTER) == []
    studio.poster.ready = True
    await studio.pass_time(timedelta(minutes=10))
    assert studio.poster.attempts == []
    assert (await only_post(studio)).status is PostStatus.WITHDRAWN


async def test_a_worker_that_holds_the_post_does_not_send_it_after_the_deletion(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    for _ in range(4):
        studio.clock.advance(timedelta(seconds=5))
        await studio.work(LaneName.GENERATIONS)
    [claim] = await studio.claim(LaneName.POSTS)
    await studio.pictures.delete(ordered.id, REQUESTER)
    await studio.step(LaneName.POSTS, claim)
    await studio.pass_time(timedelta(minutes=10))
    assert studio.poster.messages == []


async def test_a_message_that_appears_during_the_deletion_is_removed(
    studio: Studio, lora: Lora, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: without the second look, a post that was already on its way stays for ever."""
    send = FakePoster.send

    async def send_while_deleting(poster: FakePoster, post: Post, place: Place, prepared: object = None) -> int:
        message_id = await send(poster, post, place)
        assert await studio.pictures.delete(post.subject_id, REQUESTER) == []
        return message_id

    monkeypatch.setattr(FakePoster, "send", send_while_deleting)
    await ready_pictures(studio, lora)
    await studio.pass_time(studio.timings.milestone)
    assert len(studio.poster.removed) == 1
    assert studio.poster.messages == []


@pytest.mark.parametrize("later", [timedelta(seconds=10), timedelta(minutes=5)])
async def test_a_message_of_a_crashed_try_is_looked_for_and_removed(
    studio: Studio, lora: Lora, later: timedelta
) -> None:
    """Discord took the post, its answer was lost, and then the set was deleted."""
    ordered = await studio.order(lora)
    for _ in range(4):
        studio.clock.advance(timedelta(seconds=5))
        await studio.work(LaneName.GENERATIONS)
    studio.poster.trouble.append(Trouble.AFTER)
    await studio.work(LaneName.POSTS)
    assert len(studio.poster.messages) == 1
    assert await studio.pictures.delete(ordered.id, REQUESTER) == []
    await studio.pass_time(later)
    await studio.pass_time(studio.timings.milestone)
    assert studio.poster.messages == []
    assert (await only_post(studio)).status is PostStatus.WITHDRAWN


async def test_a_message_that_is_gone_already_is_told(studio: Studio, posted: Generation) -> None:
    studio.poster.messages.clear()
    assert await studio.pictures.delete(posted.id, REQUESTER) == [Removal.GONE]
    assert (await only_post(studio)).status is PostStatus.WITHDRAWN


async def test_a_message_that_may_not_be_deleted_is_told_and_can_be_tried_again(
    studio: Studio, posted: Generation
) -> None:
    studio.poster.closed.add(HERE)
    assert await studio.pictures.delete(posted.id, REQUESTER) == [Removal.REFUSED]
    await studio.pass_time(timedelta(minutes=10))
    assert len(studio.poster.messages) == 1
    studio.poster.closed.clear()
    assert await studio.pictures.delete(posted.id, REQUESTER) == [Removal.REMOVED]


async def test_a_message_that_cannot_be_deleted_now_is_deleted_later(studio: Studio, posted: Generation) -> None:
    studio.poster.trouble.append(Trouble.BEFORE)
    assert await studio.pictures.delete(posted.id, REQUESTER) == [Removal.LATER]
    assert len(studio.poster.messages) == 1
    await studio.pass_time(studio.timings.milestone)
    assert studio.poster.messages == []


async def test_without_a_connection_the_message_is_deleted_once_there_is_one(
    studio: Studio, posted: Generation
) -> None:
    studio.poster.ready = False
    assert await studio.pictures.delete(posted.id, REQUESTER) == [Removal.LATER]
    await studio.pass_time(timedelta(minutes=1))
    studio.poster.ready = True
    await studio.pass_time(timedelta(minutes=1))
    assert studio.poster.messages == []


async def test_a_deletion_that_a_crash_interrupted_is_finished_by_the_outbox(
    studio: Studio, posted: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: when only the press removes messages, a crash leaves them for ever."""

    async def crash(poster: FakePoster, post: Post, place: Place) -> bool:
        raise ConnectionAbortedError

    with monkeypatch.context() as crashing:
        crashing.setattr(FakePoster, "remove", crash)
        with pytest.raises(ConnectionAbortedError):
            await studio.pictures.delete(posted.id, REQUESTER)
    await studio.pass_time(studio.timings.lease)
    assert studio.poster.messages == []
    assert (await only_post(studio)).status is PostStatus.WITHDRAWN


async def test_the_outbox_gives_up_on_a_message_it_may_not_delete(studio: Studio, posted: Generation) -> None:
    studio.poster.trouble.append(Trouble.BEFORE)
    await studio.pictures.delete(posted.id, REQUESTER)
    studio.poster.closed.add(HERE)
    await studio.pass_time(timedelta(minutes=10))
    post = await only_post(studio)
    assert (post.status, post.due_at) == (PostStatus.POSTED, None)


async def test_a_result_kept_for_its_member_can_be_deleted_and_is_kept_no_longer(studio: Studio, lora: Lora) -> None:
    studio.poster.closed |= {HERE, Place(PlaceKind.USER, ANNA)}
    made = await ready_pictures(studio, lora)
    assert await studio.outbox.kept_for(guild_id=GUILD, user_id=ANNA)
    await studio.pictures.delete(made.id, REQUESTER)
    assert await studio.outbox.kept_for(guild_id=GUILD, user_id=ANNA) == []


async def test_pictures_that_are_still_being_made_cannot_be_deleted(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    with pytest.raises(UserError, match=UNFINISHED):
        await studio.pictures.delete(ordered.id, REQUESTER)


@pytest.mark.parametrize("actor", [REQUESTER, MODERATOR])
async def test_chosen_pictures_are_hung_in_the_gallery_once(studio: Studio, posted: Generation, actor: Actor) -> None:
    first, second = await picture_ids(studio, posted)
    assert await studio.pictures.send_to_gallery([second], posted.id, actor) == (GALLERY, False)
    await studio.settle()
    with pytest.raises(UserError, match="This is in the gallery already"):
        await studio.pictures.send_to_gallery([second], posted.id, actor)
    await studio.pictures.send_to_gallery([first, second], posted.id, actor)
    with pytest.raises(UserError, match="These are in the gallery already"):
        await studio.pictures.send_to_gallery([first, second], posted.id, actor)
    await studio.settle()
    shown = [message for message in studio.poster.messages if message.place == GALLERY]
    assert [message.kind for message in shown] == [PostKind.GALLERY] * 2
    assert await details(studio, posted, "to gallery") == ["picture 2", "picture 1"]
    assert await saves(studio, posted) == [1, 1]


async def test_pictures_of_another_set_are_not_hung_with_this_one(studio: Studio, lora: Lora) -> None:
    mine, theirs = await ready_pictures(studio, lora), await ready_pictures(studio, lora)
    with pytest.raises(UserError):
        await studio.pictures.send_to_gallery(await picture_ids(studio, theirs), mine.id, REQUESTER)
    assert await studio.posts_of(PostKind.GALLERY) == []


async def test_without_a_gallery_the_member_is_told_how_to_get_one(studio: Studio, posted: Generation) -> None:
    await studio.guilds.choose_gallery(GUILD, None)
    with pytest.raises(UserError, match=NO_GALLERY):
        await studio.pictures.to_gallery(posted.id, REQUESTER)


async def test_a_gallery_that_refused_a_picture_can_be_tried_again(studio: Studio, posted: Generation) -> None:
    [first, _] = await picture_ids(studio, posted)
    studio.poster.closed.add(GALLERY)
    await studio.pictures.send_to_gallery([first], posted.id, REQUESTER)
    await studio.settle()
    assert (await only_post(studio, PostKind.GALLERY)).status is PostStatus.KEPT
    assert await studio.outbox.kept_for(guild_id=GUILD, user_id=ANNA) == []
    studio.poster.closed.clear()
    await studio.pass_time(2 * DAY)
    await studio.pictures.send_to_gallery([first], posted.id, REQUESTER)
    await studio.settle()
    assert (await only_post(studio, PostKind.GALLERY)).status is PostStatus.POSTED


async def test_after_a_week_our_copies_are_gone_and_so_is_what_needs_them(studio: Studio, posted: Generation) -> None:
    await studio.pass_time(8 * DAY)
    for ask in (studio.pictures.to_gallery, studio.pictures.to_edit):
        with pytest.raises(UserError, match=COPY_GONE):
            await ask(posted.id, REQUESTER)
    assert (await studio.pictures.see(posted.id, MEMBER)).view.files == (None, None)


async def test_a_second_set_knows_what_it_was_made_from(studio: Studio, posted: Generation) -> None:
    again = await studio.generations.again(posted.id, REQUESTER, channel=Channel(CHANNEL))
    found = await studio.pictures.see(again.generation.id, REQUESTER)
    assert [one.id for one in found.lineage] == [posted.id]
    assert found.made_from == f"#{posted.id}"
    assert (await studio.pictures.see(posted.id, REQUESTER)).made_from == ""


async def test_work_on_one_picture_is_ordered_counted_and_named(studio: Studio, posted: Generation) -> None:
    _, second = await picture_ids(studio, posted)
    accepted = await studio.pictures.edit(second, Operation.UPSCALE_CLARITY, MEMBER, channel=Channel(CHANNEL))
    assert await saves(studio, posted) == [0, 1]
    found = await studio.pictures.see(accepted.generation.id, MEMBER)
    assert found.made_from == f"picture 2 of #{posted.id}"
    assert found.generation.prompt == posted.prompt


async def test_a_lineage_never_crosses_guilds_and_ends_where_nothing_is_known(studio: Studio) -> None:
    elsewhere = await add_generation(studio.database, 1, guild_id=OTHER_GUILD)
    crossing = await add_generation(studio.database, 2, origin_id=elsewhere)
    loose = await add_generation(studio.database, 3, origin_id=UNKNOWN)
    for generation_id in (crossing, loose):
        found = await studio.pictures.find(generation_id)
        assert found is not None
        assert found.lineage == ()


async def test_prices_are_told_before_anything_is_paid(studio: Studio, posted: Generation) -> None:
    before = len(studio.server.ledger)
    prices = await studio.pictures.prices(MEMBER)
    assert prices[Operation.UPSCALE_CLARITY] == 3
    assert len(studio.server.ledger) == before
    await studio.keys.remove(GUILD, PROVIDER)
    with pytest.raises(NoKey):
        await studio.pictures.prices(MEMBER)


async def test_the_providers_links_are_trusted_for_less_than_a_day(studio: Studio, posted: Generation) -> None:
    found = await studio.pictures.see(posted.id, REQUESTER)
    assert studio.pictures.has_live_links(found)
    await studio.pass_time(DAY)
    assert not studio.pictures.has_live_links(found)


async def test_saving_counts_for_every_picture_that_was_given(studio: Studio, posted: Generation) -> None:
    found = await studio.pictures.see(posted.id, MEMBER)
    await studio.pictures.note_saves(found.view.pictures[:1])
    await studio.pictures.note_saves(found.view.pictures)
    assert await saves(studio, posted) == [2, 1]


async def test_in_a_private_message_only_the_member_is_served(studio: Studio, posted: Generation) -> None:
    assert await studio.pictures.owner_of(posted.id, ANNA) == Actor(GUILD, ANNA)
    for generation_id, user_id in ((posted.id, BEN), (UNKNOWN, ANNA)):
        with pytest.raises(NotFound, match=GONE):
            await studio.pictures.owner_of(generation_id, user_id)


async def test_erasing_a_member_takes_the_posts_about_their_pictures_along(studio: Studio, posted: Generation) -> None:
    await studio.pictures.send_to_gallery(await picture_ids(studio, posted), posted.id, REQUESTER)
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await studio.scalars(sa.select(tables.posts.c.kind)) == []
    assert await studio.scalars(sa.select(tables.picture_reports.c.id)) == []
