"""A yearbook for everybody: sent once, by those who run the event, and gone as soon as somebody in it says so."""

import functools
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.errors import NotAllowed, UserError
from bot.records.event import Event, EventStatus, channels_of
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.moderation import Purpose
from bot.records.post import Post, PostKind, PostStatus
from bot.records.removal import RemovalReason
from bot.storage import tables
from bot.storage.jobs import loras, posts
from tests.events.yearbook.yearbooks import HOST, add_event_lora, add_picture, finished_event, judged
from tests.fakes.events import add_entrants
from tests.fakes.poster import Trouble
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio

THE_HOST, MEMBER = Actor(GUILD, HOST), Actor(GUILD, ANNA)


async def book_of(studio: Studio) -> Event:
    event = await finished_event(studio)
    lora_id = await add_event_lora(studio, owner_id=BEN)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event, lora_id=lora_id)
    return event


async def post_of(studio: Studio, event: Event) -> Post:
    found = await studio.database.fetch(posts.find, PostKind.EVENT_YEARBOOK, event.id)
    assert found is not None
    return found


def sent(studio: Studio) -> int:
    return studio.poster.kinds().count(PostKind.EVENT_YEARBOOK)


async def test_it_is_sent_once_however_often_it_is_pressed(studio: Studio) -> None:
    event = await book_of(studio)
    assert await studio.yearbooks.post(event.id, THE_HOST) == channels_of(event)
    with pytest.raises(UserError, match="posted already"):
        await studio.yearbooks.post(event.id, Actor(GUILD, 5, is_admin=True))
    await studio.settle(LaneName.POSTS)
    with pytest.raises(UserError, match="posted already"):
        await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    assert sent(studio) == 1


async def test_a_lost_answer_leads_to_no_second_one(studio: Studio) -> None:
    event = await book_of(studio)
    studio.poster.trouble.append(Trouble.AFTER)
    await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    await studio.pass_time(timedelta(minutes=10), LaneName.POSTS)
    assert sent(studio) == 1
    assert (await post_of(studio, event)).status is PostStatus.POSTED


@pytest.mark.parametrize(
    ("status", "actor", "error"),
    [
        (EventStatus.FINISHED, MEMBER, NotAllowed),
        (EventStatus.VOTING, THE_HOST, UserError),
        (EventStatus.CANCELLED, THE_HOST, UserError),
    ],
)
async def test_nobody_else_and_not_earlier(
    studio: Studio, status: EventStatus, actor: Actor, error: type[Exception]
) -> None:
    event = await finished_event(studio, status=status)
    with pytest.raises(error):
        await studio.yearbooks.post(event.id, actor)
    assert await studio.database.fetch(posts.find, PostKind.EVENT_YEARBOOK, event.id) is None


async def test_what_no_channel_took_can_be_sent_again(studio: Studio) -> None:
    event = await book_of(studio)
    studio.poster.closed.update(channels_of(event))
    await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    assert (await post_of(studio, event)).status is PostStatus.KEPT
    studio.poster.closed.clear()
    await studio.pass_time(timedelta(minutes=2), LaneName.POSTS)
    await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    assert sent(studio) == 1


async def erased(studio: Studio, event: Event) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)


async def host_erased(studio: Studio, event: Event) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=HOST)


async def left(studio: Studio, event: Event) -> None:
    await studio.depictions.withdraw(event.id, MEMBER)


async def set_deleted(studio: Studio, event: Event) -> None:
    [set_id] = await studio.scalars(sa.select(tables.generations.c.id))
    await studio.pictures.delete(set_id, MEMBER)


async def lora_retired(studio: Studio, event: Event) -> None:
    [lora_id] = await studio.scalars(sa.select(tables.loras.c.id))
    lora = await studio.database.fetch(loras.get, lora_id)
    assert lora is not None
    await studio.database.write(
        lambda connection: loras.retire(connection, lora, RemovalReason.TAKEN_BACK, user_id=BEN, now=studio.clock.now())
    )


async def declined(studio: Studio, event: Event) -> None:
    await judged(studio, (await studio.scalars(sa.select(tables.pictures.c.id)))[0], Purpose.BALLOT, is_approved=False)


CHANGES = [erased, host_erased, left, set_deleted, lora_retired, declined]
Change = Callable[[Studio, Event], Awaitable[None]]


@pytest.mark.parametrize("change", CHANGES)
async def test_its_message_goes_when_somebody_in_it_does_not_agree_any_more(studio: Studio, change: Change) -> None:
    """Mutant: any of the calls of `take_back_yearbooks` taken out."""
    event = await book_of(studio)
    await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    await change(studio, event)
    await studio.settle(LaneName.POSTS)
    assert [message.kind for message in studio.poster.removed].count(PostKind.EVENT_YEARBOOK) == 1
    assert sent(studio) == 0
    assert (await post_of(studio, event)).status is PostStatus.WITHDRAWN


async def test_one_on_its_way_when_somebody_is_erased_is_deleted_when_it_has_arrived(studio: Studio) -> None:
    event = await book_of(studio)
    studio.poster.trouble.append(Trouble.AFTER)
    await studio.yearbooks.post(event.id, THE_HOST)
    await studio.settle(LaneName.POSTS)
    assert (await post_of(studio, event)).status is PostStatus.SENDING
    await erased(studio, event)
    await studio.pass_time(timedelta(minutes=10), LaneName.POSTS)
    assert sent(studio) == 0
    assert (await post_of(studio, event)).status is PostStatus.WITHDRAWN


async def test_one_that_is_not_sent_yet_is_made_of_what_is_left(studio: Studio) -> None:
    event = await book_of(studio)
    await studio.yearbooks.post(event.id, THE_HOST)
    await erased(studio, event)
    await studio.settle(LaneName.POSTS)
    assert sent(studio) == 1


async def test_however_often_it_has_gone_a_new_one_can_be_sent(studio: Studio) -> None:
    """Mutant: under the nonce of the first one Discord posts nothing, and the post has no message."""
    event = await book_of(studio)
    nonces = set()
    for _ in range(3):
        await studio.yearbooks.post(event.id, THE_HOST)
        await studio.settle(LaneName.POSTS)
        post = await post_of(studio, event)
        assert post.message_id
        assert (sent(studio), post.status) == (1, PostStatus.POSTED)
        nonces.add(post.nonce)
        take_back = functools.partial(posts.take_back_yearbooks, event_ids=[event.id], now=studio.clock.now())
        await studio.database.write(take_back)
        await studio.settle(LaneName.POSTS)
        assert sent(studio) == 0
    assert len(nonces) == 3
