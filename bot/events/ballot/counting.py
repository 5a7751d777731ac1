"""Counting what was voted: the first vote, and the run-off if there was one."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.ballot import runoff, tally
from bot.records.ballot import Entry
from bot.records.event import Event
from bot.storage.events import ballots
from bot.storage.events.ballots import StandingEntry


@dataclass(frozen=True, slots=True)
class Counted:
    """The entries that can be voted for, by their ids, and their standings, best first."""

    entries: Mapping[int, StandingEntry]
    standings: tuple[tally.Standing, ...]


async def count(connection: AsyncConnection, event: Event) -> Counted:
    has_jury = event.jury_role_id is not None
    found = {one.entry.id: one for one in await ballots.standing(connection, event)}
    first = tally.count(found, await ballots.votes_of(connection, event.id), has_jury)
    if not event.runoff_ids:
        return Counted(found, first)
    again = await ballots.votes_of(connection, event.id, is_runoff=True)
    second = tally.count([each for each in event.runoff_ids if each in found], again, has_jury)
    return Counted(found, runoff.settle(first, second, event.runoff_ids))


async def tied(connection: AsyncConnection, event: Event) -> tuple[Entry, ...]:
    """The entries between which there is to be a run-off now, by number; none when the count is final."""
    counted = await count(connection, event)
    called = [counted.entries[each].entry for each in runoff.is_called_for(event, counted.standings)]
    return tuple(sorted(called, key=lambda entry: entry.position or 0))


async def is_moot(connection: AsyncConnection, event: Event) -> bool:
    """Whether a run-off is open with fewer than two of its entries left: others were withdrawn, deleted or erased."""
    if not runoff.in_runoff(event):
        return False
    left = {one.entry.id for one in await ballots.standing(connection, event)}
    return len(left.intersection(event.runoff_ids)) < 2
