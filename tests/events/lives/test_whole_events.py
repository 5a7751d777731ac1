"""Whole events on virtual time, with a restart at every stage."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.generation.order import PictureOrder
from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.guild import NOBODY, Actor, Channel, PlaceKind
from bot.records.key import ProviderName
from bot.records.post import PostKind
from bot.storage.events import tables as event_tables
from tests.events.lives.event_run import CLEO, HOST, HOUR, EventRun, begin
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

S = EventStatus
PACK = ("{trigger} on a boat", "{trigger} in the snow")


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def own_picture(life: EventRun, user_id: int, prompt: str = "at the beach") -> int:
    """An own picture of the entrant, ready; its picture id."""
    view = await life.view()
    event, lora = view.event, view.loras[0]
    mine = [each for each in view.loras if each.owner_id == user_id]
    order = PictureOrder(prompt, lora_id=(mine or [lora])[0].id)
    accepted = await life.studio.budgets.order(event, order, Actor(GUILD, user_id), Channel(CHANNEL))
    for _ in range(20):
        await life.pass_time(timedelta(seconds=10))
        made = await life.studio.generations.view(accepted.generation.id)
        if made is not None and made.pictures:
            return made.pictures[0].id
    raise AssertionError("the picture was never made")


async def test_a_shared_event_runs_from_its_opening_to_its_winner(keyed: Studio) -> None:
    life = await begin(keyed, pack=PACK, budget=400)
    assert await life.status() is S.COLLECTING
    await life.give(ANNA, 12)
    await life.give(BEN, 8)
    await life.give(CLEO, 20)
    await life.until(S.TRAINING)
    (chosen,) = await life.details(AnnouncementKind.CHOSEN)
    assert 15 <= chosen["photos"] == sum(chosen["by"].values()) <= 30
    assert set(chosen["by"]) == {str(ANNA), str(BEN), str(CLEO)}
    await life.until(S.SHOWING)
    view = await life.view()
    (lora,) = view.loras
    assert lora.owner_id == HOST.user_id
    for user_id in (ANNA, BEN, CLEO):
        assert lora in await keyed.loras.usable_by(Actor(GUILD, user_id)), "it is shared with the entrants"
    assert lora not in await keyed.loras.usable_by(Actor(GUILD, 999))
    await life.pass_time(timedelta(minutes=5))
    annas, bens = await own_picture(life, ANNA), await own_picture(life, BEN)
    assert annas != bens
    await life.until(S.VOTING)
    ballot = await keyed.ballots.entries(life.event_id, Actor(GUILD, CLEO))
    assert [entry.position for entry in ballot] == [1, 2]
    mine = next(entry for entry in await keyed.ballots.entries(life.event_id, Actor(GUILD, ANNA)) if entry.is_mine)
    await keyed.ballots.vote(life.event_id, mine.entry_id, Actor(GUILD, CLEO))
    await keyed.ballots.vote(life.event_id, mine.entry_id, Actor(GUILD, BEN))
    await life.pass_time(timedelta(hours=5.5))
    assert (await life.notes()).count(AnnouncementKind.CLOSING_SOON) == 3
    await keyed.events.extend(life.event_id, 2, HOST)
    await life.until(S.FINISHED)
    (winner,) = (await life.view()).winners
    assert winner.user_id == ANNA
    told = await life.notes()
    assert told == [
        AnnouncementKind.OPENED,
        AnnouncementKind.CLOSING_SOON,
        AnnouncementKind.CHOSEN,
        AnnouncementKind.LORAS_READY,
        AnnouncementKind.PACK_DONE,
        AnnouncementKind.CLOSING_SOON,
        AnnouncementKind.CLOSING_SOON,
        AnnouncementKind.WINNER,
    ]
    stages = [called["stage"] for called in await life.details(AnnouncementKind.CLOSING_SOON)]
    assert stages == [S.COLLECTING, S.SHOWING, S.VOTING]
    reminded = [post.user_id for post in await keyed.posts_of(PostKind.VOTE_REMINDER)]
    assert reminded == [ANNA], "who alone has not voted"
    assert (await life.view()).spent == 257 + 2 * 2 + 2 * 2
    assert [post.status for post in await keyed.posts_of(PostKind.EVENT_BALLOT)] == ["posted"]
    assert len(await keyed.posts_of(PostKind.EVENT_PANEL)) == 1


async def test_a_personal_event_trains_as_many_as_the_budget_pays(keyed: Studio) -> None:
    life = await begin(keyed, EventMode.PERSONAL, photo_cap=20, budget=2 * 257 + 10, pack=())
    for user_id in (ANNA, BEN, CLEO):
        await life.give(user_id, 16)
    await life.give(404, 3)
    await life.until(S.TRAINING)
    await life.until(S.SHOWING)
    assert [lora.owner_id for lora in sorted((await life.view()).loras, key=lambda lora: lora.id)] == [ANNA, BEN]
    left_out = {detail["why"]: detail["user_ids"] for detail in await life.details(AnnouncementKind.NOT_TRAINED)}
    assert left_out == {"budget": [CLEO], "photos": [404]}
    assert (await life.entrant(ANNA)).lora_id is not None
    assert keyed.charges("create") == 2
    assert (await life.view()).spent == 2 * 257


async def test_too_few_people_make_it_wait_until_more_come(keyed: Studio) -> None:
    life = await begin(keyed, entrants_min=2)
    await life.give(ANNA, 20)
    await life.pass_time(25 * HOUR)
    assert (await life.event()).paused_why == "too_few_entrants"
    await life.give(BEN, 1, first=50)
    await life.pass_time(HOUR / 2)
    event = await life.event()
    assert event.paused_at is None
    assert event.status is S.COLLECTING
    await life.until(S.TRAINING)


async def test_an_event_that_nobody_helps_is_cancelled_after_three_days(keyed: Studio) -> None:
    life = await begin(keyed, entrants_min=5)
    await life.give(ANNA, 3)
    await life.pass_time(25 * HOUR)
    await life.until(S.CANCELLED, within=timedelta(days=5))
    (told,) = await life.details(AnnouncementKind.CANCELLED)
    assert told == {"spent": 0, "trainings": 0, "pictures": 0, "by": "abandoned"}
    await life.pass_time(timedelta(minutes=1))
    assert keyed.files() == []


async def test_a_cancelled_event_spends_nothing_more_and_says_what_was_paid(keyed: Studio) -> None:
    life = await begin(keyed, pack=PACK)
    await life.give(ANNA, 20)
    await life.until(S.TRAINING)
    await keyed.settle()
    await keyed.events.cancel(life.event_id, HOST)
    await life.pass_time(HOUR)
    assert await life.status() is S.CANCELLED
    (told,) = await life.details(AnnouncementKind.CANCELLED)
    assert told["trainings"] == 1
    assert told["by"] == "host"
    before = keyed.charges("create"), keyed.charges("images")
    await life.pass_time(timedelta(days=2))
    assert (keyed.charges("create"), keyed.charges("images")) == before
    assert keyed.files() == []
    assert (await life.notes()).count(AnnouncementKind.CANCELLED) == 1


async def test_whoever_left_the_server_takes_their_photos_along(keyed: Studio) -> None:
    life = await begin(keyed)
    await life.give(ANNA, 20)
    await life.give(BEN, 5, first=30)
    keyed.members.gone.add((GUILD, BEN))
    await life.until(S.TRAINING)
    assert await life.still_in() == [ANNA]
    (chosen,) = await life.details(AnnouncementKind.CHOSEN)
    assert set(chosen["by"]) == {str(ANNA)}


async def test_without_a_key_the_event_waits_and_goes_on_when_there_is_one(studio: Studio) -> None:
    await studio.set_key()
    life = await begin(studio)
    await life.give(ANNA, 20)
    await studio.keys.remove(GUILD, ProviderName.APIFRAME)
    await life.until(S.TRAINING)
    await studio.settle()
    assert (await life.event()).paused_why == "no_key"
    await life.pass_time(8 * HOUR)
    assert await life.status() is S.TRAINING
    await studio.set_key()
    await life.until(S.SHOWING)
    assert (await life.notes()).count(AnnouncementKind.PAUSED) == 1
    assert (await life.notes()).count(AnnouncementKind.RESUMED) == 1


async def test_two_hosts_closing_at_once_close_one_stage(keyed: Studio) -> None:
    life = await begin(keyed)
    await life.give(ANNA, 20)
    await keyed.events.close(life.event_id, HOST)
    with pytest.raises(Exception, match="closing already"):
        await keyed.events.close(life.event_id, HOST)
    await keyed.settle()
    assert await life.status() is S.REVIEWING


async def test_a_host_who_erases_themselves_cancels_their_events(keyed: Studio) -> None:
    life = await begin(keyed)
    await life.give(ANNA, 3)
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=HOST.user_id)
    await keyed.settle()
    event = await life.event()
    assert (event.status, event.host_id) == (S.CANCELLED, NOBODY)
    assert keyed.files() == []


async def test_the_panel_of_an_erased_host_says_that_it_is_over_and_nobody_else_is_told(
    keyed: Studio,
) -> None:
    await begin(keyed)
    await keyed.pass_time(keyed.timings.panel)
    edits = len(keyed.poster.edits)
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=HOST.user_id)
    await keyed.settle()
    await keyed.pass_time(keyed.timings.panel)
    assert [kind for kind, _ in keyed.poster.edits[edits:]] == [PostKind.EVENT_PANEL]
    (panel,) = await keyed.posts_of(PostKind.EVENT_PANEL)
    (note,) = await keyed.posts_of(PostKind.EVENT_ANNOUNCEMENT)
    assert (panel.user_id, note.user_id) == (NOBODY, NOBODY)
    assert {place.kind for place in (*panel.places, *note.places)} == {PlaceKind.CHANNEL}


async def test_an_entrant_who_erases_themselves_leaves_nothing_in_the_event(keyed: Studio) -> None:
    life = await begin(keyed)
    await life.give(ANNA, 3)
    await life.give(BEN, 16, first=30)
    held = await keyed.privacy.holdings(guild_id=GUILD, user_id=ANNA)
    assert (held.events, held.photos_on_disk, held.datasets) == (1, 3, 0)
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await life.still_in() == [BEN]
    assert (await life.view()).photos == 16
    assert len(keyed.files()) == 16
    nothing = await keyed.privacy.holdings(guild_id=GUILD, user_id=ANNA)
    assert (nothing.events, nothing.photos_on_disk) == (0, 0)


async def test_thirty_days_after_its_end_only_the_event_its_people_and_its_winners_are_kept(keyed: Studio) -> None:
    life = await begin(keyed, pack=())
    for user_id, first in ((ANNA, 1), (BEN, 30)):
        await life.give(user_id, 10, first=first)
    await life.until(S.SHOWING)
    for user_id in (ANNA, BEN):
        await own_picture(life, user_id)
    await life.until(S.VOTING)
    theirs = next(
        entry for entry in await keyed.ballots.entries(life.event_id, Actor(GUILD, ANNA)) if not entry.is_mine
    )
    await keyed.ballots.vote(life.event_id, theirs.entry_id, Actor(GUILD, ANNA))
    await life.until(S.FINISHED)
    await life.pass_time(timedelta(days=31))
    for table in (event_tables.votes, event_tables.entries, event_tables.announcements):
        assert await keyed.scalars(sa.select(table.c.id)) == [], table.name
    assert [honour.user_id for honour in await keyed.ballots.hall_of_fame(GUILD)] == [BEN]
    assert await life.still_in() == [ANNA, BEN]
