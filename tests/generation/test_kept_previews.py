"""A LoRA keeps its best four pictures when their time is over, and lets them go with whoever wants them gone."""

import pytest
import sqlalchemy as sa

from bot.errors import NotFound
from bot.generation.access import GONE
from bot.pictures.service import Removal
from bot.records.event import EventStatus
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.lora import Audience, Lora
from bot.records.moderation import ApprovalStatus, Purpose
from bot.records.post import PostKind, PostStatus
from bot.records.removal import RemovalReason
from bot.storage import policy_tables, tables
from bot.storage.jobs import loras
from bot.storage.jobs.tables import lora_previews
from bot.storage.rows import insert_row
from bot.strays import Strays
from tests.fakes.events import SeesOnly, add_event, change_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import finish

GALLERY = 350
ANNA_HERE, BEN_HERE = Actor(GUILD, ANNA), Actor(GUILD, BEN, sight=SeesOnly(CHANNEL))

MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)


async def made_now(studio: Studio, lora: Lora, count: int = 1) -> int:
    ordered = await studio.order(lora, count=count)
    await studio.settle()
    await finish(studio)
    return ordered.id


async def made_long_ago(studio: Studio, lora: Lora, *counts: int) -> list[str]:
    """Sets of so many pictures, one after the other, whose time is over; the files in their order."""
    files: list[str] = []
    for count in counts:
        generation_id = await made_now(studio, lora, count)
        files += await files_of(studio, generation_id)
        await studio.pass_time(studio.timings.pictures_kept)
    return files


async def files_of(studio: Studio, generation_id: int) -> list[str]:
    its = tables.pictures.c.generation_id == generation_id
    return await studio.scalars(sa.select(tables.pictures.c.file).where(its).order_by(tables.pictures.c.position))


async def to_gallery(studio: Studio, generation_id: int, position: int) -> None:
    its = tables.pictures.c.generation_id == generation_id, tables.pictures.c.position == position
    picture_ids = await studio.scalars(sa.select(tables.pictures.c.id).where(*its))
    await studio.pictures.send_to_gallery(picture_ids, generation_id, ANNA_HERE)
    await studio.settle()


async def shown(studio: Studio, lora: Lora, viewer: Actor) -> list[str]:
    return [path.name for path in (await studio.loras.view(lora.id, viewer)).previews]


async def kept(studio: Studio) -> list[str]:
    return await studio.scalars(sa.select(lora_previews.c.file).order_by(lora_previews.c.id))


async def test_its_best_four_stay_and_the_others_leave_the_disk(studio: Studio, lora: Lora) -> None:
    """Mutant: without the limit everything that was ever made stays."""
    files = await made_long_ago(studio, lora, 2, 2)
    assert await shown(studio, lora, ANNA_HERE) == files[::-1]
    newer = await made_long_ago(studio, lora, 1)
    assert await shown(studio, lora, ANNA_HERE) == [*newer, *files[:0:-1]]
    assert [path.name for path in (await studio.loras.previews([lora], ANNA_HERE)).values()] == newer
    assert studio.files() == sorted([*newer, *files[1:]])


async def test_what_somebody_saved_stays_before_what_is_newer(studio: Studio, lora: Lora) -> None:
    generation_id = await made_now(studio, lora)
    [saved] = await files_of(studio, generation_id)
    found = await studio.pictures.find(generation_id)
    assert found is not None
    await studio.pictures.note_saves(found.view.pictures)
    await studio.pass_time(studio.timings.pictures_kept)
    await made_long_ago(studio, lora, 4)
    assert (await shown(studio, lora, ANNA_HERE))[0] == saved
    assert len(studio.files()) == 4


async def test_they_outlast_the_details_and_the_sweep_of_strays(studio: Studio, lora: Lora) -> None:
    files = await made_long_ago(studio, lora, 1)
    await studio.pass_time(studio.timings.details_kept)
    assert await studio.scalars(sa.select(tables.generations.c.id)) == []
    await Strays(studio.spool, studio.database, studio.clock).sweep()
    assert await shown(studio, lora, ANNA_HERE) == studio.files() == files


async def test_others_are_shown_them_only_where_they_stood(studio: Studio, lora: Lora) -> None:
    await studio.sharing.share(lora.id, Audience.GUILD, None, ANNA_HERE)
    files = await made_long_ago(studio, lora, 1)
    assert await shown(studio, lora, BEN_HERE) == files
    assert await shown(studio, lora, Actor(GUILD, BEN, sight=SeesOnly(CHANNEL + 1))) == []


async def test_what_only_its_member_saw_is_not_kept(studio: Studio, lora: Lora) -> None:
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    await made_long_ago(studio, lora, 1)
    assert await kept(studio) == studio.files() == []


async def test_of_a_private_set_only_what_is_in_the_gallery_is_kept_for_who_sees_that(
    studio: Studio, lora: Lora
) -> None:
    """Mutant: with the place of any of its posts, three pictures that nobody else has seen are shown to everybody."""
    await studio.guilds.choose_gallery(GUILD, GALLERY)
    await studio.sharing.share(lora.id, Audience.GUILD, None, ANNA_HERE)
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    generation_id = await made_now(studio, lora, 4)
    await to_gallery(studio, generation_id, 2)
    file = (await files_of(studio, generation_id))[1]
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == studio.files() == [file]
    assert await shown(studio, lora, Actor(GUILD, BEN, sight=SeesOnly(GALLERY))) == [file]
    assert await shown(studio, lora, BEN_HERE) == []


async def test_of_a_private_set_all_is_kept_once_it_is_shown_in_its_channel(studio: Studio, lora: Lora) -> None:
    await studio.guilds.choose_gallery(GUILD, GALLERY)
    await studio.sharing.share(lora.id, Audience.GUILD, None, ANNA_HERE)
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    generation_id = await made_now(studio, lora, 2)
    await to_gallery(studio, generation_id, 1)
    await studio.showing.show_here(generation_id, ANNA_HERE)
    await studio.settle()
    files = await files_of(studio, generation_id)
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == files
    assert sorted(await shown(studio, lora, Actor(GUILD, BEN))) == sorted(files)


async def test_what_the_gallery_refuses_and_what_was_deleted_while_it_was_sent_is_not_kept(
    studio: Studio, lora: Lora
) -> None:
    await studio.guilds.choose_gallery(GUILD, GALLERY)
    studio.poster.closed.add(Place(PlaceKind.CHANNEL, GALLERY))
    generation_id = await made_now(studio, lora)
    await to_gallery(studio, generation_id, 1)
    [post] = await studio.posts_of(PostKind.PICTURES)
    await studio.change(tables.posts, post.id, message_id=0)
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == studio.files() == []


@pytest.mark.parametrize("is_too_old", [False, True])
async def test_a_result_that_no_channel_took_is_shown_to_its_maker_alone(
    studio: Studio, lora: Lora, *, is_too_old: bool
) -> None:
    """Handed over it counts as posted: with its status alone it is Ben's, too, or its place is not found."""
    await studio.sharing.share(lora.id, Audience.GUILD, None, ANNA_HERE)
    studio.poster.closed |= {Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA)}
    [file] = await files_of(studio, await made_now(studio, lora))
    [post] = await studio.posts_of(PostKind.PICTURES)
    assert post.status is PostStatus.KEPT
    if is_too_old:
        await studio.change(tables.posts, post.id, place_index=0)
    await studio.outbox.hand_over(post.id)
    assert await shown(studio, lora, ANNA_HERE) == [file]
    assert await shown(studio, lora, BEN_HERE) == []
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == []


async def test_what_was_made_from_an_entry_is_not_kept_before_the_count(studio: Studio, lora: Lora) -> None:
    """Mutant: without the look at its event it tells who made the entry."""
    event = await add_event(studio.database, status=EventStatus.VOTING)
    entry, again = await made_now(studio, lora), await made_now(studio, lora)
    await studio.change(tables.generations, entry, event_id=event.id)
    await studio.change(tables.generations, again, origin_id=entry)
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == []
    assert studio.files() == await files_of(studio, entry)
    await change_event(studio.database, event, status=EventStatus.FINISHED, ended_at=studio.clock.now())
    [file] = await files_of(studio, entry)
    await studio.pass_time(2 * studio.timings.pictures_kept)
    assert await kept(studio) == [file]


@pytest.mark.parametrize(("prompt", "is_fit"), [("a fox", True), ("a nude in oil", False), ("a n.u.d.e fox", False)])
async def test_what_is_explicit_is_not_shown_nor_kept(studio: Studio, lora: Lora, prompt: str, *, is_fit: bool) -> None:
    """Mutant: where it stood may lose its age restriction, and then everybody is shown it in every channel."""
    generation_id = await made_now(studio, lora)
    await studio.change(tables.generations, generation_id, prompt=prompt)
    files = await files_of(studio, generation_id) if is_fit else []
    assert await shown(studio, lora, ANNA_HERE) == files
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == studio.files() == files


@pytest.mark.parametrize("objection", ["report", "declined"])
async def test_what_is_reported_or_declined_is_not_shown_nor_kept(studio: Studio, lora: Lora, objection: str) -> None:
    generation_id = await made_now(studio, lora)
    if objection == "report":
        await studio.reports.report(generation_id, "this is me", BEN_HERE)
    else:
        [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
        about = {"guild_id": GUILD, "generation_id": generation_id, "picture_id": picture_id, "user_id": ANNA}
        asked = {"purpose": Purpose.GALLERY, "status": ApprovalStatus.DECLINED, "asked_at": studio.clock.now()}
        await studio.database.write(lambda each: insert_row(each, policy_tables.approvals, **about, **asked))
    assert await shown(studio, lora, ANNA_HERE) == []
    await studio.pass_time(studio.timings.pictures_kept)
    assert await kept(studio) == studio.files() == []


async def test_they_go_when_somebody_reports_them_and_stay_away_when_that_is_dismissed(
    studio: Studio, lora: Lora
) -> None:
    """Mutant: with the look at the seventh day alone they are shown on, and for good once their details are gone."""
    [file, *_] = await made_long_ago(studio, lora, 1, 2)
    await studio.reports.report(2, "this is me", BEN_HERE)
    assert await shown(studio, lora, ANNA_HERE) == studio.files() == [file]
    [report_id] = await studio.scalars(sa.select(tables.picture_reports.c.id))
    await studio.reports.dismiss(report_id, MODERATOR)
    await studio.pass_time(studio.timings.details_kept)
    assert await shown(studio, lora, ANNA_HERE) == [file]


@pytest.mark.parametrize("is_approved", [False, True])
async def test_they_go_when_a_moderator_declines_one_of_their_set(
    studio: Studio, lora: Lora, *, is_approved: bool
) -> None:
    await studio.guilds.choose_gallery(GUILD, GALLERY)
    await studio.guilds.choose_reports(GUILD, 351)
    await studio.guilds.choose_approval(GUILD, is_needed=True)
    generation_id = await made_now(studio, lora, 2)
    await to_gallery(studio, generation_id, 1)
    await studio.pass_time(studio.timings.pictures_kept)
    files = await shown(studio, lora, ANNA_HERE)
    assert len(files) == 2
    [approval_id] = await studio.scalars(sa.select(policy_tables.approvals.c.id))
    await studio.approvals.decide(approval_id, MODERATOR, is_approved=is_approved)
    assert await shown(studio, lora, ANNA_HERE) == (files if is_approved else [])
    assert studio.files() == (sorted(files) if is_approved else [])


@pytest.mark.parametrize("who", [ANNA_HERE, MODERATOR], ids=["maker", "moderator"])
async def test_they_go_when_their_pictures_are_deleted(studio: Studio, lora: Lora, who: Actor) -> None:
    await made_long_ago(studio, lora, 1)
    await studio.pictures.delete(1, who)
    assert await shown(studio, lora, ANNA_HERE) == studio.files() == []


@pytest.mark.parametrize("who", [ANNA_HERE, MODERATOR], ids=["maker", "moderator"])
async def test_they_can_still_be_deleted_when_their_details_are_erased(studio: Studio, lora: Lora, who: Actor) -> None:
    """Mutant: without a look at what is kept, its buttons say that the pictures are gone while everybody sees them."""
    [file, other] = await made_long_ago(studio, lora, 1, 1)
    await studio.pass_time(studio.timings.details_kept)
    assert await studio.pictures.owner_of(1, ANNA) == Actor(GUILD, ANNA)
    for stranger in (BEN_HERE, Actor(OTHER_GUILD, ANNA, is_moderator=True)):
        with pytest.raises(NotFound, match=GONE):
            await studio.pictures.delete(1, stranger)
    assert studio.files() == sorted([file, other])
    assert await studio.pictures.to_delete(1, who) is None
    assert await studio.pictures.delete(1, who) == [Removal.UNKNOWN]
    assert await shown(studio, lora, ANNA_HERE) == studio.files() == [other]
    assert "pictures #1" in await studio.moderation.log(MODERATOR)
    with pytest.raises(NotFound, match=GONE):
        await studio.pictures.delete(1, who)
    with pytest.raises(NotFound, match=GONE):
        await studio.pictures.owner_of(2, BEN)


async def test_they_go_with_whoever_is_erased(studio: Studio, lora: Lora) -> None:
    """Ben made one with Anna's LoRA."""
    await studio.sharing.share(lora.id, Audience.GUILD, None, ANNA_HERE)
    mine, theirs = await made_long_ago(studio, lora, 1, 1)
    of_ben = sa.update(lora_previews).where(lora_previews.c.file == theirs).values(user_id=BEN)
    await studio.database.write(lambda connection: connection.execute(of_ben))
    assert (await studio.privacy.holdings(guild_id=GUILD, user_id=BEN)).previews == 1
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert await shown(studio, lora, ANNA_HERE) == studio.files() == [mine]
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await kept(studio) == studio.files() == []


@pytest.mark.parametrize("how", ["archived", "retired"])
async def test_they_go_with_the_lora_and_one_that_is_gone_keeps_no_new_ones(
    studio: Studio, lora: Lora, how: str
) -> None:
    await made_long_ago(studio, lora, 1)
    newer = await made_now(studio, lora)
    now = studio.clock.now()
    if how == "archived":
        await studio.loras.archive(lora.id, ANNA_HERE)
    else:
        await studio.database.write(lambda connection: loras.retire(connection, lora, RemovalReason.LIKENESS, now=now))
    assert await kept(studio) == []
    await studio.pass_time(studio.timings.pictures_kept)
    assert await files_of(studio, newer) == [None]
    assert await kept(studio) == []
