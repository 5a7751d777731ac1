"""What hosts do with events: who may, when, what is stored at once, and that two presses count once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import NotAllowed, NotFound, UserError
from bot.events.service import CLOSING
from bot.ports import ReadinessCheck
from bot.records.event import AnnouncementKind, Candidate, EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.lora import Audience
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.events import tables as event_tables
from tests.events.event_hosts import BOSS, HERE, HOST, Hosting
from tests.events.event_spends import TRAINING, add_spend
from tests.fakes.events import add_entrants, plan_event
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_lora, photo
from tests.fakes.studio import Studio, tiny_jpeg

S = EventStatus
HOUR = timedelta(hours=1)
CLEO = 403
MEMBER, STRANGER = Actor(GUILD, BEN), Actor(OTHER_GUILD, ANNA, is_admin=True)


@pytest.fixture
async def hosting(studio: Studio) -> Hosting:
    await studio.set_key()
    return Hosting(studio)


async def paused(hosting: Hosting, event: Event, why: PauseReason, **values: Any) -> Event:
    return await hosting.now_at(event, paused_at=hosting.studio.clock.now(), paused_why=why, **values)


async def test_a_draft_is_there_for_those_who_run_it_alone(hosting: Hosting) -> None:
    draft = await hosting.draft(name="  Mascot   days ")
    assert (draft.status, draft.name, draft.host_id, draft.channel_id) == (S.DRAFT, "Mascot days", ANNA, CHANNEL)
    assert (await hosting.service.get_for(draft.id, BOSS)).id == draft.id
    for actor in (MEMBER, STRANGER):
        with pytest.raises(NotFound):
            await hosting.service.get_for(draft.id, actor)
        assert not await hosting.service.choices("", actor)
    assert await hosting.studio.posts_of(PostKind.EVENT_PANEL) == []


async def test_moderators_run_an_event_and_members_only_see_it(hosting: Hosting) -> None:
    event = await hosting.opened(moderator_ids={CLEO})
    await hosting.service.change(event.id, Actor(GUILD, CLEO), theme="By a moderator")
    assert (await hosting.service.get_for(event.id, MEMBER)).theme == "By a moderator"
    for attempt in (
        hosting.service.change(event.id, MEMBER, theme="By a member"),
        hosting.service.close(event.id, MEMBER),
        hosting.service.extend(event.id, 1, MEMBER),
        hosting.service.cancel(event.id, MEMBER),
        hosting.service.readiness(event.id, MEMBER),
        hosting.service.remove_entrant(event.id, ANNA, MEMBER),
    ):
        with pytest.raises(NotAllowed, match="Only the event's host"):
            await attempt


async def test_another_guild_finds_nothing(hosting: Hosting) -> None:
    event = await hosting.opened()
    sentences = set()
    for event_id in (event.id, event.id + 1000):
        for attempt in (
            hosting.service.get_for(event_id, STRANGER),
            hosting.service.change(event_id, STRANGER, theme="Mine"),
            hosting.service.open(event_id, STRANGER),
            hosting.service.close(event_id, STRANGER),
            hosting.service.extend(event_id, 1, STRANGER),
            hosting.service.cancel(event_id, STRANGER),
            hosting.service.readiness(event_id, STRANGER),
            hosting.service.remove_entrant(event_id, ANNA, STRANGER),
            hosting.service.pick(str(event_id), STRANGER),
        ):
            with pytest.raises(NotFound) as refused:
                await attempt
            sentences.add(str(refused.value))
    assert len(sentences) == 1


async def test_opening_begins_the_first_stage_announces_it_and_posts_one_panel(hosting: Hosting) -> None:
    now = hosting.studio.clock.now()
    event = await hosting.opened(hours={S.COLLECTING: 10, S.REVIEWING: 2})
    assert (event.status, event.opened_at, event.stage_ends_at) == (S.COLLECTING, now, now + 10 * HOUR)
    (panel,) = await hosting.studio.posts_of(PostKind.EVENT_PANEL)
    assert (panel.subject_table, panel.subject_id, panel.user_id) == (SubjectTable.EVENT, event.id, ANNA)
    assert panel.places == (Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA))
    assert [note.what for note in await hosting.notes(event)] == [AnnouncementKind.OPENED]
    assert hosting.studio.database.wakeups.event("events").is_set()
    assert await hosting.studio.scalars(sa.select(event_tables.events.c.due_at)) == [now]


async def test_the_photos_of_a_shared_subject_have_one_place_until_a_fixed_time(hosting: Hosting) -> None:
    event = await hosting.opened(hours={S.COLLECTING: 10, S.REVIEWING: 2})
    (dataset,) = await hosting.studio.scalars(sa.select(tables.datasets.c.id))
    assert event.dataset_id == dataset
    rows = sa.select(tables.datasets.c.user_id, tables.datasets.c.event_id, tables.datasets.c.name)
    async with hosting.studio.database.read() as connection:
        assert (await connection.execute(rows)).one() == (ANNA, event.id, "Mascot days")
    kept = hosting.studio.timings.event_photos_kept
    assert await hosting.photos_leave_at(event) == hosting.studio.clock.now() + 12 * HOUR + kept


async def test_a_personal_event_has_no_photos_of_its_own(hosting: Hosting) -> None:
    event = await hosting.opened(EventMode.PERSONAL)
    assert (event.status, event.dataset_id) == (S.COLLECTING, None)
    assert await hosting.studio.scalars(sa.select(tables.datasets.c.id)) == []


async def test_its_photos_are_trained_with_its_steps_and_rank_and_so_are_those_of_a_copy(hosting: Hosting) -> None:
    event = await hosting.opened(steps=2000, rank=48)
    await hosting.opened()
    columns = tables.datasets.c
    assert await hosting.studio.scalars(sa.select(columns.steps).order_by(columns.id)) == [2000, 1000]
    assert await hosting.studio.scalars(sa.select(columns.rank).order_by(columns.id)) == [48, 32]
    copied = await hosting.service.copy(event.id, BOSS, HERE)
    assert (copied.steps, copied.rank) == (2000, 48)


async def test_two_who_open_at_once_open_it_once(hosting: Hosting) -> None:
    draft = await hosting.draft()
    answers = await asyncio.gather(
        hosting.service.open(draft.id, HOST), hosting.service.open(draft.id, BOSS), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [str(answer) for answer in refused] == ["This event has been opened already."]
    assert len(await hosting.studio.posts_of(PostKind.EVENT_PANEL)) == 1
    assert len(await hosting.studio.scalars(sa.select(tables.datasets.c.id))) == 1


async def test_what_is_not_ready_is_not_opened_and_the_fix_is_said(hosting: Hosting) -> None:
    draft = await hosting.draft()
    hosting.studio.venue.checks = [
        ReadinessCheck("Write in the channel", is_ok=False, fix="Let Darkroom write there."),
        ReadinessCheck("Threads", is_ok=False, fix="Let Darkroom make threads.", is_optional=True),
    ]
    with pytest.raises(UserError, match=r"not ready yet\. Let Darkroom write there\.$"):
        await hosting.service.open(draft.id, HOST)
    assert (await hosting.service.get_for(draft.id, HOST)).status is S.DRAFT


async def test_so_many_events_at_once_and_no_more(hosting: Hosting) -> None:
    events = [await hosting.opened() for _ in range(10)]
    one_more = await hosting.draft()
    with pytest.raises(UserError, match="10 events run here already"):
        await hosting.service.open(one_more.id, HOST)
    await hosting.service.cancel(events[0].id, HOST)
    assert (await hosting.service.open(one_more.id, HOST)).status is S.COLLECTING


async def test_closing_ends_the_stage_now_and_keeps_photos_no_longer_than_that_needs(hosting: Hosting) -> None:
    event = await hosting.opened(hours={S.COLLECTING: 10, S.REVIEWING: 2})
    hosting.studio.clock.advance(HOUR)
    now = hosting.studio.clock.now()
    closed = await hosting.service.close(event.id, HOST)
    assert (closed.status, closed.stage_ends_at) == (S.COLLECTING, now)
    assert await hosting.photos_leave_at(event) == now + 2 * HOUR + hosting.studio.timings.event_photos_kept
    assert await hosting.studio.scalars(sa.select(event_tables.events.c.due_at)) == [now]
    (panel,) = await hosting.studio.posts_of(PostKind.EVENT_PANEL)
    assert panel.revision == 1


async def test_what_was_closed_is_closing_until_the_engine_has_moved_it(hosting: Hosting) -> None:
    event = await hosting.opened(entrants_min=1)
    assert not (await hosting.view(event)).is_closing
    assert (await hosting.service.closable(event.id, HOST)).id == event.id
    await hosting.service.close(event.id, HOST)
    assert (await hosting.view(event)).is_closing
    with pytest.raises(UserError, match=CLOSING):
        await hosting.service.closable(event.id, HOST)
    await hosting.studio.settle()
    view = await hosting.view(event)
    assert (view.is_closing, view.event.paused_why) == (False, PauseReason.TOO_FEW_ENTRANTS)


async def test_who_names_no_event_means_the_live_one_or_what_has_just_ended(hosting: Hosting) -> None:
    with pytest.raises(NotFound, match="/event create"):
        await hosting.service.latest(MEMBER)
    event = await hosting.opened()
    draft = await hosting.draft()
    assert (await hosting.service.latest(HOST)).id == event.id
    await hosting.service.cancel(event.id, HOST)
    for actor in (HOST, MEMBER):
        assert (await hosting.service.latest(actor)).id == event.id
    hosting.studio.clock.advance(timedelta(days=1))
    assert (await hosting.service.latest(HOST)).id == draft.id
    assert (await hosting.service.latest(MEMBER)).id == event.id
    newer = await hosting.opened()
    assert (await hosting.service.latest(MEMBER)).id == newer.id
    await hosting.service.cancel(newer.id, HOST)
    await hosting.service.cancel(draft.id, HOST)
    assert (await hosting.service.latest(HOST)).id == newer.id


async def test_name_theme_and_rules_are_fixed_once_somebody_takes_part(hosting: Hosting) -> None:
    event = await hosting.opened()
    changed = await hosting.service.change(event.id, HOST, name="Owl days", theme="Owls", rules="Be kind to owls")
    assert (changed.name, changed.theme, changed.rules) == ("Owl days", "Owls", "Be kind to owls")
    assert await hosting.studio.scalars(sa.select(tables.datasets.c.name)) == ["Owl days"]
    await add_entrants(hosting.studio.database, event, ANNA, status=EntrantStatus.WITHDRAWN)
    for field in ("name", "theme", "rules"):
        with pytest.raises(UserError, match="Somebody takes part already"):
            await hosting.service.change(event.id, HOST, **{field: "Cats"})
    assert (await hosting.service.change(event.id, HOST, photo_cap=7)).name == "Owl days"


async def test_one_like_it_is_a_draft_of_whoever_asks_with_all_its_settings(hosting: Hosting) -> None:
    event = await hosting.opened(photo_cap=7, moderator_ids=frozenset({BEN}), budget=900)
    await hosting.service.cancel(event.id, HOST)
    copied = await hosting.service.copy(event.id, BOSS, Channel(CHANNEL + 1))
    assert (copied.status, copied.opened_at, copied.dataset_id, copied.thread_id) == (S.DRAFT, None, None, None)
    assert (copied.host_id, copied.channel_id) == (BOSS.user_id, CHANNEL + 1)
    assert (copied.name, copied.theme, copied.photo_cap, copied.budget) == (event.name, event.theme, 7, 900)
    assert (copied.moderator_ids, copied.hours, copied.pack) == (frozenset({BEN}), event.hours, event.pack)
    assert (await hosting.service.open(copied.id, BOSS)).status is S.COLLECTING
    with pytest.raises(NotFound):
        await hosting.service.copy(event.id, STRANGER, HERE)


async def test_of_two_who_close_at_once_one_is_told_that_it_closes_already(hosting: Hosting) -> None:
    event = await hosting.opened()
    answers = await asyncio.gather(
        hosting.service.close(event.id, HOST), hosting.service.close(event.id, BOSS), return_exceptions=True
    )
    assert sorted(str(answer) for answer in answers if isinstance(answer, UserError)) == [CLOSING]
    assert sum(isinstance(answer, Event) for answer in answers) == 1


async def test_a_stage_that_has_moved_on_meanwhile_is_not_closed_with_the_old_one(hosting: Hosting) -> None:
    event = await hosting.opened()
    await hosting.now_at(event, status=S.TRAINING, stage_ends_at=None)
    with pytest.raises(UserError, match="ends by itself"):
        await hosting.service.close(event.id, HOST)


async def test_a_button_for_one_stage_does_not_end_the_next(hosting: Hosting) -> None:
    event = await hosting.opened()
    await hosting.now_at(event, status=S.VOTING)
    with pytest.raises(UserError, match="This stage has ended already"):
        await hosting.service.close(event.id, HOST, S.SHOWING)
    closed = await hosting.service.close(event.id, HOST, S.VOTING)
    assert closed.stage_ends_at == hosting.studio.clock.now()


async def test_extending_moves_the_end_and_the_photos(hosting: Hosting) -> None:
    event = await hosting.opened(hours={S.COLLECTING: 10, S.REVIEWING: 2})
    assert event.stage_ends_at is not None
    longer = await hosting.service.extend(event.id, 24, HOST)
    assert longer.stage_ends_at == event.stage_ends_at + 24 * HOUR
    kept = hosting.studio.timings.event_photos_kept
    assert await hosting.photos_leave_at(event) == event.stage_ends_at + 26 * HOUR + kept


@pytest.mark.parametrize("hours", [0, -1, 337, float("nan"), float("inf")])
async def test_an_extension_has_limits(hosting: Hosting, hours: float) -> None:
    event = await hosting.opened()
    with pytest.raises(UserError, match="up to 336 hours"):
        await hosting.service.extend(event.id, hours, HOST)


@pytest.mark.parametrize("why", [PauseReason.TOO_FEW_ENTRANTS, PauseReason.TOO_FEW_PHOTOS])
async def test_extending_revives_what_waits_for_people(hosting: Hosting, why: PauseReason) -> None:
    event = await paused(hosting, await hosting.opened(), why, stage_ends_at=hosting.studio.clock.now())
    with pytest.raises(UserError, match="paused"):
        await hosting.service.close(event.id, HOST)
    hosting.studio.clock.advance(5 * HOUR)
    on = await hosting.service.extend(event.id, 24, HOST)
    assert (on.paused_at, on.paused_why) == (None, None)
    assert on.stage_ends_at == hosting.studio.clock.now() + 24 * HOUR
    assert [note.what for note in await hosting.notes(event)] == [AnnouncementKind.OPENED, AnnouncementKind.RESUMED]


async def test_extending_lets_failed_training_be_tried_again(hosting: Hosting) -> None:
    event = await hosting.now_at(await hosting.opened(), status=S.TRAINING, stage_ends_at=None)
    with pytest.raises(UserError, match="no deadline"):
        await hosting.service.extend(event.id, 1, HOST)
    await paused(hosting, event, PauseReason.TRAINING_FAILED)
    on = await hosting.service.extend(event.id, 1, HOST)
    assert (on.status, on.paused_at, on.stage_ends_at) == (S.TRAINING, None, None)


async def test_extending_does_not_end_a_pause_that_ends_by_itself(hosting: Hosting) -> None:
    event = await hosting.now_at(await hosting.opened(), status=S.SHOWING)
    event = await paused(hosting, event, PauseReason.PROVIDER_DOWN)
    assert event.stage_ends_at is not None
    longer = await hosting.service.extend(event.id, 2, HOST)
    assert longer.paused_why is PauseReason.PROVIDER_DOWN
    assert longer.stage_ends_at == event.stage_ends_at + 2 * HOUR


async def test_cancelling_ends_it_at_once_and_leaves_the_rest_to_the_engine(hosting: Hosting) -> None:
    event = await paused(hosting, await hosting.opened(), PauseReason.TOO_FEW_PHOTOS)
    now = hosting.studio.clock.now()
    over = await hosting.service.cancel(event.id, HOST)
    assert (over.status, over.ended_at, over.stage_ends_at, over.paused_at) == (S.CANCELLED, now, None, None)
    assert over.due_at == now
    for attempt in (
        hosting.service.cancel(event.id, HOST),
        hosting.service.extend(event.id, 1, HOST),
        hosting.service.change(event.id, HOST, theme="Again"),
    ):
        with pytest.raises(UserError, match="over"):
            await attempt


async def test_a_cancelled_draft_was_never_there_for_others(hosting: Hosting) -> None:
    draft = await hosting.draft()
    over = await hosting.service.cancel(draft.id, HOST)
    assert (over.status, over.due_at) == (S.CANCELLED, None)
    with pytest.raises(NotFound):
        await hosting.service.get_for(draft.id, MEMBER)
    assert await hosting.notes(draft) == []


async def test_settings_are_stored_checked_and_shown_soon(hosting: Hosting) -> None:
    event = await hosting.opened()
    changed = await hosting.service.change(
        event.id, HOST, budget=600, role_ids={7}, hours={S.VOTING: 5}, pack=["{trigger}  by the sea"], entrants_max=9
    )
    assert (changed.budget, changed.role_ids, changed.entrants_max) == (600, frozenset({7}), 9)
    assert changed.pack == ("{trigger} by the sea",)
    assert changed.hours == {**event.hours, S.VOTING: 5.0}
    (panel,) = await hosting.studio.posts_of(PostKind.EVENT_PANEL)
    assert panel.revision == 1
    for wrong in ({"photo_cap": 31}, {"entrants_max": 1}, {"name": "x" * 200}, {"pack": ["{me}"]}):
        with pytest.raises(UserError):
            await hosting.service.change(event.id, HOST, **wrong)
    assert await hosting.service.get_for(event.id, HOST) == changed


async def test_a_budget_cannot_be_lower_than_what_is_spent(hosting: Hosting) -> None:
    event = await hosting.opened(budget=1000)
    await add_spend(hosting.studio.database, event, TRAINING)
    with pytest.raises(UserError, match=f"{TRAINING} credits are spent"):
        await hosting.service.change(event.id, HOST, budget=TRAINING - 1)
    assert (await hosting.service.change(event.id, HOST, budget=TRAINING)).budget == TRAINING


@pytest.mark.parametrize("budget", [None, 500])
async def test_more_budget_ends_the_pause_that_it_caused(hosting: Hosting, budget: int | None) -> None:
    event = await hosting.now_at(await hosting.opened(budget=300), status=S.TRAINING, stage_ends_at=None)
    await paused(hosting, event, PauseReason.BUDGET_SPENT)
    assert (await hosting.service.change(event.id, HOST, theme="Other")).paused_at is not None
    assert (await hosting.service.change(event.id, HOST, budget=budget)).paused_at is None
    assert AnnouncementKind.RESUMED in [note.what for note in await hosting.notes(event)]


async def test_moderators_belong_to_the_guild(hosting: Hosting) -> None:
    hosting.studio.members.gone.add((GUILD, CLEO))
    draft = await hosting.draft()
    with pytest.raises(UserError, match=f"<@{CLEO}> is not a member"):
        await hosting.service.change(draft.id, HOST, moderator_ids={BEN, CLEO})
    assert (await hosting.service.change(draft.id, HOST, moderator_ids={BEN})).moderator_ids == {BEN}


async def test_only_what_one_may_use_goes_into_an_event(hosting: Hosting) -> None:
    mine = await hosting.studio.lora()
    bens = await hosting.studio.lora(user_id=BEN)
    abroad = await add_lora(hosting.studio.database, 99, guild_id=OTHER_GUILD, owner_id=ANNA)
    club = await hosting.draft(EventMode.CLUB)
    for lora_id in (bens.id, abroad):
        with pytest.raises(NotFound):
            await hosting.service.change(club.id, HOST, lora_ids=[mine.id, lora_id])
    with pytest.raises(NotFound):
        await hosting.service.change(club.id, HOST, style_ids=[12345])
    with pytest.raises(NotFound):
        await hosting.draft(EventMode.CLUB, lora_ids=(bens.id,))
    assert (await hosting.service.change(club.id, HOST, lora_ids=[mine.id])).lora_ids == (mine.id,)


async def test_entrants_of_a_club_may_use_the_hosts_lora_from_the_opening_on(hosting: Hosting) -> None:
    lora = await hosting.studio.lora()
    draft = await hosting.draft(EventMode.CLUB)
    await hosting.service.change(draft.id, HOST, lora_ids=[lora.id])
    assert (await hosting.studio.sharing.of(lora.id, HOST)).shares == ()
    event = await hosting.service.open(draft.id, HOST)
    await add_entrants(hosting.studio.database, event, BEN)
    (share,) = (await hosting.studio.sharing.of(lora.id, HOST)).shares
    assert (share.audience, share.audience_id) == (Audience.EVENT, event.id)
    assert [each.id for each in await hosting.studio.loras.usable_by(MEMBER)] == [lora.id]
    assert await hosting.studio.loras.usable_by(Actor(GUILD, CLEO)) == []


async def test_a_bakeoff_begins_with_its_pictures(hosting: Hosting) -> None:
    lora = await hosting.studio.lora()
    candidates = (Candidate(lora.id, 0.6, "weak"), Candidate(lora.id, 1.0, "strong"))
    draft = await hosting.draft(EventMode.BAKEOFF, candidates=candidates)
    event = await hosting.service.open(draft.id, HOST)
    assert (event.status, event.candidates) == (S.SHOWING, candidates)
    assert event.stage_ends_at == hosting.studio.clock.now() + HOUR


async def test_an_event_is_picked_by_value_by_name_or_because_it_is_the_only_one(hosting: Hosting) -> None:
    event = await hosting.opened()
    for text in (str(event.id), "mascot DAYS ", None):
        assert (await hosting.service.pick(text, MEMBER)).id == event.id
    draft = await hosting.draft(name="Second")
    assert (await hosting.service.pick(None, HOST)).id == event.id, "a draft is not the live one"
    assert (await hosting.service.pick("second", HOST)).id == draft.id
    for text in ("Mascot days · photos are being collected", "🎉 MASCOT days · voting"):
        assert (await hosting.service.pick(text, MEMBER)).id == event.id, "a label works like its value"
    for text in ("second", str(draft.id), "nothing", " · voting"):
        with pytest.raises(NotFound):
            await hosting.service.pick(text, MEMBER)
    with pytest.raises(UserError, match="several"):
        await hosting.service.pick(None, HOST, runnable=True)
    await hosting.service.open(draft.id, HOST)
    with pytest.raises(UserError, match="several"):
        await hosting.service.pick(None, MEMBER)
    for each in (event, draft):
        await hosting.service.cancel(each.id, HOST)
    with pytest.raises(NotFound, match="/event create"):
        await hosting.service.pick(None, MEMBER)
    assert (await hosting.service.pick(str(event.id), MEMBER)).status is S.CANCELLED


async def test_of_two_with_one_name_the_live_one_is_meant(hosting: Hosting) -> None:
    await hosting.service.cancel((await hosting.opened()).id, HOST)
    live = await hosting.opened()
    await hosting.service.cancel((await hosting.opened()).id, HOST)
    assert (await hosting.service.pick("Mascot days", MEMBER)).id == live.id
    await hosting.opened()
    with pytest.raises(UserError, match="several"):
        await hosting.service.pick("Mascot days", MEMBER)


async def test_choices_show_live_ones_first_and_what_one_runs(hosting: Hosting) -> None:
    over = await hosting.opened()
    await hosting.service.cancel(over.id, HOST)
    live = await hosting.opened()
    bens = await plan_event(hosting.service, Actor(GUILD, BEN), HERE, name="Bens", theme="")
    assert [each.id for each in await hosting.service.choices("", MEMBER)] == [live.id, bens.id, over.id]
    assert [each.id for each in await hosting.service.choices("mas", MEMBER)] == [live.id, over.id]
    assert [each.id for each in await hosting.service.choices("", HOST, runnable=True)] == [live.id]
    assert [each.id for each in await hosting.service.choices("", MEMBER, runnable=True)] == [bens.id]
    for number in range(30):
        await hosting.draft(name=f"Event {number}")
    assert len(await hosting.service.choices("", HOST)) == 25


@pytest.mark.parametrize(("status", "deletes"), [(S.COLLECTING, True), (S.REVIEWING, True), (S.SHOWING, False)])
async def test_a_removed_entrant_is_out_and_their_photos_go_before_training(
    hosting: Hosting, status: EventStatus, *, deletes: bool
) -> None:
    event = await hosting.opened()
    await add_entrants(hosting.studio.database, event, BEN, CLEO)
    file = hosting.studio.spool.new_name(".jpg")
    hosting.studio.spool.path(file).write_bytes(tiny_jpeg(1))
    await hosting.give(event, photo(1, file=file, contributor_id=BEN))
    await hosting.now_at(event, status=status)
    await hosting.service.remove_entrant(event.id, BEN, HOST)
    view = await hosting.view(event)
    assert [entrant.user_id for entrant in view.entrants] == [CLEO]
    assert (view.photos, len(hosting.studio.files())) == ((0, 0) if deletes else (1, 1))
    found = sa.select(event_tables.entrants.c.status).where(event_tables.entrants.c.user_id == BEN)
    assert await hosting.studio.scalars(found) == [EntrantStatus.REMOVED]
    for user_id in (BEN, 999):
        with pytest.raises(NotFound, match="do not take part"):
            await hosting.service.remove_entrant(event.id, user_id, HOST)
