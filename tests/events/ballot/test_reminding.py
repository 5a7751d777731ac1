"""Who has not voted is told so privately: once, only who wants it, and nobody who has voted meanwhile."""

from typing import Any

import pytest
import sqlalchemy as sa

from bot.clock import Timings
from bot.records.event import Event, EventMode, EventStatus
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.job import LaneName
from bot.records.post import PostKind, PostStatus
from bot.storage.events.tables import entrants, events
from tests.events.ballot.ballots import CLEO, DAN, EVE, HOUR, JURY, PAINTERS, World
from tests.events.lives.event_faults import MortalLane, MortalWrites, has_event_moved
from tests.events.lives.event_run import HOST
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD
from tests.fakes.studio import Studio

MODERATOR = Actor(GUILD, ADMIN, is_admin=True, is_moderator=True)
VOTED_FOR = 24
"""Hours; the reminder comes after 18 of them."""


async def voting(studio: Studio, *user_ids: int, **changes: Any) -> tuple[World, Event]:
    world = World(studio.database, studio.spool, studio.clock)
    now, hours = studio.clock.now(), {EventStatus.VOTING: VOTED_FOR}
    usual = {"mode": EventMode.PERSONAL, "hours": hours, "stage_ends_at": now + VOTED_FOR * HOUR}
    event = await world.voting(*user_ids, **usual | changes)
    await studio.change(events, event.id, due_at=now)
    await studio.settle()
    return world, event


def told(studio: Studio) -> list[int]:
    return sorted(each.place.id for each in studio.poster.messages if each.kind == PostKind.VOTE_REMINDER)


async def is_reminded(studio: Studio, event: Event, user_id: int) -> bool:
    """Whether a message that goes out now would still be sent."""
    theirs = sa.select(entrants.c.id).where(entrants.c.event_id == event.id, entrants.c.user_id == user_id)
    (entrant_id,) = await studio.scalars(theirs)
    return await studio.reminders.of_entrant(entrant_id) is not None


async def test_those_who_have_not_voted_are_told_once(studio: Studio) -> None:
    world, event = await voting(studio, ANNA, BEN, CLEO)
    await world.vote_for(event, ANNA, BEN)
    await world.vote_for(event, 999, BEN)
    await studio.pass_time(17.9 * HOUR)
    assert told(studio) == []
    await studio.pass_time(0.2 * HOUR)
    assert told(studio) == [BEN, CLEO]
    await studio.events.extend(event.id, 24, HOST)
    await studio.pass_time(25 * HOUR)
    await studio.pass_time(24 * HOUR)
    assert told(studio) == [BEN, CLEO]
    assert {each.place.kind for each in studio.poster.messages if each.kind == PostKind.VOTE_REMINDER} == {
        PlaceKind.USER
    }


async def test_nobody_is_told_who_wants_no_pings_or_questions_is_blocked_or_does_not_take_part(studio: Studio) -> None:
    """Mutants: each of the four conditions taken out tells one more."""
    world, event = await voting(studio, ANNA, BEN, CLEO, DAN, EVE)
    await studio.preferences.change(GUILD, ANNA, is_quiet=True)
    await studio.questions.mute(GUILD, BEN)
    await studio.moderation.block(MODERATOR, CLEO)
    await world.leave(event, DAN)
    await studio.pass_time(19 * HOUR)
    assert told(studio) == [EVE]
    for left_alone in (ANNA, BEN, CLEO, DAN):
        assert not await is_reminded(studio, event, left_alone)


async def test_who_wants_pictures_privately_is_told_like_everybody(studio: Studio) -> None:
    await voting(studio, ANNA, BEN)
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    await studio.pass_time(19 * HOUR)
    assert told(studio) == [ANNA, BEN]


async def test_a_message_that_has_to_wait_is_not_sent_once_there_is_nothing_to_say(studio: Studio) -> None:
    world, event = await voting(studio, ANNA, BEN, CLEO, DAN)
    await studio.pass_time(19 * HOUR)
    assert all([await is_reminded(studio, event, each) for each in (ANNA, BEN, CLEO, DAN)])
    await world.vote_for(event, ANNA, BEN)
    await studio.questions.mute(GUILD, BEN)
    studio.members.gone.add((GUILD, CLEO))
    assert [await is_reminded(studio, event, each) for each in (ANNA, BEN, CLEO, DAN)] == [False, False, False, True]
    await studio.change(events, event.id, paused_at=studio.clock.now())
    assert not await is_reminded(studio, event, DAN)
    await studio.change(events, event.id, paused_at=None, stage_ends_at=studio.clock.now())
    assert not await is_reminded(studio, event, DAN)


async def test_who_has_no_role_of_the_event_any_more_could_not_vote(studio: Studio) -> None:
    _, event = await voting(studio, ANNA, BEN, CLEO, role_ids=frozenset({PAINTERS}), jury_role_id=JURY)
    studio.members.roles |= {ANNA: frozenset({PAINTERS}), BEN: frozenset({JURY})}
    assert [await is_reminded(studio, event, each) for each in (ANNA, BEN, CLEO)] == [True, True, False]


async def test_a_vote_for_an_entry_that_is_gone_is_none_and_an_own_entry_is_nothing_to_vote_for(studio: Studio) -> None:
    world, event = await voting(studio, ANNA, BEN, CLEO)
    await world.vote_for(event, ANNA, BEN)
    await world.vote_for(event, BEN, CLEO)
    entered = await world.pictures_entered(event)
    await world.delete_picture(entered[BEN][0])
    assert [await is_reminded(studio, event, each) for each in (ANNA, BEN, CLEO)] == [True, False, True]
    await world.delete_picture(entered[CLEO][0])
    assert [await is_reminded(studio, event, each) for each in (ANNA, BEN, CLEO)] == [False, True, True]


async def test_who_takes_no_private_messages_keeps_nobody_from_theirs(studio: Studio) -> None:
    _, event = await voting(studio, ANNA, BEN)
    studio.poster.closed.add(Place(PlaceKind.USER, ANNA))
    await studio.pass_time(19 * HOUR)
    assert told(studio) == [BEN]
    found = {each.user_id: each.status for each in await studio.posts_of(PostKind.VOTE_REMINDER)}
    assert found == {ANNA: PostStatus.KEPT, BEN: PostStatus.POSTED}
    assert await studio.outbox.kept_for(guild_id=GUILD, user_id=ANNA) == [], "it is not kept for /jobs"
    await studio.pass_time(6 * HOUR)
    assert await studio.scalars(sa.select(events.c.status).where(events.c.id == event.id)) == [EventStatus.FINISHED]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_process_that_dies_at_every_write_tells_everybody_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    await voting(studio, ANNA, BEN, CLEO)
    writes = MortalWrites(studio.database, after=after)
    monkeypatch.setattr(studio.database, "write", writes)
    for lane in (LaneName.EVENTS, LaneName.POSTS):
        MortalLane(studio, lane, writes, has_event_moved if lane is LaneName.EVENTS else has_post_moved)
    await studio.pass_time(18 * HOUR)
    await studio.pass_time(HOUR)
    assert writes.deaths >= 1
    assert told(studio) == [ANNA, BEN, CLEO]


def has_post_moved(before: Any, now: Any) -> bool:
    return bool((before.status, before.place_index) != (now.status, now.place_index))


async def test_a_worker_that_overslept_tells_nobody_again(studio: Studio) -> None:
    await voting(studio, ANNA, BEN)
    studio.clock.stand_still_for(18 * HOUR)
    (asleep,) = await studio.claim(LaneName.EVENTS, "asleep")
    await studio.pass_time(studio.timings.lease)
    await studio.step(LaneName.EVENTS, asleep)
    await studio.settle()
    assert told(studio) == [ANNA, BEN]


async def test_what_is_written_about_a_reminder_goes_with_the_details_of_the_event(studio: Studio) -> None:
    await voting(studio, ANNA, BEN)
    await studio.pass_time(19 * HOUR)
    assert len(await studio.posts_of(PostKind.VOTE_REMINDER)) == 2
    await studio.pass_time(6 * HOUR)
    await studio.pass_time(Timings().details_kept + HOUR)
    assert await studio.posts_of(PostKind.VOTE_REMINDER) == []
