"""A tie for the first place begins one run-off: who can vote for what, how it ends, what comes of it."""

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import UserError
from bot.events.ballot.service import NOT_TIED, VOTING_OVER
from bot.events.lifecycle import RUN_OFF
from bot.events.service import CLOSED_BEFORE
from bot.records.event import AnnouncementKind, Event, EventStatus, OnTie
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.post import PostKind, PostStatus
from bot.storage.events.tables import entrants, events, honours, runoff_votes
from bot.storage.tables import posts
from tests.events.ballot.ballots import CLEO, DAN, EVE, HOUR, World
from tests.fakes.events import get_announcements, get_event
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, add_post
from tests.fakes.studio import Studio

S = EventStatus
FAY = 406
ADMINS = Actor(GUILD, ADMIN, is_admin=True, is_moderator=True)


@pytest.fixture
def world(studio: Studio) -> World:
    return World(studio.database, studio.spool, studio.clock, studio.timings, itertools.count(1))


async def tied(world: World, *members: int, **changes: Any) -> Event:
    """A vote whose time is over; Anna's and Ben's entries have two votes each, Cleo's has one."""
    wanted = {"on_tie": OnTie.RUN_OFF, "hours": {S.VOTING: 4.0}, **changes}
    event = await world.voting(ANNA, BEN, CLEO, DAN, **wanted)
    for voter, entry in ((CLEO, ANNA), (DAN, ANNA), (ANNA, BEN), (EVE, BEN), (FAY, CLEO)):
        await world.vote_for(event, voter, entry)
    now = world.clock.now()
    return await world.move(event, S.VOTING, stage_ends_at=now, due_at=now)


async def told(studio: Studio, event: Event) -> list[AnnouncementKind]:
    return [each.what for each in await get_announcements(studio.database, event.id)]


async def places(studio: Studio, event: Event) -> list[tuple[int, int, int]]:
    won = sa.select(honours.c.user_id, honours.c.place, honours.c.votes).where(honours.c.event_id == event.id)
    async with studio.database.read() as connection:
        return [tuple(row) for row in await connection.execute(won.order_by(honours.c.place, honours.c.user_id))]


async def test_a_tie_is_voted_on_once_more_between_the_tied_alone(studio: Studio, world: World) -> None:
    """Mutants: without the run-off's own table the votes of before are still there; `_votable` without its look."""
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    open_now = await get_event(studio.database, event.id)
    entries = [await world.entry_of(event, each) for each in (ANNA, BEN, CLEO)]
    assert (open_now.status, open_now.runoff_ids) == (S.VOTING, tuple(sorted(entries[:2])))
    assert open_now.stage_ends_at == studio.clock.now() + HOUR
    assert await told(studio, event) == [AnnouncementKind.RUN_OFF]
    assert await places(studio, event) == []
    assert await studio.ballots.my_vote(event.id, Actor(GUILD, EVE)) is None
    shown = await studio.ballots.entries(event.id, Actor(GUILD, EVE))
    assert {each.entry_id for each in shown} == set(entries[:2])
    with pytest.raises(UserError, match=NOT_TIED):
        await studio.ballots.vote(event.id, entries[2], Actor(GUILD, EVE))
    assert len(await studio.ballots.shown(event.id)) == 4


async def test_the_run_off_decides_and_the_season_counts_it(studio: Studio, world: World) -> None:
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    for voter in (CLEO, DAN, EVE):
        await world.vote_for(event, voter, BEN)
    await studio.pass_time(HOUR, LaneName.EVENTS)
    assert (await get_event(studio.database, event.id)).status is S.FINISHED
    assert await places(studio, event) == [(BEN, 1, 5), (ANNA, 2, 2), (CLEO, 3, 1)]
    assert await told(studio, event) == [AnnouncementKind.RUN_OFF, AnnouncementKind.WINNER]
    owners = await world.owners(event)
    plot = [(owners[each.number - 1], each.place, each.votes) for each in await studio.results.vote_counts(event.id)]
    assert plot == [(BEN, 1, 5), (ANNA, 2, 2), (CLEO, 3, 1), (DAN, 4, 0)]
    season = await studio.results.season(GUILD)
    assert [(row.user_id, row.points, row.votes) for row in season.rows] == [(BEN, 3, 5), (ANNA, 2, 2), (CLEO, 1, 1)]


@pytest.mark.parametrize("votes", [(), ((CLEO, ANNA), (DAN, BEN))])
async def test_a_second_tie_shares_the_place_and_no_third_vote_begins(
    studio: Studio, world: World, votes: tuple[tuple[int, int], ...]
) -> None:
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    for voter, entry in votes:
        await world.vote_for(event, voter, entry)
    await studio.pass_time(HOUR, LaneName.EVENTS)
    assert [(user, place) for user, place, _ in await places(studio, event)] == [(ANNA, 1), (BEN, 1), (CLEO, 3)]
    assert (await told(studio, event)).count(AnnouncementKind.RUN_OFF) == 1


async def test_who_has_not_voted_in_the_run_off_is_reminded_once(studio: Studio, world: World) -> None:
    """Mutant: votes of before count, so nobody is."""
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    await world.vote_for(event, CLEO, BEN)
    await studio.pass_time(HOUR * 3 / 4, LaneName.EVENTS)
    assert await told(studio, event) == [AnnouncementKind.RUN_OFF, AnnouncementKind.CLOSING_SOON]
    reminded = sa.select(posts.c.user_id).where(posts.c.kind == PostKind.VOTE_REMINDER)
    async with studio.database.read() as connection:
        assert sorted((await connection.execute(reminded)).scalars()) == [ANNA, BEN, DAN]


async def test_who_voted_before_their_first_reminder_went_out_is_reminded_of_the_run_off(
    studio: Studio, world: World
) -> None:
    """Who was reminded is not, twice in an event. Mutant: with the row of before Anna and Dan hear nothing."""
    event = await tied(world)
    for user_id, status in ((ANNA, PostStatus.KEPT), (BEN, PostStatus.POSTED), (DAN, PostStatus.KEPT)):
        (entrant_id,) = await studio.scalars(
            sa.select(entrants.c.id).where(entrants.c.event_id == event.id, entrants.c.user_id == user_id)
        )
        post_id = await add_post(studio.database, entrant_id, kind=PostKind.VOTE_REMINDER, user_id=user_id)
        await studio.change(posts, post_id, status=status, due_at=None)
    await studio.settle(LaneName.EVENTS)
    await world.vote_for(event, CLEO, BEN)
    await studio.pass_time(HOUR * 3 / 4, LaneName.EVENTS)
    waiting = sa.select(posts.c.user_id).where(
        posts.c.kind == PostKind.VOTE_REMINDER, posts.c.status == PostStatus.PENDING
    )
    assert sorted(await studio.scalars(waiting)) == [ANNA, DAN]


async def test_where_the_host_wants_it_a_tie_shares_the_place_at_once(studio: Studio, world: World) -> None:
    event = await tied(world, on_tie=OnTie.SHARE)
    await studio.settle(LaneName.EVENTS)
    assert (await get_event(studio.database, event.id)).status is S.FINISHED
    assert await places(studio, event) == [(ANNA, 1, 2), (BEN, 1, 2), (CLEO, 3, 1)]


async def test_two_processes_begin_it_once(studio: Studio, world: World) -> None:
    """The second still holds the row as it was; the first has been killed after it stored the run-off."""
    event = await tied(world)
    [claim] = await studio.claim(LaneName.EVENTS)
    await studio.step(LaneName.EVENTS, claim)
    first = await get_event(studio.database, event.id)
    studio.clock.advance(HOUR / 6)
    await studio.step(LaneName.EVENTS, claim)
    again = await get_event(studio.database, event.id)
    assert (again.runoff_ids, again.stage_ends_at) == (first.runoff_ids, first.stage_ends_at)
    assert await told(studio, event) == [AnnouncementKind.RUN_OFF]


async def test_more_time_at_the_last_moment_goes_before_the_run_off(studio: Studio, world: World) -> None:
    """Mutant: `begin_runoff` without its look whether the event was moved."""
    event = await tied(world)
    [claim] = await studio.claim(LaneName.EVENTS)
    await studio.events.extend(event.id, 2.0, ADMINS)
    await studio.step(LaneName.EVENTS, claim)
    assert (await get_event(studio.database, event.id)).runoff_ids == ()
    await world.vote_for(event, EVE, ANNA)
    await studio.pass_time(2 * HOUR, LaneName.EVENTS)
    assert (await places(studio, event))[0] == (ANNA, 1, 3)


@pytest.mark.parametrize("way", ["withdrawn", "erased"])
async def test_a_run_off_ends_when_only_one_of_the_tied_is_left(studio: Studio, world: World, way: str) -> None:
    """Mutant: without `is_moot` it goes on for its whole time."""
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    await world.vote_for(event, CLEO, BEN)
    if way == "erased":
        await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    else:
        await studio.depictions.withdraw(event.id, Actor(GUILD, BEN))
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert (await get_event(studio.database, event.id)).status is S.FINISHED
    won = [(user, place) for user, place, _ in await places(studio, event)]
    assert won[0] == (ANNA, 1)
    assert BEN not in dict(won)


async def test_a_run_off_with_one_of_the_tied_left_takes_no_vote_that_would_undo_its_count(
    studio: Studio, world: World
) -> None:
    """Mutant: a vote between the count and the end takes the winner away, and nobody is counted again."""
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    await studio.depictions.withdraw(event.id, Actor(GUILD, BEN))
    await studio.ballots.count(await get_event(studio.database, event.id))
    with pytest.raises(UserError, match=VOTING_OVER):
        await world.vote_for(event, EVE, ANNA)
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert (await places(studio, event))[0][:2] == (ANNA, 1)


async def test_when_none_of_the_tied_is_left_the_next_one_wins(studio: Studio, world: World) -> None:
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    for user_id in (ANNA, BEN):
        await studio.depictions.withdraw(event.id, Actor(GUILD, user_id))
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert await places(studio, event) == [(CLEO, 1, 1)]
    assert (await get_event(studio.database, event.id)).status is S.FINISHED


async def test_an_old_close_button_does_not_end_the_run_off(studio: Studio, world: World) -> None:
    """Mutant: comparing stages alone lets the second press count a vote that has just begun."""
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    with pytest.raises(UserError, match=CLOSED_BEFORE[:30]):
        await studio.events.close(event.id, ADMINS, S.VOTING)
    assert (await get_event(studio.database, event.id)).status is S.VOTING
    await world.vote_for(event, CLEO, BEN)
    await studio.events.close(event.id, ADMINS, RUN_OFF)
    await studio.settle(LaneName.EVENTS)
    assert (await places(studio, event))[0] == (BEN, 1, 3)


async def test_the_vote_of_who_is_blocked_or_withdraws_does_not_count_in_the_run_off(
    studio: Studio, world: World
) -> None:
    event = await tied(world)
    await studio.settle(LaneName.EVENTS)
    await world.vote_for(event, EVE, BEN)
    await world.vote_for(event, CLEO, BEN)
    await studio.moderation.block(ADMINS, EVE)
    await studio.depictions.withdraw(event.id, Actor(GUILD, CLEO))
    assert await studio.scalars(sa.select(runoff_votes.c.voter_id)) == []
    (kept,) = await studio.scalars(sa.select(events.c.runoff_ids).where(events.c.id == event.id))
    assert len(kept) == 2
