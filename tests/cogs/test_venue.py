"""What an event needs of Discord: permissions told beforehand, its thread, its place in the calendar."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord

from bot.ports import NotNow, ReadinessCheck
from bot.records.event import Event, EventStatus
from cogs.adapters import venue_checks
from cogs.adapters.venue import DiscordVenue
from tests.cogs.simulated_guild import Stage, take_from_bot
from tests.fakes.events import make_event

COMPLETED, CANCELLED = 3, 4
CALENDAR = "/guilds/*/scheduled-events"


@pytest.fixture
def venue(stage: Stage) -> DiscordVenue:
    venue = DiscordVenue()
    venue.bot = stage.world.darkroom.gateway.bot
    return venue


def planned(stage: Stage, channel: simcord.ChannelHandle | None = None, **changes: Any) -> Event:
    place = (channel or stage.channel).id
    hours = {EventStatus.COLLECTING: 2.0, EventStatus.REVIEWING: 0.5, EventStatus.SHOWING: 1.0}
    told = {"hours": hours, "wants_thread": True, "wants_calendar": True}
    return make_event(**{"guild_id": stage.world.guild.id, "channel_id": place} | told | changes)


def closed_to_the_bot(stage: Stage, *names: str) -> simcord.ChannelHandle:
    """A channel in which the bot may not do these."""
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    assert bot.user is not None
    denied = discord.PermissionOverwrite(**dict.fromkeys(names, False))
    return stage.world.guild.create_text_channel("closed", overwrites={bot.user: denied})


def found(checks: Sequence[ReadinessCheck], beginning: str) -> ReadinessCheck:
    return next(check for check in checks if check.what.startswith(beginning))


async def posted(stage: Stage) -> int:
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    message = await bot.get_partial_messageable(stage.channel.id).send("The panel")
    return message.id


def entries(stage: Stage) -> list[Any]:
    return list(stage.world.env.backend.get_guild(stage.world.guild.id).scheduled_events.values())


async def test_where_everything_is_allowed_all_lines_are_green(stage: Stage, venue: DiscordVenue) -> None:
    checks = await venue.check(planned(stage))
    assert [check.what for check in checks] == [
        f"Posting in <#{stage.channel.id}>",
        "A thread for the event",
        "A pin for the panel",
        "An entry in the server's calendar",
        "Files of up to 10 MB each",
    ]
    assert all(check.is_ok and not check.fix for check in checks)
    assert [check.is_optional for check in checks] == [False, True, True, True, True]


async def test_what_is_switched_off_is_not_looked_at(stage: Stage, venue: DiscordVenue) -> None:
    checks = await venue.check(planned(stage, wants_thread=False, wants_calendar=False))
    named = [f"Posting in <#{stage.channel.id}>", "A pin for the panel", "Files of up to 10 MB each"]
    assert [check.what for check in checks] == named


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("view_channel", "View Channel"),
        ("send_messages", "Send Messages"),
        ("attach_files", "Attach Files"),
        ("read_message_history", "Read Message History"),
    ],
)
async def test_a_missing_permission_stops_the_event_and_is_named(
    stage: Stage, venue: DiscordVenue, name: str, said: str
) -> None:
    channel = closed_to_the_bot(stage, name)
    line = found(await venue.check(planned(stage, channel)), "Posting")
    assert not line.is_ok
    assert not line.is_optional
    assert f"**{said}**" in line.fix
    assert f"<#{channel.id}>" in line.fix


async def test_a_channel_that_is_gone_stops_the_event(stage: Stage, venue: DiscordVenue) -> None:
    checks = await venue.check(planned(stage, channel_id=5))
    assert [(check.what, check.is_ok) for check in checks if not check.is_optional] == [("Posting in <#5>", False)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("create_public_threads", "Create Public Threads"),
        ("send_messages_in_threads", "Send Messages in Threads"),
    ],
)
async def test_without_threads_the_event_can_still_open(
    stage: Stage, venue: DiscordVenue, name: str, said: str
) -> None:
    line = found(await venue.check(planned(stage, closed_to_the_bot(stage, name))), "A thread")
    assert not line.is_ok
    assert line.is_optional
    assert f"**{said}**" in line.fix


async def test_without_the_calendar_the_event_can_still_open(stage: Stage, venue: DiscordVenue) -> None:
    take_from_bot(stage, "create_events", "manage_events")
    await stage.world.env.settle()
    line = found(await venue.check(planned(stage)), "An entry")
    assert not line.is_ok
    assert line.is_optional
    assert "**Create Events**" in line.fix


async def test_in_a_thread_everything_stays_there(stage: Stage, venue: DiscordVenue) -> None:
    event = planned(stage)
    thread_id = await venue.open_thread(event, await posted(stage))
    await stage.world.env.settle()
    checks = await venue.check(replace(event, channel_id=thread_id or 0))
    assert all(check.is_ok for check in checks)
    assert found(checks, "This channel is a thread already").is_optional


async def test_the_thread_hangs_on_the_panel_and_has_the_events_name(stage: Stage, venue: DiscordVenue) -> None:
    message_id = await posted(stage)
    assert await venue.open_thread(planned(stage, name="Mascot\nweekend"), message_id) == message_id
    assert [(thread.id, thread.name) for thread in stage.channel.threads] == [(message_id, "Mascot weekend")]


async def test_a_thread_that_an_interrupted_try_made_is_found_again(stage: Stage, venue: DiscordVenue) -> None:
    stage.world.env.inject_error("POST", "/channels/*/messages/*/threads", status=400, code=160004)
    assert await venue.open_thread(planned(stage), 1234) == 1234


async def test_a_thread_that_may_not_be_made_is_none(stage: Stage, venue: DiscordVenue) -> None:
    event = planned(stage)
    assert await venue.open_thread(event, 1234) is None
    message_id = await posted(stage)
    take_from_bot(stage, "create_public_threads")
    assert await venue.open_thread(event, message_id) is None
    assert stage.channel.threads == []


@pytest.mark.parametrize("status", [500, 503])
async def test_while_discord_is_down_there_is_no_answer(stage: Stage, venue: DiscordVenue, status: int) -> None:
    message_id = await posted(stage)
    stage.world.env.inject_error("POST", "/channels/*/messages/*/threads", status=status, times=None)
    stage.world.env.inject_error("GET", CALENDAR, status=status, times=None)
    stage.world.env.inject_error("GET", f"{CALENDAR}/*", status=status, times=None)
    with pytest.raises(NotNow):
        await venue.open_thread(planned(stage), message_id)
    with pytest.raises(NotNow):
        await venue.put_on_calendar(planned(stage))
    with pytest.raises(NotNow):
        await venue.end_on_calendar(planned(stage, calendar_id=5))


async def test_before_the_bot_is_connected_there_is_no_answer(stage: Stage) -> None:
    venue = DiscordVenue()
    with pytest.raises(NotNow):
        await venue.check(planned(stage))
    with pytest.raises(NotNow):
        await venue.open_thread(planned(stage), 1)


async def test_the_calendar_says_what_where_and_until_when_and_holds_it_once(stage: Stage, venue: DiscordVenue) -> None:
    event = planned(stage, thread_id=55)
    calendar_id = await venue.put_on_calendar(event)
    (entry,) = entries(stage)
    assert entry.id == calendar_id
    assert entry.name == "Mascot days"
    assert entry.description == "“Our mascot”\nDarkroom #7"
    assert entry.entity_metadata["location"].endswith(f"/{stage.world.guild.id}/55")
    lasts = discord.utils.parse_time(entry.scheduled_end_time) - discord.utils.parse_time(entry.scheduled_start_time)
    assert lasts.total_seconds() == (2 + 0.5 + 1 + 2) * 3600
    entry.name = "Renamed by an admin"
    assert await venue.put_on_calendar(event) == calendar_id
    assert len(entries(stage)) == 1


async def test_what_opens_later_stands_in_the_calendar_with_its_time_and_moves_with_it(
    stage: Stage, venue: DiscordVenue
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    event = planned(stage, opens_at=at)
    calendar_id = await venue.put_on_calendar(event)
    (entry,) = entries(stage)
    assert discord.utils.parse_time(entry.scheduled_start_time) == at
    later = replace(event, opens_at=at + timedelta(days=1), name="Owl days")
    assert await venue.put_on_calendar(later) == calendar_id
    (entry,) = entries(stage)
    start = discord.utils.parse_time(entry.scheduled_start_time)
    lasts = discord.utils.parse_time(entry.scheduled_end_time) - start
    assert (entry.name, start, lasts) == ("Owl days", at + timedelta(days=1), timedelta(hours=5.5))
    begun = replace(later, opened_at=at, opens_at=at)
    assert await venue.put_on_calendar(begun) == calendar_id
    (entry,) = entries(stage)
    assert discord.utils.parse_time(entry.scheduled_start_time) == at + timedelta(days=1)


async def test_somebody_elses_entry_with_our_line_is_not_taken_for_ours(stage: Stage, venue: DiscordVenue) -> None:
    await venue.put_on_calendar(planned(stage))
    (entry,) = entries(stage)
    entry.creator_id = stage.ada.id
    assert await venue.put_on_calendar(planned(stage)) != entry.id
    assert await venue.put_on_calendar(planned(stage, id=70)) not in {entry.id, None}


async def test_without_the_permission_nothing_is_on_the_calendar(stage: Stage, venue: DiscordVenue) -> None:
    take_from_bot(stage, "manage_events", "create_events")
    assert await venue.put_on_calendar(planned(stage)) is None
    assert entries(stage) == []


@pytest.mark.parametrize(
    ("status", "has_begun", "becomes"),
    [
        (EventStatus.CANCELLED, False, CANCELLED),
        (EventStatus.CANCELLED, True, COMPLETED),
        (EventStatus.FINISHED, False, COMPLETED),
        (EventStatus.FINISHED, True, COMPLETED),
    ],
)
async def test_the_calendar_entry_ends_with_the_event(
    stage: Stage, venue: DiscordVenue, status: EventStatus, has_begun: bool, becomes: int
) -> None:
    event = planned(stage)
    calendar_id = await venue.put_on_calendar(event)
    (entry,) = entries(stage)
    entry.status = 2 if has_begun else 1
    over = replace(event, status=status, calendar_id=calendar_id)
    await venue.end_on_calendar(over)
    assert int(entry.status) == becomes
    await venue.end_on_calendar(over)
    assert int(entry.status) == becomes


async def test_an_entry_that_is_gone_is_left_alone(stage: Stage, venue: DiscordVenue) -> None:
    await venue.end_on_calendar(planned(stage, calendar_id=5))
    await venue.end_on_calendar(planned(stage, calendar_id=None))
    assert entries(stage) == []


def is_pinned(stage: Stage, message_id: int) -> bool:
    return bool(stage.world.env.backend.get_message(stage.channel.id, message_id).pinned)


async def test_a_panel_is_pinned_and_unpinned_however_often_that_is_asked(stage: Stage, venue: DiscordVenue) -> None:
    place = (stage.world.guild.id, stage.channel.id, await posted(stage))
    for wanted in (True, True, False, False):
        assert await venue.set_pinned(*place, is_pinned=wanted)
        assert is_pinned(stage, place[2]) is wanted


@pytest.mark.parametrize("code", [30003, 50013, 50083])
async def test_a_pin_that_discord_refuses_is_no_failure(stage: Stage, venue: DiscordVenue, code: int) -> None:
    """All pins are taken, the permission is gone, the thread is archived (/docs/topics/opcodes-and-status-codes)."""
    message_id = await posted(stage)
    path = "/channels/*/messages/pins/*"
    stage.world.env.inject_error("PUT", path, status=403 if code == 50013 else 400, code=code)
    assert not await venue.set_pinned(stage.world.guild.id, stage.channel.id, message_id, is_pinned=True)
    assert not is_pinned(stage, message_id)


async def test_a_pin_is_asked_for_again_when_discord_was_away(stage: Stage, venue: DiscordVenue) -> None:
    message_id = await posted(stage)
    stage.world.env.inject_error("PUT", "/channels/*/messages/pins/*", status=502, times=None)
    with pytest.raises(NotNow):
        await venue.set_pinned(stage.world.guild.id, stage.channel.id, message_id, is_pinned=True)


async def test_that_all_pins_are_taken_is_said_before_the_event_opens(
    stage: Stage, venue: DiscordVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue_checks, "PINS_MAX", 1)
    assert found(await venue.check(planned(stage)), "A pin").is_ok
    await venue.set_pinned(stage.world.guild.id, stage.channel.id, await posted(stage), is_pinned=True)
    check = found(await venue.check(planned(stage)), "A pin")
    assert (check.is_ok, check.is_optional) == (False, True)
    assert (
        check.fix
        == f"All 1 pins of <#{stage.channel.id}> are taken. Unpin something there, or the panel is not pinned."
    )
    stage.world.env.inject_error("GET", "/channels/*/messages/pins", status=403, code=50001)
    assert found(await venue.check(planned(stage)), "A pin").is_ok


async def test_the_missing_permission_to_pin_is_named_and_keeps_nothing_from_opening(
    stage: Stage, venue: DiscordVenue
) -> None:
    closed = closed_to_the_bot(stage, "pin_messages")
    check = found(await venue.check(planned(stage, closed)), "A pin")
    assert (check.is_ok, check.is_optional) == (False, True)
    assert check.fix == f"In <#{closed.id}>, allow Darkroom: **Pin Messages**. Without it, the panel is not pinned."
