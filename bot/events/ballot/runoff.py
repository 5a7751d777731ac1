"""A run-off: a second, short vote between the entries that share the first place. Pure.

It is held once. Votes of before do not decide it; when it is tied, too, the entries share the place.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.events.ballot.tally import Standing, rule_words
from bot.records.ballot import Entry
from bot.records.event import Event, EventStatus, OnTie

SHORTEST, LONGEST = 0.5, 24.0
"""Hours of a run-off."""
SHARE = 0.25
"""Of the hours that the vote was planned with."""


def in_runoff(event: Event) -> bool:
    """Whether the vote that is open is the second one."""
    return event.status is EventStatus.VOTING and bool(event.runoff_ids)


def rule_of(event: Event) -> str:
    """The text about how the vote that is open, or comes, is counted."""
    may_run_off = event.on_tie is OnTie.RUN_OFF and not event.runoff_ids
    return rule_words(event.jury_role_id is not None, may_run_off=may_run_off)


def is_called_for(event: Event, standings: Sequence[Standing]) -> tuple[int, ...]:
    """The entries to vote on again, by their ids; empty when the count is final."""
    if event.on_tie is not OnTie.RUN_OFF or event.runoff_ids:
        return ()
    first = sorted(each.entry_id for each in standings if each.place == 1 and each.votes)
    return tuple(first) if len(first) > 1 else ()


def is_votable(event: Event, entry: Entry) -> bool:
    """Whether votes for it are taken when its vote is open."""
    return not in_runoff(event) or entry.id in event.runoff_ids


def hours_of(event: Event) -> float:
    """How long its run-off lasts, in hours of the event."""
    return min(max(event.hours.get(EventStatus.VOTING, 0.0) * SHARE, SHORTEST), LONGEST)


def length(event: Event, hour: timedelta) -> timedelta:
    """How long its run-off lasts. `hour` is the length of an event's hour (Timings.event_hour)."""
    return hours_of(event) * hour


def settle(first: Sequence[Standing], second: Sequence[Standing], tied: Collection[int]) -> tuple[Standing, ...]:
    """The standings of both votes together, best first.

    `second` are those of the run-off and take the first places; the others keep their order after them. The votes of
    both are added up.
    """
    before = {each.entry_id: each for each in first}
    finalists = [
        replace(
            each,
            votes=each.votes + before[each.entry_id].votes,
            jury_votes=each.jury_votes + before[each.entry_id].jury_votes,
        )
        for each in second
    ]
    others = [each for each in first if each.entry_id not in tied]
    return (
        *finalists,
        *(
            replace(each, place=len(finalists) + 1 + sum(other.place < each.place for other in others))
            for each in others
        ),
    )
