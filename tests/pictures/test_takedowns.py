"""Whoever made pictures with a LoRA that is erased or retired is asked whether their messages are to go, too."""

from datetime import timedelta
from typing import Any

import pytest

from bot.errors import NotFound
from bot.generation.order import PictureOrder
from bot.pictures.service import Removal
from bot.records.generation import Generation, GenerationSettings, Operation
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import LaneName
from bot.records.lora import Audience, Lora
from bot.records.post import PostKind
from bot.records.removal import RemovalReason
from bot.storage import tables
from bot.storage.jobs import loras
from tests.events.lives.event_faults import Killed, MortalWrites
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, stands_in
from tests.fakes.studio import Studio
from tests.generation.picture_orders import finish, place
from tests.removals.erasing import erase

pytestmark = pytest.mark.both

OWNER, MAKER = Actor(GUILD, ANNA), Actor(GUILD, BEN)
HERE = Place(PlaceKind.CHANNEL, CHANNEL)


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    """Anna's; everybody may make pictures with it."""
    await studio.set_key()
    lora = await studio.lora()
    await studio.sharing.share(lora.id, Audience.GUILD, None, OWNER)
    return lora


async def order(studio: Studio, lora: Lora, user_id: int = BEN) -> Generation:
    return (await place(studio, PictureOrder("a fox", GenerationSettings(), lora.id), user_id)).generation


async def posted(studio: Studio, lora: Lora, user_id: int = BEN) -> Generation:
    made = await order(studio, lora, user_id)
    await studio.settle()
    await finish(studio)
    return made


def asked(studio: Studio) -> list[int]:
    return [each.place.id for each in studio.poster.messages if each.kind == PostKind.TAKEDOWN]


def shown(studio: Studio) -> int:
    return studio.poster.kinds().count(PostKind.PICTURES)


async def waiting(studio: Studio, user_id: int = BEN) -> list[int]:
    return list(await studio.takedowns.of_member(GUILD, user_id))


async def test_the_maker_is_asked_once_and_one_press_deletes_all_of_it_and_nothing_else(
    studio: Studio, lora: Lora
) -> None:
    other = await studio.lora(user_id=BEN)
    sets = [await posted(studio, lora), await posted(studio, lora)]
    await posted(studio, other)
    assert await waiting(studio) == []
    await erase(studio)
    await studio.settle()
    assert asked(studio) == [BEN]
    assert await waiting(studio) == [each.id for each in reversed(sets)]
    assert await studio.takedowns.delete(MAKER) == [Removal.REMOVED, Removal.REMOVED]
    assert shown(studio) == 1
    assert await waiting(studio) == []
    with pytest.raises(NotFound, match="posted here any more"):
        await studio.takedowns.delete(MAKER)


async def test_whoever_is_erased_is_not_asked_nor_who_used_other_loras(studio: Studio, lora: Lora) -> None:
    await posted(studio, lora, ANNA)
    await posted(studio, await studio.lora(user_id=BEN))
    await erase(studio)
    await studio.settle()
    assert asked(studio) == []
    assert await waiting(studio) == []


async def test_after_a_retirement_the_owner_is_asked_too(studio: Studio, lora: Lora) -> None:
    await posted(studio, lora)
    await posted(studio, lora, ANNA)
    now = studio.clock.now()
    for _ in range(2):
        await studio.database.write(lambda c: loras.retire(c, lora, RemovalReason.TAKEN_BACK, user_id=BEN, now=now))
    await studio.settle()
    assert sorted(asked(studio)) == sorted([ANNA, BEN])
    assert len(await waiting(studio)) == len(await waiting(studio, ANNA)) == 1


async def test_what_was_made_from_such_a_picture_belongs_to_it(studio: Studio, lora: Lora) -> None:
    first = await posted(studio, lora)
    [picture_id] = await studio.scalars(tables.pictures.select().with_only_columns(tables.pictures.c.id))
    await studio.pictures.edit(picture_id, Operation.REMOVE_BACKGROUND, MAKER, channel=Channel(CHANNEL))
    await studio.settle()
    await finish(studio)
    await erase(studio)
    found = await waiting(studio)
    assert len(found) == 2
    assert found[-1] == first.id


async def test_pictures_under_way_are_asked_about_when_they_are_there(studio: Studio, lora: Lora) -> None:
    await order(studio, lora)
    await studio.settle()
    await erase(studio)
    await finish(studio)
    assert asked(studio) == [BEN]
    assert len(await waiting(studio)) == shown(studio) == 1


async def test_who_wants_no_private_questions_gets_none_and_finds_it(studio: Studio, lora: Lora) -> None:
    await posted(studio, lora)
    await studio.questions.mute(GUILD, BEN)
    await erase(studio)
    await studio.settle()
    assert asked(studio) == []
    assert len(await waiting(studio)) == 1


@pytest.mark.parametrize("trouble", ["gone already", "permission lost", "offline"])
async def test_what_cannot_be_deleted_now_is_said_and_stays_to_be_deleted(
    studio: Studio, lora: Lora, trouble: str
) -> None:
    await posted(studio, lora)
    await erase(studio)
    await studio.settle()
    if trouble == "gone already":
        studio.poster.messages.clear()
        assert await studio.takedowns.delete(MAKER) == [Removal.GONE]
        assert await waiting(studio) == []
    elif trouble == "permission lost":
        studio.poster.closed.add(HERE)
        assert await studio.takedowns.delete(MAKER) == [Removal.REFUSED]
        studio.poster.closed.clear()
        assert await studio.takedowns.delete(MAKER) == [Removal.REMOVED]
    else:
        studio.poster.ready = False
        assert await studio.takedowns.delete(MAKER) == [Removal.LATER]
        studio.poster.ready = True
        await studio.pass_time(timedelta(minutes=2))
    assert shown(studio) == 0
    assert await waiting(studio) == []


async def test_a_maker_who_is_erased_before_is_asked_nothing(studio: Studio, lora: Lora) -> None:
    await posted(studio, lora)
    await erase(studio)
    await erase(studio, BEN)
    await studio.settle()
    assert asked(studio) == []


# The pictures of whoever is erased


async def erase_with_messages(studio: Studio) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA, with_messages=True)


async def leftovers(studio: Studio) -> list[dict[str, Any]]:
    return [row for row in (await studio.everything())["posts"] if row["kind"] == PostKind.LEFTOVER]


@pytest.fixture
async def mine(studio: Studio, lora: Lora) -> Generation:
    """Anna's, posted in the channel and in the gallery; Ben has one there, too."""
    await studio.guilds.choose_gallery(GUILD, CHANNEL + 1)
    made = await posted(studio, lora, ANNA)
    ids = await studio.scalars(tables.pictures.select().with_only_columns(tables.pictures.c.id))
    await studio.pictures.send_to_gallery(ids, made.id, OWNER)
    await posted(studio, lora)
    assert (shown(studio), studio.poster.kinds().count(PostKind.GALLERY)) == (2, 1)
    return made


async def test_erasing_with_messages_deletes_them_everywhere_and_leaves_no_row(
    studio: Studio, mine: Generation
) -> None:
    await erase_with_messages(studio)
    waiting_rows = await leftovers(studio)
    assert len(waiting_rows) == 2
    assert not stands_in(ANNA, waiting_rows)
    await studio.settle()
    assert [each.kind for each in studio.poster.removed] == [PostKind.PICTURES, PostKind.GALLERY]
    assert shown(studio) == 1
    assert await leftovers(studio) == []


async def test_erasing_alone_leaves_them(studio: Studio, mine: Generation) -> None:
    await erase(studio)
    await studio.settle()
    assert studio.poster.removed == []
    assert await leftovers(studio) == []


async def test_an_outage_and_a_restart_change_nothing(studio: Studio, mine: Generation) -> None:
    """The rows are all that is needed: what is in memory plays no part."""
    studio.poster.ready = False
    await erase_with_messages(studio)
    await studio.pass_time(timedelta(minutes=10))
    assert len(await leftovers(studio)) == 2
    studio.poster.ready = True
    await studio.pass_time(timedelta(hours=1))
    assert len(studio.poster.removed) == 2
    assert await leftovers(studio) == []


@pytest.mark.parametrize("trouble", ["gone already", "permission lost"])
async def test_what_cannot_be_deleted_is_tried_once(studio: Studio, mine: Generation, trouble: str) -> None:
    if trouble == "gone already":
        studio.poster.messages.clear()
    else:
        studio.poster.closed |= {HERE, Place(PlaceKind.CHANNEL, CHANNEL + 1)}
    await erase_with_messages(studio)
    await studio.settle()
    assert studio.poster.removed == []
    assert await leftovers(studio) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_lane_that_dies_at_every_write_still_deletes_each_message(
    studio: Studio, mine: Generation, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    await erase_with_messages(studio)
    writes = MortalWrites(studio.database, after=after)
    monkeypatch.setattr(studio.database, "write", writes)
    lane, advance = studio.lanes[LaneName.POSTS]
    for claim in await studio.claim(LaneName.POSTS):
        writes.die_at(1)
        with pytest.raises(Killed):
            await advance(claim)
        writes.die_at(None)
    await lane.release_all()
    await studio.pass_time(timedelta(minutes=2))
    assert writes.deaths >= 2
    assert [each.kind for each in studio.poster.removed] == [PostKind.PICTURES, PostKind.GALLERY]
    assert shown(studio) == 1
    assert await leftovers(studio) == []
