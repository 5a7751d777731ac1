"""Until the votes are counted nobody but its maker sees or learns anything of what may stand in the vote."""

import pytest
import sqlalchemy as sa

from bot.errors import NotFound, UserError
from bot.generation.access import COMPARED, visible_generation
from bot.pictures.service import STILL_BLIND
from bot.records.event import Candidate, EntrantStatus, Event, EventMode, EventStatus
from bot.records.generation import Generation, Operation
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.moderation import Act, Purpose
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.events import tables as event_tables
from bot.storage.events import yearbook
from bot.storage.policy_tables import approvals, moderation_log
from tests.fakes.events import add_entrants, add_event, get_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import finish

M, S = EventMode, EventStatus
ALONE, EVERYBODY = [Place(PlaceKind.USER, ANNA)], [Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA)]
MAKER, OTHER = Actor(GUILD, ANNA), Actor(GUILD, BEN)
MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)
GALLERY, REPORTS = 350, 360


@pytest.fixture(autouse=True)
async def keyed(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_gallery(GUILD, GALLERY)
    await studio.guilds.choose_reports(GUILD, REPORTS)


async def made(studio: Studio, event: Event, pack_index: int | None = None) -> Generation:
    """Anna's picture for the event, as she ordered it."""
    ordered = await studio.order(await studio.lora())
    await studio.change(tables.generations, ordered.id, event_id=event.id, pack_index=pack_index)
    await studio.settle()
    await finish(studio)
    return await studio.generation(ordered.id)


async def places(studio: Studio) -> list[list[Place]]:
    return [list(post.places) for post in await studio.posts_of(PostKind.PICTURES)]


async def in_the_vote(
    studio: Studio, status: EventStatus = S.VOTING, mode: EventMode = M.CLUB
) -> tuple[Event, Generation]:
    """Anna's picture as the only entry; in a bake-off as the only candidate."""
    is_bakeoff = mode is M.BAKEOFF
    candidates = (Candidate(1, 0.5, "strength 0.5"),) if is_bakeoff else ()
    event = await add_event(studio.database, mode=mode, candidates=candidates, host_id=ANNA)
    await add_entrants(studio.database, event, ANNA)
    generation = await made(studio, event, 0 if is_bakeoff else None)
    assert await studio.ballots.open_ballot(event) == 1
    await studio.change(event_tables.events, event.id, status=status)
    return await get_event(studio.database, event.id), generation


async def see(studio: Studio, generation: Generation, actor: Actor) -> None:
    async with studio.database.read() as connection:
        await visible_generation(connection, generation.id, actor)


@pytest.mark.parametrize(
    ("mode", "pack_index", "expected"),
    [
        (M.CLUB, None, [ALONE]),
        (M.SHARED, None, [ALONE]),
        (M.SHARED, 0, [EVERYBODY]),
        (M.PERSONAL, None, [ALONE]),
        (M.PERSONAL, 0, [ALONE]),
        (M.BAKEOFF, 0, []),
    ],
)
async def test_what_can_be_entered_comes_to_its_maker_alone(
    studio: Studio, mode: EventMode, pack_index: int | None, expected: list[list[Place]]
) -> None:
    """Mutant: without `blind_event` all of it is posted with the name of its maker."""
    await made(studio, await add_event(studio.database, mode=mode), pack_index)
    assert await places(studio) == expected


async def test_what_comes_after_the_votes_were_counted_is_posted(studio: Studio) -> None:
    await made(studio, await add_event(studio.database, mode=M.CLUB, status=S.FINISHED))
    assert await places(studio) == [EVERYBODY]


async def test_why_there_is_no_picture_is_told_to_its_maker_alone(studio: Studio) -> None:
    ordered = await studio.order(await studio.lora())
    event = await add_event(studio.database, mode=M.BAKEOFF)
    await studio.change(tables.generations, ordered.id, event_id=event.id, pack_index=0)
    await studio.keys.remove(GUILD, ordered.provider)
    await studio.settle()
    assert [list(post.places) for post in await studio.posts_of(PostKind.PICTURES_FAILED)] == [ALONE]


async def test_an_enlargement_of_such_a_picture_is_as_secret_and_the_gallery_waits(studio: Studio) -> None:
    """Mutant: without the lineage it is posted as made from a picture of the event, with a name."""
    event = await add_event(studio.database, mode=M.CLUB)
    generation = await made(studio, event)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    edited = await studio.pictures.edit(picture_id, Operation.UPSCALE_TOPAZ, MAKER, channel=Channel(CHANNEL))
    assert edited.is_secret
    await studio.settle()
    await finish(studio)
    assert await places(studio) == [ALONE, ALONE]
    with pytest.raises(UserError) as refused:
        await studio.pictures.to_gallery(generation.id, MAKER)
    assert str(refused.value) == STILL_BLIND
    await studio.change(event_tables.events, event.id, status=S.FINISHED)
    assert (await studio.pictures.to_gallery(generation.id, MAKER)).generation.id == generation.id


async def test_others_see_an_entrys_set_once_the_votes_are_counted(studio: Studio) -> None:
    event, generation = await in_the_vote(studio)
    await see(studio, generation, MAKER)
    with pytest.raises(NotFound):
        await see(studio, generation, OTHER)
    await studio.change(event_tables.events, event.id, status=S.FINISHED)
    await see(studio, generation, OTHER)
    with pytest.raises(NotFound):
        await see(studio, generation, Actor(OTHER_GUILD, BEN))


@pytest.mark.parametrize("status", [S.VOTING, S.CANCELLED, S.FINISHED])
async def test_names_stand_on_the_ballot_once_the_votes_are_counted(studio: Studio, status: EventStatus) -> None:
    event, _ = await in_the_vote(studio, status)
    assert [entry.by for entry in await studio.ballots.shown(event.id)] == [ANNA if status is S.FINISHED else None]


async def test_a_report_from_the_ballot_names_the_number_and_not_the_maker(studio: Studio) -> None:
    """Mutant: with the view of other reports the moderators, who vote too, read who made it."""
    event, generation = await in_the_vote(studio)
    await studio.reports.report(generation.id, "not nice", OTHER)
    [report_id] = await studio.scalars(sa.select(tables.picture_reports.c.id))
    view = await studio.reports.view(report_id)
    assert view is not None
    assert view.secret_name == "entry number 1 of a vote"
    await studio.change(event_tables.events, event.id, status=S.FINISHED)
    counted = await studio.reports.view(report_id)
    assert counted is not None
    assert counted.secret_name is None


async def said_of_it(studio: Studio) -> list[str]:
    """What the log says of deletions and dismissals, each with the member whom it names beside its author."""
    rows = (await studio.everything())["moderation_log"]
    acts = {Act.DELETED, Act.MODERATED}
    return [f"{row['about']}{' of a member' * (row['member_id'] is not None)}" for row in rows if row["act"] in acts]


@pytest.mark.parametrize("mode", [M.CLUB, M.BAKEOFF])
async def test_what_moderators_do_about_a_reported_entry_does_not_tell_whose_it_is(
    studio: Studio, mode: EventMode
) -> None:
    """Mutant: without `secret_name` the log has the number of the order, which other lists have with its maker."""
    event, generation = await in_the_vote(studio, mode=mode)
    for reporter in (OTHER, MODERATOR):
        await studio.reports.report(generation.id, "not nice", reporter)
    first, second = await studio.scalars(sa.select(tables.picture_reports.c.id))
    await studio.reports.dismiss(first, MODERATOR)
    await studio.pictures.delete(generation.id, MODERATOR)
    await studio.reports.dismiss(second, MODERATOR)
    assert await said_of_it(studio) == [
        f"report #{first} about entry number 1 of a vote, dismissed",
        "pictures of an event",
        f"report #{second} about pictures of an event, dismissed",
    ]
    view = await studio.reports.view(second)
    assert view is not None
    assert view.secret_name == "pictures of an event"
    await studio.change(event_tables.events, event.id, status=S.FINISHED)
    counted = await studio.reports.view(second)
    assert counted is not None
    assert counted.secret_name is None


async def test_the_report_of_an_entry_whose_member_left_the_event_stays_without_a_name(studio: Studio) -> None:
    """Mutant: with `stands_in` alone its card names who made it as soon as the entry is out of the ballot."""
    event, generation = await in_the_vote(studio)
    await studio.reports.report(generation.id, "not nice", OTHER)
    [report_id] = await studio.scalars(sa.select(tables.picture_reports.c.id))
    await add_entrants(studio.database, event, ANNA, status=EntrantStatus.WITHDRAWN)
    view = await studio.reports.view(report_id)
    assert view is not None
    assert view.secret_name == "pictures of an event"


@pytest.mark.parametrize("mode", [M.CLUB, M.BAKEOFF])
async def test_who_is_in_an_entry_is_not_told_by_which_lora(studio: Studio, mode: EventMode) -> None:
    """Mutant: with `is_voted_on` always False `/me` names the LoRA, and with it whose entry it is."""
    event, generation = await in_the_vote(studio, mode=mode)
    assert generation.lora_id is not None
    claimed = await studio.likeness.claim(generation.lora_id, OTHER)
    [own] = await studio.likeness.of_member(GUILD, BEN)
    seen = await studio.likeness.view(claimed.claim.id)
    assert seen is not None
    assert [each.is_secret for each in (claimed, own, seen)] == [True] * 3
    await studio.change(event_tables.events, event.id, status=S.FINISHED)
    [counted] = await studio.likeness.of_member(GUILD, BEN)
    assert not counted.is_secret


async def test_a_claim_to_be_in_a_lora_of_no_vote_names_it(studio: Studio) -> None:
    """Mutant: with any event in its vote, a LoRA that has nothing to do with it has no name on `/me`."""
    await in_the_vote(studio)
    claimed = await studio.likeness.claim((await studio.lora()).id, OTHER)
    assert not claimed.is_secret


async def test_which_candidate_a_moderator_has_deleted_is_not_told_to_the_host_of_a_bake_off(studio: Studio) -> None:
    """Mutant: with the check for deleted pictures first, **Show** tells it below the host's own list."""
    _, generation = await in_the_vote(studio, mode=M.BAKEOFF)
    await studio.pictures.delete(generation.id, MODERATOR)
    with pytest.raises(NotFound, match=COMPARED):
        await studio.pictures.see(generation.id, MAKER)
    found = await studio.pictures.find(generation.id)
    assert found is not None
    assert found.is_withheld


async def test_the_log_of_an_approval_does_not_tell_whose_entry_it_is(studio: Studio) -> None:
    await studio.guilds.choose_approval(GUILD, is_needed=True)
    event = await add_event(studio.database, mode=M.CLUB, status=S.COLLECTING)
    await add_entrants(studio.database, event, ANNA)
    await made(studio, event)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    await studio.ballots.enter(event.id, picture_id, MAKER)
    assert await studio.approvals.is_waiting(picture_id, Purpose.BALLOT)
    [asked] = await studio.scalars(sa.select(approvals.c.id))
    await studio.approvals.decide(asked, MODERATOR, is_approved=True)
    said = await studio.scalars(sa.select(moderation_log.c.about).where(moderation_log.c.user_id == ADMIN))
    assert said[-1:] == ["an entry for a vote, approved"]
    named = moderation_log.c.member_id == ANNA
    assert await studio.scalars(sa.select(moderation_log.c.about).where(named)) == []


async def test_a_finished_events_yearbook_holds_what_was_never_posted(studio: Studio) -> None:
    event, generation = await in_the_vote(studio, S.FINISHED)
    async with studio.database.read() as connection:
        assert [each.generation.id for each in await yearbook.agreed(connection, event)] == [generation.id]
