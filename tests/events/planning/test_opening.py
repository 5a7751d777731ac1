"""Events that open by themselves: once, at their time, told beforehand, and again as often as was planned."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import UserError
from bot.events.planning.opening import MISSED_AFTER
from bot.events.planning.timetables import NO_TIME, NO_ZONE, NOT_AHEAD, next_opening, parse_opening
from bot.ports import ReadinessCheck
from bot.records.event import AnnouncementKind, Event, EventStatus, Repeat
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind
from bot.storage.events import events as rows
from tests.events.event_hosts import BOSS, HOST, Hosting
from tests.fakes.clock import NOON
from tests.fakes.events import get_event, make_event
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio

S = EventStatus
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
LATER = NOON + timedelta(days=2, hours=7)
"""2026-04-27 19:00 UTC."""


@pytest.fixture
async def hosting(studio: Studio) -> Hosting:
    await studio.set_key()
    return Hosting(studio)


async def planned(hosting: Hosting, day: str = "2026-04-27", time: str = "19:00", **more: Any) -> Event:
    draft = await hosting.draft()
    options: dict[str, Any] = {"zone": None, "repeats": None} | more
    await hosting.studio.openings.plan(draft.id, HOST, day, time, **options)
    await hosting.studio.settle()
    return await get_event(hosting.studio.database, draft.id)


async def present(hosting: Hosting, event: Event) -> Event:
    return await get_event(hosting.studio.database, event.id)


async def all_events(hosting: Hosting) -> list[Event]:
    return await hosting.studio.database.fetch(rows.of_guild, GUILD)


async def turn(hosting: Hosting, step: timedelta) -> None:
    hosting.studio.clock.advance(step)
    await hosting.studio.settle()


@pytest.mark.parametrize(
    ("day", "time", "zone", "at"),
    [
        ("2026-04-27", "19:00", None, LATER),
        (" 2026-04-27 ", " 19:00 ", "utc", LATER),
        ("2026-04-27", "21:00", "Europe/Berlin", LATER),
        ("2026-12-24", "19:30", "Europe/Berlin", datetime(2026, 12, 24, 18, 30, tzinfo=UTC)),
        ("2026-10-25", "02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2027-03-28", "02:30", "Europe/Berlin", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_by_the_clocks_of_its_zone(day: str, time: str, zone: str | None, at: datetime) -> None:
    assert parse_opening(day, time, zone, NOON) == at


@pytest.mark.parametrize(
    ("day", "time", "zone", "sentence"),
    [
        ("tomorrow", "19:00", None, NO_TIME),
        ("2026-04-27", "", None, NO_TIME),
        ("2026-02-30", "19:00", None, NO_TIME),
        ("2026-04-27", "25:00", None, NO_TIME),
        ("2026-04-27", "19:00", "Berlin/Europe", NO_ZONE),
        ("2026-04-27", "19:00", "../../etc/passwd", NO_ZONE),
        ("2026-04-25", "12:00", None, NOT_AHEAD),
        ("2027-04-26", "12:00", None, NOT_AHEAD),
        ("9999-12-31", "23:59", "America/New_York", NOT_AHEAD),
        ("0001-01-01", "00:00", "Asia/Tokyo", NOT_AHEAD),
    ],
)
def test_what_is_no_time_ahead_has_its_sentence(day: str, time: str, zone: str | None, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_opening(day, time, zone, NOON)
    assert str(caught.value) == sentence


def series(first: datetime, repeat: Repeat, zone: str | None, times: int) -> Sequence[datetime]:
    event, found = make_event(series_from=first, repeats=repeat, opens_zone=zone), [first]
    for _ in range(times):
        coming = next_opening(event, found[-1])
        assert coming is not None
        found.append(coming)
    return found[1:]


def test_every_week_is_at_the_same_time_of_the_zones_clocks_in_summer_and_in_winter() -> None:
    first = datetime(2026, 10, 21, 18, tzinfo=UTC)
    assert series(first, Repeat.WEEKLY, "Europe/Berlin", 1) == [datetime(2026, 10, 28, 19, tzinfo=UTC)]
    assert series(first, Repeat.WEEKLY, None, 1) == [first + WEEK]
    autumn = series(first, Repeat.WEEKLY, "America/New_York", 3)
    assert [each.hour for each in autumn] == [18, 19, 19]


def test_every_month_is_on_the_same_day_and_in_a_short_month_on_the_last() -> None:
    first = datetime(2026, 10, 31, 12, tzinfo=UTC)
    days = [f"{each:%Y-%m-%d %H}" for each in series(first, Repeat.MONTHLY, None, 5)]
    assert days == ["2026-11-30 12", "2026-12-31 12", "2027-01-31 12", "2027-02-28 12", "2027-03-31 12"]


def test_what_does_not_repeat_has_no_next_time() -> None:
    assert next_opening(make_event(opens_at=NOON, series_from=NOON), NOON) is None


async def test_it_stands_in_the_calendar_and_opens_once_at_its_time(hosting: Hosting) -> None:
    event = await planned(hosting)
    assert (event.status, event.opens_at, event.wants_calendar) == (S.DRAFT, LATER, True)
    assert event.calendar_id == hosting.studio.venue.calendar[event.id]
    await turn(hosting, LATER - NOON - timedelta(seconds=1))
    assert (await present(hosting, event)).status is S.DRAFT
    assert await hosting.studio.posts_of(PostKind.EVENT_PANEL) == []
    await turn(hosting, timedelta(seconds=1))
    opened = await present(hosting, event)
    assert (opened.status, opened.opened_at) == (S.COLLECTING, LATER)
    assert opened.stage_ends_at == LATER + 72 * HOUR
    await turn(hosting, HOUR)
    assert [note.what for note in await hosting.notes(event)] == [AnnouncementKind.OPENED]
    assert len(await hosting.studio.posts_of(PostKind.EVENT_PANEL)) == 1
    assert len(await all_events(hosting)) == 1


async def test_a_bot_that_was_away_for_some_hours_opens_it_late_and_once(hosting: Hosting) -> None:
    event = await planned(hosting)
    await turn(hosting, LATER - NOON + MISSED_AFTER - timedelta(seconds=1))
    assert (await present(hosting, event)).status is S.COLLECTING


@pytest.mark.parametrize("repeats", [None, Repeat.WEEKLY])
async def test_after_a_day_the_host_is_told_once_and_a_series_goes_on(hosting: Hosting, repeats: Repeat | None) -> None:
    event = await planned(hosting, repeats=repeats)
    await turn(hosting, LATER - NOON + MISSED_AFTER)
    missed = await present(hosting, event)
    assert (missed.status, missed.opens_at) == (S.DRAFT, None if repeats is None else LATER + WEEK)
    await turn(hosting, HOUR)
    (note,) = await hosting.notes(event)
    assert note.what is AnnouncementKind.NOT_OPENED
    (post,) = await hosting.studio.posts_of(PostKind.EVENT_ANNOUNCEMENT)
    assert post.places == (Place(PlaceKind.USER, ANNA),)
    if repeats is not None:
        await turn(hosting, WEEK - MISSED_AFTER - HOUR)
        assert (await present(hosting, event)).status is S.COLLECTING


async def test_what_is_missing_is_told_to_the_host_alone_once_and_it_opens_when_it_is_there(hosting: Hosting) -> None:
    event = await planned(hosting)
    hosting.studio.venue.checks.append(ReadinessCheck("Posting", is_ok=False, fix="Let Darkroom write."))
    await turn(hosting, LATER - NOON)
    for _ in range(3):
        await turn(hosting, hosting.studio.timings.event_retry)
    (note,) = await hosting.notes(event)
    assert (note.what, "Let Darkroom write." in note.detail) == (AnnouncementKind.NOT_OPENED, True)
    (post,) = await hosting.studio.posts_of(PostKind.EVENT_ANNOUNCEMENT)
    assert post.places == (Place(PlaceKind.USER, ANNA),)
    hosting.studio.venue.checks.pop()
    await turn(hosting, hosting.studio.timings.event_retry)
    assert (await present(hosting, event)).status is S.COLLECTING


async def test_the_event_of_a_host_who_has_left_does_not_open(hosting: Hosting) -> None:
    event = await planned(hosting)
    hosting.studio.members.gone.add((GUILD, ANNA))
    await turn(hosting, LATER - NOON)
    assert (await present(hosting, event)).status is S.DRAFT
    (note,) = await hosting.notes(event)
    assert "has left this server" in note.detail


async def test_a_series_plans_the_next_one_as_this_one_was_set(hosting: Hosting) -> None:
    event = await planned(hosting, "2026-04-27", "21:00", zone="Europe/Berlin", repeats=Repeat.WEEKLY)
    await hosting.service.change(event.id, HOST, theme="Owls", photo_cap=7, moderator_ids=frozenset({BEN}))
    await turn(hosting, LATER - NOON)
    coming, opened = await all_events(hosting)
    assert (opened.id, opened.status) == (event.id, S.COLLECTING)
    assert (coming.status, coming.opens_at, coming.opened_at) == (S.DRAFT, LATER + WEEK, None)
    assert (coming.theme, coming.photo_cap, coming.moderator_ids) == ("Owls", 7, frozenset({BEN}))
    assert (coming.dataset_id, coming.thread_id) == (None, None)
    assert coming.calendar_id == hosting.studio.venue.calendar[coming.id]
    await turn(hosting, WEEK)
    found = await all_events(hosting)
    assert [each.opens_at for each in found if each.status is S.DRAFT] == [LATER + 2 * WEEK]
    assert len(found) == 3


async def test_opened_early_by_hand_it_does_not_open_again_and_the_series_goes_on(hosting: Hosting) -> None:
    event = await planned(hosting, repeats=Repeat.WEEKLY)
    await hosting.service.open(event.id, HOST)
    await turn(hosting, LATER - NOON + HOUR)
    found = await all_events(hosting)
    assert [(each.status, each.opens_at) for each in found] == [(S.DRAFT, LATER + WEEK), (S.COLLECTING, LATER)]


async def test_another_time_moves_the_entry_and_none_takes_it_off(hosting: Hosting) -> None:
    event = await planned(hosting)
    openings = hosting.studio.openings
    await openings.plan(event.id, BOSS, "2026-04-28", "19:00", zone=None, repeats=None)
    await turn(hosting, LATER - NOON + HOUR)
    assert (await present(hosting, event)).status is S.DRAFT
    assert hosting.studio.venue.ended == []
    await openings.plan(event.id, HOST, "", " ", zone="Europe/Berlin", repeats=Repeat.WEEKLY)
    await turn(hosting, timedelta(days=3))
    by_hand = await present(hosting, event)
    assert (by_hand.status, by_hand.opens_at, by_hand.repeats, by_hand.calendar_id) == (S.DRAFT, None, None, None)
    assert hosting.studio.venue.ended == [event.id]


async def test_thrown_away_it_leaves_the_calendar_and_nobody_is_told(hosting: Hosting) -> None:
    event = await planned(hosting)
    await hosting.service.cancel(event.id, HOST)
    await turn(hosting, LATER - NOON + HOUR)
    assert (await present(hosting, event)).status is S.CANCELLED
    assert hosting.studio.venue.ended == [event.id]
    assert await hosting.notes(event) == []


async def test_of_a_clock_that_goes_back_the_event_is_opened_once(hosting: Hosting) -> None:
    event = await planned(hosting)
    await turn(hosting, LATER - NOON)
    hosting.studio.clock.set_back(timedelta(days=1))
    await hosting.studio.settle()
    await turn(hosting, timedelta(days=1))
    assert [note.what for note in await hosting.notes(event)] == [AnnouncementKind.OPENED]


async def test_only_who_runs_it_plans_it_and_only_before_it_is_open(hosting: Hosting) -> None:
    draft = await hosting.draft()
    openings = hosting.studio.openings
    for actor in (Actor(GUILD, BEN), Actor(GUILD + 1, ANNA, is_admin=True)):
        with pytest.raises(UserError):
            await openings.plan(draft.id, actor, "2026-04-27", "19:00", zone=None, repeats=None)
    await hosting.service.open(draft.id, HOST)
    with pytest.raises(UserError, match="opened already"):
        await openings.plan(draft.id, HOST, "2026-04-27", "19:00", zone=None, repeats=None)
