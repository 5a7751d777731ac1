"""The role for the winner: given once, taken from earlier winners if it goes on, and never in anybody's way."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.records.ballot import AwardStatus
from bot.records.event import Event, EventMode, EventStatus
from bot.records.job import LaneName
from bot.storage.events.tables import awards, events, honours
from bot.storage.rows import insert_row
from tests.fakes.events import add_event, get_event
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD
from tests.fakes.studio import Studio

S = EventStatus
ROLE = 77
DAY = timedelta(days=1)


async def finished(studio: Studio, *winners: int, label: str | None = None, **changes: Any) -> Event:
    """An event that has just ended; its row is due."""
    now = studio.clock.now()
    wanted = {"winner_role_id": ROLE, "mode": EventMode.PERSONAL, "ended_at": now, "due_at": now, **changes}
    event = await add_event(studio.database, status=S.FINISHED, **wanted)
    won = {"event_id": event.id, "guild_id": GUILD, "event_name": event.name, "votes": 2, "awarded_at": now}

    async def transaction(connection: AsyncConnection) -> None:
        for number, user_id in enumerate(winners, start=1):
            placed = {"user_id": user_id, "place": 1, "entry_id": event.id * 100 + number, "label": label}
            await insert_row(connection, honours, **won, **placed)

    await studio.database.write(transaction)
    return event


async def statuses(studio: Studio) -> dict[int, AwardStatus]:
    found = sa.select(awards.c.user_id, awards.c.status).order_by(awards.c.id)
    async with studio.database.read() as connection:
        return {row.user_id: row.status for row in await connection.execute(found)}


async def again(studio: Studio, event: Event) -> None:
    await studio.change(events, event.id, due_at=studio.clock.now())
    await studio.settle(LaneName.EVENTS)


async def test_winners_are_given_the_role_once(studio: Studio) -> None:
    """Two share the first place. Mutant: without the note each look at the event gives it again."""
    event = await finished(studio, ANNA, BEN)
    await studio.settle(LaneName.EVENTS)
    await again(studio, event)
    assert studio.venue.roles == [(ANNA, ROLE, True), (BEN, ROLE, True)]
    assert await statuses(studio) == {ANNA: AwardStatus.GIVEN, BEN: AwardStatus.GIVEN}


@pytest.mark.parametrize("changes", [{"winner_role_id": None}, {"label": "0.8", "mode": EventMode.BAKEOFF}])
async def test_without_a_role_or_a_member_who_won_nothing_is_given(studio: Studio, changes: dict[str, Any]) -> None:
    await finished(studio, ADMIN, **changes)
    await studio.settle(LaneName.EVENTS)
    assert studio.venue.roles == []


async def test_a_winner_who_has_left_gets_none_and_the_event_is_done(studio: Studio) -> None:
    studio.venue.no_roles_for = {ANNA}
    event = await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    assert await statuses(studio) == {ANNA: AwardStatus.REFUSED}
    assert (await get_event(studio.database, event.id)).due_at == studio.clock.now() + studio.timings.details_kept


async def test_while_discord_is_away_the_role_waits(studio: Studio) -> None:
    """Mutant: an event that counts as taken down is looked at again when its details go."""
    studio.venue.is_away = True
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    assert await statuses(studio) == {ANNA: AwardStatus.PENDING}
    studio.venue.is_away = False
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert studio.venue.roles == [(ANNA, ROLE, True)]


@pytest.mark.parametrize("passes", [True, False])
async def test_the_role_goes_on_only_where_the_host_wants_it(studio: Studio, passes: bool) -> None:
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    studio.clock.advance(DAY)
    second = await finished(studio, BEN, passes_role=passes)
    await studio.settle(LaneName.EVENTS)
    await again(studio, second)
    taken = [(ANNA, ROLE, False)] if passes else []
    assert studio.venue.roles == [(ANNA, ROLE, True), (BEN, ROLE, True), *taken]
    assert (await statuses(studio))[ANNA] is (AwardStatus.TAKEN if passes else AwardStatus.GIVEN)


@pytest.mark.parametrize("winners", [(), (ANNA,)])
async def test_it_stays_with_who_wins_again_and_when_nobody_wins(studio: Studio, winners: tuple[int, ...]) -> None:
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    studio.clock.advance(DAY)
    await finished(studio, *winners, passes_role=True)
    await studio.settle(LaneName.EVENTS)
    assert (ANNA, ROLE, False) not in studio.venue.roles


async def test_a_role_that_had_to_wait_is_not_given_once_it_has_gone_on(studio: Studio) -> None:
    """Mutant: with the later event's look alone Anna keeps it until that event's details go."""
    studio.venue.is_away = True
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    studio.clock.advance(timedelta(minutes=1))
    await finished(studio, BEN, passes_role=True)
    await studio.settle(LaneName.EVENTS)
    studio.venue.is_away = False
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert (ANNA, ROLE, True) not in studio.venue.roles
    assert (BEN, ROLE, True) in studio.venue.roles
    assert await statuses(studio) == {ANNA: AwardStatus.TAKEN, BEN: AwardStatus.GIVEN}


async def test_a_role_that_goes_on_while_it_is_given_is_taken_by_who_gave_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = studio.venue.set_role
    ended: list[Event] = []

    async def given(*place: int, is_given: bool) -> bool:
        if not ended:
            studio.clock.advance(timedelta(minutes=1))
            ended.append(await finished(studio, BEN, passes_role=True, due_at=None))
        return await give(*place, is_given=is_given)

    await finished(studio, ANNA)
    monkeypatch.setattr(studio.venue, "set_role", given)
    await studio.settle(LaneName.EVENTS)
    assert studio.venue.roles == [(ANNA, ROLE, True), (ANNA, ROLE, False)]


async def test_who_has_won_it_again_since_it_went_on_keeps_it(studio: Studio) -> None:
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    studio.clock.advance(DAY)
    late = await finished(studio, BEN, passes_role=True, due_at=None)
    studio.clock.advance(DAY)
    await finished(studio, ANNA)
    await studio.settle(LaneName.EVENTS)
    await again(studio, late)
    assert (ANNA, ROLE, False) not in studio.venue.roles


async def test_other_roles_and_other_servers_are_left_alone(studio: Studio) -> None:
    await finished(studio, ANNA, winner_role_id=ROLE + 1)
    await studio.settle(LaneName.EVENTS)
    studio.clock.advance(DAY)
    await finished(studio, BEN, passes_role=True)
    await studio.settle(LaneName.EVENTS)
    assert all(is_given for _, _, is_given in studio.venue.roles)


async def test_it_is_taken_from_a_winner_who_is_erased_and_not_given_again(studio: Studio) -> None:
    event = await finished(studio, ANNA, BEN)
    await studio.settle(LaneName.EVENTS)
    studio.venue.roles.clear()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert studio.venue.roles == [(ANNA, ROLE, False)]
    await again(studio, event)
    assert studio.venue.roles == [(ANNA, ROLE, False)]
    assert await statuses(studio) == {BEN: AwardStatus.GIVEN}


@pytest.mark.parametrize("later", [timedelta(0), Timings().details_kept + DAY], ids=["at once", "details are gone"])
async def test_an_erasure_goes_on_when_discord_is_away_and_the_role_is_taken_once_it_is_back(
    studio: Studio, later: timedelta
) -> None:
    """Mutant: an event whose details are gone is not looked at again, and the role stays for good."""
    await finished(studio, ANNA, BEN)
    await studio.settle(LaneName.EVENTS)
    await studio.pass_time(later, LaneName.EVENTS)
    studio.venue.is_away = True
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.settle(LaneName.EVENTS)
    assert await statuses(studio) == {ANNA: AwardStatus.PENDING, BEN: AwardStatus.GIVEN}
    studio.venue.is_away = False
    studio.venue.roles.clear()
    await studio.pass_time(studio.timings.event_retry, LaneName.EVENTS)
    assert studio.venue.roles == [(ANNA, ROLE, False)]
    assert await statuses(studio) == {BEN: AwardStatus.GIVEN}


@pytest.mark.parametrize("end", ["killed", "away", "well"])
async def test_who_is_erased_while_they_are_given_it_loses_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Mutants: noting it after Discord alone; an erasure that deletes what is pending."""
    give = studio.venue.set_role

    async def given(*place: int, is_given: bool) -> bool:
        is_done = await give(*place, is_given=is_given)
        if not is_given:
            return is_done
        if end == "killed":
            raise RuntimeError
        await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
        studio.venue.is_away = end == "away"
        return is_done

    await finished(studio, ANNA)
    monkeypatch.setattr(studio.venue, "set_role", given)
    if end == "killed":
        with pytest.raises(RuntimeError):
            await studio.settle(LaneName.EVENTS)
        await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.settle(LaneName.EVENTS)
    studio.venue.is_away = False
    await studio.pass_time(studio.timings.lease + studio.timings.event_retry, LaneName.EVENTS)
    assert studio.venue.roles == [(ANNA, ROLE, True), (ANNA, ROLE, False)]
    assert await statuses(studio) == {}
