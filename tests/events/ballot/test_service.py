"""The ballot on a real database: entering, numbers, voting, counting, the hall of fame."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.events.ballot import service as said
from bot.events.ballot.service import WinCount
from bot.records.event import Candidate, EventMode, EventStatus
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor
from bot.records.moderation import ApprovalStatus
from bot.records.post import PostKind, PostStatus
from bot.storage import guilds, tables
from bot.storage.events.tables import entries, honours, votes
from bot.storage.people import erasure
from bot.storage.policy_tables import approvals
from tests.events.ballot.ballots import (
    CLEO,
    DAN,
    EVE,
    HOUR,
    JURY,
    MEMBERS,
    PAINTERS,
    World,
    due,
    open_world,
    places,
    posted,
)
from tests.fakes.clock import NOON
from tests.fakes.events import SeesOnly
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD, add_lora

pytestmark = pytest.mark.both


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with open_world(tmp_path, database_url) as world:
        yield world


# Entering a picture


async def test_a_member_enters_one_picture_and_can_change_it(world: World) -> None:
    event = await world.event()
    await world.join(event, ANNA, BEN)
    [first], [second] = await world.picture(event, ANNA), await world.picture(event, ANNA)
    await world.ballots.enter(event.id, first, Actor(GUILD, ANNA))
    await world.ballots.enter(event.id, second, Actor(GUILD, ANNA))
    assert await world.pictures_entered(event) == {ANNA: [second]}


async def test_only_ones_own_finished_pictures_of_the_event_can_be_entered(world: World) -> None:
    event, other = await world.event(), await world.event()
    await world.join(event, ANNA, BEN)
    [of_ben], [elsewhere] = await world.picture(event, BEN), await world.picture(other, ANNA)
    [mine], [deleted] = await world.picture(event, ANNA), await world.picture(event, ANNA)
    [unfinished] = await world.picture(event, ANNA)
    await world.delete_picture(deleted)
    last = sa.select(sa.func.max(tables.generations.c.id).label("id"))
    await world.change(tables.generations, (await world.rows(last))[0].id, status=GenerationStatus.FETCHING)
    for picture_id in (of_ben, elsewhere, deleted, unfinished, 987_654):
        with pytest.raises(NotFound, match="finished picture of your own"):
            await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))
    assert [picture.id for picture in await world.ballots.nominees(event.id, Actor(GUILD, ANNA))] == [mine]
    assert await world.pictures_entered(event) == {}


async def test_where_moderators_look_first_only_what_they_approved_stands_for_the_vote(world: World) -> None:
    """Neither what waits, nor what was declined, nor a newest picture that nobody entered."""
    event = await world.event()
    await world.join(event, ANNA, BEN, CLEO, DAN)
    choices = {"needs_approval": True, "reports_channel_id": 351}
    await world.database.write(lambda connection: guilds.change(connection, GUILD, **choices))
    shown = {user_id: (await world.picture(event, user_id))[0] for user_id in (ANNA, BEN, CLEO, DAN)}
    for user_id in (ANNA, BEN, CLEO):
        await world.ballots.enter(event.id, shown[user_id], Actor(GUILD, user_id))
    asked = {row.picture_id: row.id for row in await world.rows(sa.select(approvals))}
    decided = {ANNA: ApprovalStatus.APPROVED, BEN: ApprovalStatus.DECLINED}
    for user_id, status in decided.items():
        await world.change(approvals, asked[shown[user_id]], status=status)
    assert await world.ballots.open_ballot(event) == 1
    assert await world.pictures_entered(event) == {ANNA: [shown[ANNA]]}
    assert len(asked) == 3


@pytest.mark.parametrize("column", ["retiring_since", "archived_at"])
async def test_pictures_of_a_lora_that_is_not_used_any_more_are_refused(world: World, column: str) -> None:
    event = await world.event()
    await world.join(event, ANNA)
    lora_id = await add_lora(world.database)
    [picture_id] = await world.picture(event, ANNA, lora_id=lora_id)
    await world.change(tables.loras, lora_id, **{column: NOON})
    with pytest.raises(UserError, match="not used any more"):
        await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))
    assert await world.ballots.nominees(event.id, Actor(GUILD, ANNA)) == []
    assert await world.ballots.open_ballot(event) == 0


@pytest.mark.parametrize(("mode", "may"), [(EventMode.PERSONAL, True), (EventMode.SHARED, False)])
async def test_pictures_of_the_pack_are_their_owners_only_in_a_personal_event(
    world: World, mode: EventMode, may: bool
) -> None:
    event = await world.event(mode=mode)
    await world.join(event, ANNA)
    await world.picture(event, ANNA, pack_index=0)
    assert len(await world.ballots.nominees(event.id, Actor(GUILD, ANNA))) == may
    assert await world.ballots.open_ballot(event) == may


@pytest.mark.parametrize("mode", [EventMode.SHARED, EventMode.PERSONAL, EventMode.CLUB])
@pytest.mark.parametrize("status", [status for status in EventStatus if status is not EventStatus.DRAFT])
async def test_pictures_are_entered_while_they_are_made_and_not_later(
    world: World, mode: EventMode, status: EventStatus
) -> None:
    event = await world.event(status, mode=mode)
    await world.join(event, ANNA)
    [picture_id] = await world.picture(event, ANNA)
    making = EventStatus.COLLECTING if mode is EventMode.CLUB else EventStatus.SHOWING
    if status is making:
        assert (await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))).picture_ids == (picture_id,)
        world.clock.advance(HOUR)
    with pytest.raises(UserError, match=r"before the voting begins"):
        await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))


async def test_a_pause_does_not_end_entering(world: World) -> None:
    event = await world.event(paused_at=NOON)
    await world.join(event, ANNA)
    [picture_id] = await world.picture(event, ANNA)
    world.clock.advance(2 * HOUR)
    await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))
    assert await world.pictures_entered(event) == {ANNA: [picture_id]}


async def test_whoever_takes_no_part_cannot_enter(world: World) -> None:
    event = await world.event()
    await world.join(event, ANNA)
    await world.leave(event, ANNA)
    for user_id in (ANNA, BEN):
        [picture_id] = await world.picture(event, user_id)
        with pytest.raises(NotAllowed, match="take part"):
            await world.ballots.enter(event.id, picture_id, Actor(GUILD, user_id))


async def test_a_new_entry_renews_the_panel(world: World) -> None:
    event = await world.event()
    await world.join(event, ANNA)
    [picture_id] = await world.picture(event, ANNA)
    post_id = await posted(world, event, PostKind.EVENT_PANEL)
    await world.ballots.enter(event.id, picture_id, Actor(GUILD, ANNA))
    assert await due(world, post_id) == (PostStatus.PENDING, NOON + world.timings.panel)


# Opening the ballot


async def test_everybody_gets_one_entry_and_a_number(world: World) -> None:
    """Anna chose, Ben's newest is taken, Cleo made nothing, Dan left."""
    event = await world.event()
    await world.join(event, ANNA, BEN, CLEO, DAN)
    [chosen], *_ = [await world.picture(event, user_id) for user_id in (ANNA, ANNA, BEN, DAN)]
    newest, _ = await world.picture(event, BEN, size=2)
    await world.ballots.enter(event.id, chosen, Actor(GUILD, ANNA))
    await world.leave(event, DAN)
    assert await world.ballots.open_ballot(event) == 2
    assert await world.pictures_entered(event) == {ANNA: [chosen], BEN: [newest]}
    assert [one.position for one in await world.ballots.shown(event.id)] == [1, 2]


async def test_an_entry_whose_picture_was_deleted_gives_way_to_the_newest(world: World) -> None:
    event = await world.event()
    await world.join(event, ANNA, BEN)
    [kept], [deleted], [only] = [await world.picture(event, user_id) for user_id in (ANNA, ANNA, BEN)]
    await world.ballots.enter(event.id, deleted, Actor(GUILD, ANNA))
    await world.ballots.enter(event.id, only, Actor(GUILD, BEN))
    for picture_id in (deleted, only):
        await world.delete_picture(picture_id)
    assert await world.ballots.open_ballot(event) == 1
    assert await world.pictures_entered(event) == {ANNA: [kept]}


async def test_numbers_never_change_once_the_voting_has_begun(world: World) -> None:
    event = await world.voting(*MEMBERS)
    before = await world.ballots.shown(event.id)
    for user_id in MEMBERS:
        await world.picture(event, user_id)
    for _ in range(3):
        assert await world.ballots.open_ballot(event) == len(MEMBERS)
    assert await world.ballots.shown(event.id) == before


async def test_an_opening_that_came_too_early_keeps_what_was_entered_and_can_be_changed(world: World) -> None:
    """The host gave more time while the engine opened the ballot: entering goes on."""
    event = await world.event()
    await world.join(event, ANNA, BEN)
    [of_anna], [of_ben] = await world.picture(event, ANNA), await world.picture(event, BEN)
    await world.ballots.open_ballot(event)
    [newer] = await world.picture(event, ANNA)
    await world.ballots.enter(event.id, newer, Actor(GUILD, ANNA))
    assert of_anna != newer
    assert await world.ballots.open_ballot(event) == 2
    assert await world.pictures_entered(event) == {ANNA: [newer], BEN: [of_ben]}


async def test_numbers_and_ids_come_in_an_order_drawn_by_chance(world: World) -> None:
    """Six entrants who always join in the same order: eight equal draws would be a chance of 1 in 720 to the 7th."""
    people, drawn = (*MEMBERS, EVE, ADMIN), set()
    for _ in range(8):
        event = await world.voting(*people)
        shown = await world.ballots.shown(event.id)
        assert [one.entry_id for one in shown] == sorted(one.entry_id for one in shown)
        drawn.add(tuple(await world.owners(event)))
    assert len(drawn) > 1


async def test_a_bake_off_has_an_entry_for_each_candidate_that_has_pictures(world: World) -> None:
    names = ("0.6", "0.8", "1.0")
    event = await world.event(
        mode=EventMode.BAKEOFF, candidates=tuple(Candidate(1, float(name), name) for name in names)
    )
    weak = [*await world.picture(event, ADMIN, pack_index=0, size=2), *await world.picture(event, ADMIN, pack_index=1)]
    strong = await world.picture(event, ADMIN, pack_index=200)
    [gone] = await world.picture(event, ADMIN, pack_index=201)
    await world.delete_picture(gone)
    assert await world.ballots.open_ballot(event) == 2
    found = await world.rows(sa.select(entries).where(entries.c.event_id == event.id))
    assert {row.label: list(row.picture_ids) for row in found} == {"0.6": weak, "1.0": strong}
    event = await world.move(event, EventStatus.VOTING)
    shown = await world.ballots.entries(event.id, Actor(GUILD, ADMIN))
    assert sorted(len(one.pictures) for one in shown) == [1, 3]
    assert not any(one.is_mine for one in shown)
    with pytest.raises(UserError, match="nobody enters"):
        await world.ballots.nominees(event.id, Actor(GUILD, ANNA))


# Voting


async def test_a_vote_can_be_changed_until_the_close(world: World) -> None:
    event = await world.voting(ANNA, BEN, CLEO)
    await world.vote_for(event, DAN, ANNA)
    await world.vote_for(event, DAN, BEN)
    mine = await world.ballots.my_vote(event.id, Actor(GUILD, DAN))
    assert mine is not None
    assert mine.entry_id == await world.entry_of(event, BEN)
    world.clock.advance(HOUR)
    with pytest.raises(UserError, match="voting is over"):
        await world.vote_for(event, DAN, CLEO)
    assert places(await world.ballots.count(event)) == {BEN: (1, 1)}


async def test_the_ballot_is_shown_to_those_alone_who_can_see_the_event(world: World) -> None:
    """Mutant: without the look, who cannot see the channel is shown its pictures by a button of another one."""
    event = await world.voting(ANNA, BEN)
    with pytest.raises(NotAllowed, match=f"<#{event.channel_id}>"):
        await world.ballots.entries(event.id, Actor(GUILD, DAN, sight=SeesOnly(event.channel_id + 1)))
    assert len(await world.ballots.entries(event.id, Actor(GUILD, DAN, sight=SeesOnly(event.channel_id)))) == 2


async def test_two_votes_at_once_leave_one(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    await asyncio.gather(*(world.vote_for(event, DAN, owner) for owner in (ANNA, BEN) * 5))
    assert len(await world.rows(sa.select(votes))) == 1


async def test_nobody_votes_for_their_own_entry(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    with pytest.raises(UserError, match="your own entry"):
        await world.vote_for(event, ANNA, ANNA)
    assert await world.ballots.my_vote(event.id, Actor(GUILD, ANNA)) is None


async def test_the_own_entry_is_marked_for_its_owner_alone(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    for user_id in (ANNA, BEN):
        marked = [one.entry_id for one in await world.ballots.entries(event.id, Actor(GUILD, user_id)) if one.is_mine]
        assert marked == [await world.entry_of(event, user_id)]
    assert not any(one.is_mine for one in await world.ballots.shown(event.id))


async def test_in_a_bake_off_its_host_votes_too(world: World) -> None:
    event = await world.event(
        mode=EventMode.BAKEOFF, candidates=(Candidate(1, 0.6, "weak"), Candidate(1, 1.0, "strong"))
    )
    for pack_index in (0, 100):
        await world.picture(event, ADMIN, pack_index=pack_index)
    await world.ballots.open_ballot(event)
    event = await world.move(event, EventStatus.VOTING)
    found = await world.rows(sa.select(entries).where(entries.c.label == "strong"))
    await world.ballots.vote(event.id, found[0].id, Actor(GUILD, ADMIN))
    assert [(won.label, won.place) for won in await world.ballots.count(event)] == [("strong", 1)]
    await world.move(event, EventStatus.FINISHED)
    assert [won.label for won in await world.ballots.hall_of_fame(GUILD)] == ["strong"]
    assert await world.ballots.win_counts(GUILD) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": EventStatus.SHOWING}, said.NO_VOTING),
        ({"status": EventStatus.FINISHED}, said.VOTING_OVER),
        ({"status": EventStatus.CANCELLED}, said.VOTING_OVER),
        ({"status": EventStatus.VOTING, "paused_at": NOON}, said.PAUSED),
        ({"status": EventStatus.VOTING, "stage_ends_at": NOON}, said.VOTING_OVER),
    ],
)
async def test_votes_are_taken_only_while_the_voting_is_open(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    event = await world.move(await world.voting(ANNA, BEN), **changes)
    with pytest.raises(UserError) as refusal:
        await world.vote_for(event, DAN, ANNA)
    assert str(refusal.value) == sentence
    with pytest.raises(UserError, match=sentence[:20]):
        await world.ballots.entries(event.id, Actor(GUILD, DAN))
    assert await world.rows(sa.select(votes)) == []


@pytest.mark.parametrize(
    ("role_ids", "roles", "may"),
    [
        ((), (), True),
        ((PAINTERS,), (), False),
        ((PAINTERS,), (PAINTERS,), True),
        ((PAINTERS,), (JURY,), True),
    ],
)
async def test_who_may_take_part_or_judge_may_vote(
    world: World, role_ids: tuple[int, ...], roles: tuple[int, ...], may: bool
) -> None:
    event = await world.voting(ANNA, BEN, role_ids=frozenset(role_ids), jury_role_id=JURY)
    if may:
        await world.vote_for(event, DAN, ANNA, *roles)
    else:
        with pytest.raises(NotAllowed, match="roles"):
            await world.vote_for(event, DAN, ANNA, *roles)
    assert len(await world.rows(sa.select(votes))) == may


async def test_an_entry_that_left_cannot_be_voted_for_and_frees_its_votes(world: World) -> None:
    event = await world.voting(ANNA, BEN, CLEO)
    await world.vote_for(event, DAN, ANNA)
    await world.vote_for(event, EVE, BEN)
    [picture_id] = (await world.pictures_entered(event))[ANNA]
    await world.delete_picture(picture_id)
    await world.leave(event, BEN)
    for voter, owner in ((DAN, ANNA), (EVE, BEN)):
        assert await world.ballots.my_vote(event.id, Actor(GUILD, voter)) is None
        with pytest.raises(NotFound, match="not in the ballot any more"):
            await world.vote_for(event, voter, owner)
    [left] = await world.ballots.shown(event.id)
    assert left.entry_id == await world.entry_of(event, CLEO)


@pytest.mark.parametrize(("mode", "stands"), [(EventMode.PERSONAL, 1), (EventMode.CLUB, 1), (EventMode.SHARED, 2)])
async def test_when_consent_is_taken_back_only_a_shared_events_entries_stay(
    world: World, mode: EventMode, stands: int
) -> None:
    event = await world.event(EventStatus.SHOWING, mode=mode)
    await world.join(event, ANNA, BEN)
    lora_id = await add_lora(world.database)
    await world.picture(event, ANNA, lora_id=lora_id)
    await world.picture(event, BEN)
    assert await world.ballots.open_ballot(event) == 2
    await world.change(tables.loras, lora_id, retiring_since=NOON)
    assert len(await world.ballots.shown(event.id)) == stands


async def test_another_guild_sees_and_steers_nothing(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    entry_id, stranger = await world.entry_of(event, ANNA), Actor(OTHER_GUILD, DAN, is_admin=True)
    [picture_id] = (await world.pictures_entered(event))[ANNA]
    for act in (
        world.ballots.entries(event.id, stranger),
        world.ballots.nominees(event.id, stranger),
        world.ballots.enter(event.id, picture_id, stranger),
        world.ballots.vote(event.id, entry_id, stranger),
        world.ballots.my_vote(event.id, stranger),
    ):
        with pytest.raises(NotFound, match="no such event"):
            await act
    other = await world.voting(CLEO, DAN)
    with pytest.raises(NotFound, match="not in the ballot any more"):
        await world.ballots.vote(other.id, entry_id, Actor(GUILD, EVE))


async def test_a_vote_changes_no_message(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    post_id = await posted(world, event, PostKind.EVENT_BALLOT)
    before = await due(world, post_id)
    await world.vote_for(event, DAN, ANNA)
    assert await due(world, post_id) == before


# Counting


async def test_the_first_three_places_are_honoured_and_ties_share_one(world: World) -> None:
    event = await world.voting(*MEMBERS, EVE)
    for voter, owner in ((1, ANNA), (2, ANNA), (3, BEN), (4, BEN), (5, CLEO), (6, CLEO), (7, DAN)):
        await world.vote_for(event, voter, owner)
    assert places(await world.ballots.count(event)) == {ANNA: (1, 2), BEN: (1, 2), CLEO: (1, 2)}
    entered = await world.pictures_entered(event)
    for honour in await world.ballots.count(event):
        assert (honour.event_name, honour.picture_id) == (event.name, entered[honour.user_id][0])


async def test_without_votes_nobody_wins(world: World) -> None:
    assert await world.ballots.count(await world.voting(ANNA, BEN)) == ()


async def test_a_single_entry_wins_unopposed(world: World) -> None:
    assert places(await world.ballots.count(await world.voting(ANNA))) == {ANNA: (1, 0)}


async def test_the_jurys_votes_count_as_half_when_they_were_cast_with_the_role(world: World) -> None:
    event = await world.voting(ANNA, BEN, jury_role_id=JURY)
    await world.vote_for(event, 1, ANNA, JURY)
    for voter in (2, 3, 4):
        await world.vote_for(event, voter, BEN)
    await world.vote_for(event, 5, ANNA)
    assert places(await world.ballots.count(event)) == {ANNA: (1, 2), BEN: (2, 3)}


async def test_what_was_counted_stays(world: World) -> None:
    event = await world.voting(ANNA, BEN)
    await world.vote_for(event, 1, ANNA)
    first = await world.ballots.count(event)
    await world.leave(event, ANNA)
    assert await world.ballots.count(event) == first
    both = await asyncio.gather(*(world.ballots.count(event) for _ in range(4)))
    assert set(both) == {first}
    assert len(await world.rows(sa.select(honours))) == 1


async def test_voting_that_goes_on_after_the_count_is_counted_again(world: World) -> None:
    """The host gave more time while the engine counted."""
    event = await world.voting(ANNA, BEN)
    await world.vote_for(event, 1, ANNA)
    await world.ballots.count(event)
    assert await world.ballots.hall_of_fame(GUILD) == []
    assert await world.ballots.win_counts(GUILD) == []
    for voter in (2, 3):
        await world.vote_for(event, voter, BEN)
    assert places(await world.ballots.count(event)) == {BEN: (1, 2), ANNA: (2, 1)}


@pytest.mark.parametrize("erased", [ANNA, DAN])
async def test_erased_members_leave_the_rest_countable(world: World, erased: int) -> None:
    """Anna has an entry and has voted, Dan has only voted."""
    event = await world.voting(ANNA, BEN, CLEO)
    for voter, owner in ((DAN, BEN), (ANNA, BEN), (EVE, CLEO), (CLEO, ANNA)):
        await world.vote_for(event, voter, owner)

    async def transaction(connection: AsyncConnection) -> None:
        await erasure.erase_member(connection, guild_id=GUILD, user_id=erased)

    await world.database.write(transaction)
    counted = places(await world.ballots.count(event))
    assert {user_id: counted[user_id] for user_id in (BEN, CLEO)} == {BEN: (1, 1), CLEO: (1, 1)}
    assert erased not in counted


# The hall of fame


async def test_the_hall_of_fame_begins_with_the_newest_event_and_knows_who_won_most(world: World) -> None:
    for winners in ((ANNA,), (BEN,), (ANNA, CLEO)):
        event = await world.voting(ANNA, BEN, CLEO, name=f"Won by {len(winners)}")
        for number, winner in enumerate(winners):
            await world.vote_for(event, 10 + number, winner)
        await world.ballots.count(event)
        await world.move(event, EventStatus.FINISHED)
        world.clock.advance(timedelta(days=1))
    elsewhere = await world.voting(DAN, guild_id=OTHER_GUILD)
    await world.ballots.count(elsewhere)
    await world.move(elsewhere, EventStatus.FINISHED)
    hall = await world.ballots.hall_of_fame(GUILD)
    assert [{honour.user_id for honour in hall[:2]}, hall[2].user_id, hall[3].user_id] == [{ANNA, CLEO}, BEN, ANNA]
    assert await world.ballots.win_counts(GUILD) == [WinCount(ANNA, 2), WinCount(BEN, 1), WinCount(CLEO, 1)]
