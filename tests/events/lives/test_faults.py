"""What an event does while something it needs is away, and once it is back: a provider, a key, money, a thread."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.ports import NotNow
from bot.records.event import AnnouncementKind, Event, EventMode, EventStatus
from bot.records.guild import Place, PlaceKind
from bot.records.key import ProviderName
from bot.records.post import PostKind, PostStatus
from tests.events.lives.event_acts import make_picture, reach
from tests.events.lives.event_books import check_books
from tests.events.lives.event_faults import outage
from tests.events.lives.event_run import HOST, HOUR, EventRun, begin, begin_with_enough
from tests.fakes.poster import Message, Trouble
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.fakes.venue import FakeVenue

S = EventStatus
NIGHT = timedelta(hours=9)
MINUTE = timedelta(minutes=1)
PACK = tuple(f"{{trigger}} in picture {number}" for number in range(1, 7))


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def with_photos(studio: Studio, **changes: Any) -> EventRun:
    life = await begin(studio, **({"pack": ()} | changes))
    await life.give(ANNA, 12)
    await life.give(BEN, 10)
    return life


async def sleep_through(life: EventRun, time: timedelta, step: timedelta = timedelta(minutes=30)) -> None:
    for _ in range(time // step):
        await life.pass_time(step)


async def told_of(life: EventRun, what: AnnouncementKind) -> int:
    return (await life.notes()).count(what)


async def test_a_night_without_the_provider_before_training_is_slept_through(keyed: Studio) -> None:
    life = await with_photos(keyed)
    await reach(life, S.REVIEWING)
    with outage(keyed):
        await life.close()
        await sleep_through(life, NIGHT)
        assert (await life.event()).paused_why == "provider_down"
        assert await life.status() is S.TRAINING
    await reach(life, S.SHOWING)
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    assert [detail["why"] for detail in await life.details(AnnouncementKind.PAUSED)] == ["provider_down"]
    assert keyed.charges("create") == 1
    await check_books(life)


async def test_a_night_without_the_provider_while_it_trains_loses_nothing(keyed: Studio) -> None:
    life = await with_photos(keyed)
    await reach(life, S.TRAINING)
    await life.pass_time(2 * MINUTE)
    with outage(keyed):
        await sleep_through(life, NIGHT)
        assert (await life.event()).paused_why == "provider_down"
    await reach(life, S.SHOWING)
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    assert keyed.charges("create") == 1
    await check_books(life)


async def test_a_night_without_the_provider_while_pictures_are_made_moves_the_deadline(keyed: Studio) -> None:
    life = await with_photos(keyed, pack=PACK)
    await reach(life, S.TRAINING)
    await life.until(S.SHOWING)
    ends_at = (await life.event()).stage_ends_at
    assert ends_at is not None
    with outage(keyed):
        await sleep_through(life, NIGHT)
        event = await life.event()
        assert event.paused_why == "provider_down"
        assert event.paused_at is not None
        assert event.stage_ends_at == ends_at
    await sleep_through(life, HOUR, timedelta(minutes=2))
    event = await life.event()
    assert event.status is S.SHOWING
    assert event.stage_ends_at is not None
    assert NIGHT - HOUR <= event.stage_ends_at - ends_at <= NIGHT + HOUR
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    assert (await life.view()).pictures == len(PACK)
    assert keyed.charges("images") == len(PACK)
    await check_books(life)


async def test_a_key_taken_away_while_pictures_are_made_stops_them_until_there_is_one(keyed: Studio) -> None:
    life = await with_photos(keyed, pack=PACK)
    await reach(life, S.TRAINING)
    await keyed.keys.remove(GUILD, ProviderName.APIFRAME)
    await sleep_through(life, HOUR)
    assert (await life.event()).paused_why == "no_key"
    await keyed.set_key()
    await life.until(S.SHOWING)
    await keyed.keys.remove(GUILD, ProviderName.APIFRAME)
    await sleep_through(life, 5 * HOUR)
    assert await life.status() is S.SHOWING
    await keyed.set_key()
    await sleep_through(life, HOUR, timedelta(minutes=2))
    await reach(life, S.FINISHED)
    assert keyed.charges("create") == 1
    await check_books(life)


async def test_a_provider_without_credits_stops_the_pack_until_there_are_some(keyed: Studio) -> None:
    life = await with_photos(keyed, pack=PACK)
    await reach(life, S.TRAINING)
    keyed.server._world.credits["Studio"] = 257 + 2 + 1
    await life.until(S.SHOWING)
    keyed.server._world.credits["Studio"] = 1
    await sleep_through(life, HOUR)
    assert (await life.event()).paused_why == "out_of_credits"
    keyed.server._world.credits["Studio"] = 1000
    await sleep_through(life, HOUR, timedelta(minutes=2))
    assert (await life.event()).paused_at is None
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    await check_books(life)


@pytest.mark.parametrize("mode", [EventMode.SHARED, EventMode.PERSONAL])
async def test_too_few_credits_for_a_training_hold_the_event_up_until_there_are_some(
    keyed: Studio, mode: EventMode
) -> None:
    life = await begin_with_enough(keyed, mode)
    await reach(life, S.REVIEWING)
    keyed.server._world.credits["Studio"] = 100
    await life.close()
    await sleep_through(life, HOUR)
    event = await life.event()
    assert event.status is S.TRAINING
    assert event.paused_why == "out_of_credits"
    assert (await life.view()).trainings == {}
    assert (await life.view()).spent == 0
    keyed.server._world.credits["Studio"] = 1000
    await reach(life, S.SHOWING)
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    assert keyed.charges("create") == (1 if mode is EventMode.SHARED else 2)
    await check_books(life)


@pytest.mark.parametrize("raised", [False, True])
async def test_a_budget_that_ends_in_mid_pack_is_never_exceeded_and_can_be_raised(keyed: Studio, raised: bool) -> None:
    life = await with_photos(keyed, pack=PACK, budget=257 + 2 * 3 + 1)
    await reach(life, S.TRAINING)
    await life.until(S.SHOWING)
    await life.pass_time(10 * MINUTE)
    assert (await life.view()).spent == 257 + 2 * 3
    assert (await life.event()).paused_at is None
    if raised:
        await keyed.events.change(life.event_id, HOST, budget=400)
        await sleep_through(life, 10 * MINUTE, MINUTE)
        assert (await life.view()).pictures == len(PACK)
    await reach(life, S.FINISHED)
    assert keyed.charges("images") == (len(PACK) if raised else 3)
    await check_books(life)


async def test_a_budget_that_pays_no_training_waits_for_more_of_it(keyed: Studio) -> None:
    life = await with_photos(keyed, budget=300)
    await reach(life, S.REVIEWING)
    await keyed.events.change(life.event_id, HOST, budget=200)
    await life.close()
    await sleep_through(life, HOUR)
    assert (await life.event()).paused_why == "budget_spent"
    assert keyed.charges("create") == 0
    await keyed.events.change(life.event_id, HOST, budget=300)
    await reach(life, S.SHOWING)
    assert (await told_of(life, AnnouncementKind.PAUSED), await told_of(life, AnnouncementKind.RESUMED)) == (1, 1)
    await check_books(life)


def check_places(messages: Sequence[Message]) -> None:
    """All in the channel but what the entrants made themselves, which each got alone."""
    own = [message.place for message in messages if message.place.kind is PlaceKind.USER]
    others = {message.place for message in messages if message.place.kind is not PlaceKind.USER}
    assert sorted(place.id for place in own) == [ANNA, BEN]
    assert others == {Place(PlaceKind.CHANNEL, CHANNEL)}


async def test_posts_land_in_the_channel_when_the_thread_is_deleted(keyed: Studio) -> None:
    life = await with_photos(keyed, pack=PACK[:1])
    thread_id = (await life.event()).thread_id
    assert thread_id is not None
    await reach(life, S.TRAINING)
    keyed.poster.closed.add(Place(PlaceKind.CHANNEL, thread_id))
    already = len(keyed.poster.messages)
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await make_picture(life, BEN)
    await reach(life, S.FINISHED)
    later = keyed.poster.messages[already:]
    check_places(later)
    assert [message.kind for message in later].count("event_ballot") == 1
    assert [message.kind for message in later].count("pictures") == 3
    assert await told_of(life, AnnouncementKind.WINNER) == 1
    await check_books(life)


class BareVenue(FakeVenue):
    """No thread can be made: Discord is away at first (`away` times), then says no."""

    away = 3

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        if self.away:
            self.away -= 1
            raise NotNow("Discord is away")
        return None


async def test_an_event_without_its_thread_goes_on_in_the_channel(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = BareVenue()
    monkeypatch.setattr(keyed.venue, "open_thread", bare.open_thread)
    life = await with_photos(keyed)
    await sleep_through(life, HOUR, timedelta(minutes=5))
    assert (await life.event()).thread_id is None
    assert bare.away == 0
    await reach(life, S.SHOWING)
    await make_picture(life, ANNA)
    await make_picture(life, BEN)
    await reach(life, S.FINISHED)
    check_places(keyed.poster.messages)
    await check_books(life)


async def test_a_lost_answer_of_discord_makes_no_second_announcement(keyed: Studio) -> None:
    life = await with_photos(keyed)
    keyed.poster.trouble.extend([Trouble.AFTER, Trouble.BEFORE, Trouble.AFTER] * 3)
    await reach(life, S.TRAINING)
    await life.until(S.SHOWING)
    await sleep_through(life, HOUR)
    assert not keyed.poster.trouble
    notes = await keyed.posts_of(PostKind.EVENT_ANNOUNCEMENT)
    assert [post.status for post in notes] == [PostStatus.POSTED] * len(notes)
    await check_books(life)
