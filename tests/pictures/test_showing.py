"""Pictures that came privately first, shown in their channel: once, and as often as it takes until it takes them."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import NotFound, UserError
from bot.pictures.showing import SHOWN_ALREADY
from bot.reach import CLOSED_FOR
from bot.records.generation import Generation
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind, PostStatus
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import ready_pictures

HERE = Place(PlaceKind.CHANNEL, CHANNEL)
MAKER = Actor(GUILD, ANNA)


@pytest.fixture
async def refused(studio: Studio) -> Generation:
    """Anna's pictures, which the channel would not take when she showed them, and takes now."""
    await studio.set_key()
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    generation = await ready_pictures(studio, await studio.lora())
    studio.poster.closed.add(HERE)
    await show(studio, generation)
    assert await shown(studio) == [PostStatus.KEPT]
    open_channel(studio)
    return generation


async def show(studio: Studio, generation: Generation) -> None:
    assert await studio.showing.show_here(generation.id, MAKER) == HERE
    await studio.settle()


def open_channel(studio: Studio) -> None:
    """What it refused a moment ago is forgotten as well."""
    studio.poster.closed.clear()
    studio.clock.advance(CLOSED_FOR)


async def shown(studio: Studio) -> list[PostStatus]:
    return [post.status for post in await studio.posts_of(PostKind.PICTURES_SHOWN)]


def in_channel(studio: Studio) -> list[str]:
    return [message.kind for message in studio.poster.messages if message.place == HERE]


async def test_what_the_channel_refused_is_shown_there_by_another_press_and_then_no_more(
    studio: Studio, refused: Generation
) -> None:
    """Mutants: without a look at its status it is said to be shown for ever; without what is forgotten none is sent."""
    studio.poster.closed.add(HERE)
    await show(studio, refused)
    assert (await shown(studio), in_channel(studio)) == ([PostStatus.KEPT], [])
    open_channel(studio)
    await show(studio, refused)
    assert (await shown(studio), in_channel(studio)) == ([PostStatus.POSTED], [PostKind.PICTURES_SHOWN])
    with pytest.raises(UserError, match=SHOWN_ALREADY):
        await show(studio, refused)


async def test_two_presses_at_once_and_one_while_it_is_on_its_way_show_it_once(
    studio: Studio, refused: Generation
) -> None:
    """Mutant: anything that is not posted yet is tried anew."""
    presses = [studio.showing.show_here(refused.id, MAKER) for _ in range(2)]
    answers = await asyncio.gather(*presses, return_exceptions=True)
    assert sorted(map(str, answers)) == sorted([str(HERE), SHOWN_ALREADY])
    studio.poster.ready = False
    await studio.pass_time(timedelta(seconds=5))
    with pytest.raises(UserError, match=SHOWN_ALREADY):
        await studio.showing.show_here(refused.id, MAKER)
    studio.poster.ready = True
    await studio.pass_time(timedelta(minutes=1))
    assert in_channel(studio) == [PostKind.PICTURES_SHOWN]


async def test_what_was_deleted_meanwhile_is_not_shown(studio: Studio, refused: Generation) -> None:
    await studio.pictures.delete(refused.id, MAKER)
    with pytest.raises(NotFound):
        await show(studio, refused)
    assert in_channel(studio) == []
