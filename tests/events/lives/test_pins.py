"""The panel is pinned once while its event is live, whatever happens in between."""

from datetime import timedelta

import pytest

from bot.events.pins import UNPINNED
from bot.records.event import EventStatus
from bot.records.guild import Channel
from bot.records.job import LaneName
from bot.records.post import Post, PostKind
from bot.storage.jobs import posts
from bot.storage.tables import posts as post_rows
from tests.events.lives.event_run import HOST, EventRun, begin
from tests.fakes.events import change_event, plan_and_open
from tests.fakes.rows import CHANNEL
from tests.fakes.studio import Studio

S = EventStatus


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def panel_of(life: EventRun) -> Post:
    panel = await life.studio.database.fetch(posts.find, PostKind.EVENT_PANEL, life.event_id)
    assert panel is not None
    assert panel.message_id
    return panel


async def step(life: EventRun) -> None:
    """Let the engine look at the event once more."""
    await change_event(life.studio.database, await life.event(), due_at=life.studio.clock.now())
    await life.studio.settle()


async def test_the_panel_is_pinned_as_soon_as_it_stands_there_and_once(keyed: Studio) -> None:
    """Mutant: without the outbox's wake-up it is pinned at the next stage only."""
    event = await plan_and_open(keyed.events, HOST, Channel(CHANNEL), wants_thread=False)
    await keyed.settle(LaneName.EVENTS)
    assert keyed.venue.pins == []
    await keyed.settle()
    life = EventRun(keyed, event.id)
    message_id = (await panel_of(life)).message_id
    assert keyed.venue.pins == [(message_id, True)]
    assert (await life.event()).pinned_id == message_id
    await step(life)
    assert keyed.venue.pins == [(message_id, True)]


@pytest.mark.parametrize("ending", ["finished", "cancelled"])
async def test_it_is_unpinned_once_when_the_event_is_over(keyed: Studio, ending: str) -> None:
    life = await begin(keyed)
    message_id = (await panel_of(life)).message_id
    if ending == "cancelled":
        await keyed.events.cancel(life.event_id, HOST)
    else:
        await change_event(keyed.database, await life.event(), status=S.FINISHED, ended_at=keyed.clock.now())
    await step(life)
    await step(life)
    assert keyed.venue.pins == [(message_id, True), (message_id, False)]


async def test_what_was_pinned_when_the_bot_died_is_unpinned_at_the_end(keyed: Studio) -> None:
    """Killed between Discord's answer and the note of it, and cancelled before the event was looked at again.

    Mutant: unpinning only what is noted leaves it pinned for ever.
    """
    life = await begin(keyed)
    message_id = (await panel_of(life)).message_id
    await change_event(keyed.database, await life.event(), pinned_id=None)
    await keyed.events.cancel(life.event_id, HOST)
    await keyed.settle()
    assert keyed.venue.pins[-1] == (message_id, False)


async def test_a_pin_that_is_not_the_bots_is_left_where_it_is(keyed: Studio) -> None:
    """There was no room for it; the host made some and pinned the panel by hand.

    Mutant: noting the message as pinned whatever Discord answered.
    """
    keyed.venue.has_room = False
    life = await begin(keyed)
    message_id = (await panel_of(life)).message_id
    await step(life)
    assert keyed.venue.pins == [(message_id, True)]
    await keyed.events.cancel(life.event_id, HOST)
    await keyed.settle()
    assert keyed.venue.pins == [(message_id, True)]


async def test_a_panel_sent_anew_is_pinned_although_there_was_no_room_for_the_old_one(keyed: Studio) -> None:
    keyed.venue.has_room = False
    life = await begin(keyed)
    panel = await panel_of(life)
    assert panel.message_id is not None
    keyed.venue.has_room = True
    await keyed.change(post_rows, panel.id, message_id=panel.message_id + 1)
    await step(life)
    assert keyed.venue.pins == [(panel.message_id, True), (panel.message_id + 1, True)]


async def test_the_panel_of_a_version_that_pinned_nothing_is_left_alone(keyed: Studio) -> None:
    """As the migration marks events that were open before."""
    life = await begin(keyed)
    keyed.venue.pins.clear()
    await change_event(keyed.database, await life.event(), pinned_id=UNPINNED)
    await step(life)
    await keyed.events.cancel(life.event_id, HOST)
    await keyed.settle()
    assert keyed.venue.pins == []


async def test_a_pin_waits_while_discord_is_away_and_holds_up_nothing(keyed: Studio) -> None:
    """Mutant: without the look at `is_pinned` it is asked for again at the end of the stage only."""
    keyed.venue.is_away = True
    life = await begin(keyed)
    assert await life.status() is S.COLLECTING
    assert keyed.venue.pins == []
    keyed.venue.is_away = False
    await life.pass_time(keyed.timings.event_retry + timedelta(seconds=1))
    assert keyed.venue.pins == [((await panel_of(life)).message_id, True)]


async def test_unpinning_waits_while_discord_is_away(keyed: Studio) -> None:
    life = await begin(keyed)
    keyed.venue.is_away = True
    await keyed.events.cancel(life.event_id, HOST)
    await keyed.settle()
    keyed.venue.is_away = False
    await life.pass_time(keyed.timings.event_retry + timedelta(seconds=1))
    assert [wanted for _, wanted in keyed.venue.pins] == [True, False]


async def test_a_panel_that_was_sent_anew_is_pinned_in_the_place_of_the_old_one(keyed: Studio) -> None:
    life = await begin(keyed)
    panel = await panel_of(life)
    await keyed.change(post_rows, panel.id, message_id=panel.message_id + 1 if panel.message_id else None)
    await step(life)
    assert panel.message_id is not None
    assert keyed.venue.pins[1:] == [(panel.message_id, False), (panel.message_id + 1, True)]
    assert (await life.event()).pinned_id == panel.message_id + 1


async def test_a_panel_that_only_the_host_got_is_pinned_nowhere(keyed: Studio) -> None:
    """No channel took it, so it went into a private message."""
    life = await begin(keyed)
    panel = await panel_of(life)
    keyed.venue.pins.clear()
    await keyed.change(post_rows, panel.id, place_index=len(panel.places) - 1)
    await change_event(keyed.database, await life.event(), pinned_id=None)
    await step(life)
    await keyed.events.cancel(life.event_id, HOST)
    await keyed.settle()
    assert keyed.venue.pins == []
