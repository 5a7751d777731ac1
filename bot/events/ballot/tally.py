"""Counting a ballot: one vote each, a jury that weighs half, ties that share a place. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from bot.records.ballot import Vote

RULE = "Everybody has one vote, not for an own entry, and can change it until the close."
MOST_VOTES = "Most votes wins; entries with equally many votes share the place."
WITH_JURY = (
    "The jury's votes make half of the score and everybody else's the other half; if only one of the two votes, "
    "its votes decide. On equal scores more votes of the jury win; if these are equal too, the entries share the place."
)
RUN_OFF = "A tie for the first place is decided by a run-off."
NO_VOTES = "An entry without votes gets no place."


@dataclass(frozen=True, slots=True)
class Standing:
    """One entry's result. `votes` are everybody's, the jury included; `score` is from 0 to 1.

    Tied entries share the `place`, and the places after it stay empty: 1, 1, 3.
    """

    entry_id: int
    place: int
    votes: int
    jury_votes: int
    score: Fraction


def rule_words(has_jury: bool, *, may_run_off: bool) -> str:
    """The text on a ballot about how it is counted. `may_run_off`: a tie is voted on once more."""
    counted = [WITH_JURY if has_jury else MOST_VOTES, *([RUN_OFF] if may_run_off else [])]
    return " ".join((RULE, *counted, NO_VOTES))


def count(entries: Collection[int], votes: Iterable[Vote], has_jury: bool) -> tuple[Standing, ...]:
    """Every entry's standing, best first. Only a member's newest vote counts, and only for one of the entries.

    Without a jury `is_jury` means nothing.
    """
    cast = [vote for vote in _newest_of_each(votes) if vote.entry_id in entries]
    jury = Counter(vote.entry_id for vote in cast if has_jury and vote.is_jury)
    others = Counter(vote.entry_id for vote in cast if not (has_jury and vote.is_jury))
    ranks = {entry: (_score(entry, jury, others), jury[entry]) for entry in sorted(entries)}
    standings: list[Standing] = []
    place, last = 0, None
    for number, (entry, rank) in enumerate(sorted(ranks.items(), key=lambda item: item[1], reverse=True), start=1):
        place, last = (place, last) if rank == last else (number, rank)
        standings.append(Standing(entry, place, jury[entry] + others[entry], jury[entry], rank[0]))
    return tuple(standings)


def _newest_of_each(votes: Iterable[Vote]) -> Collection[Vote]:
    return {vote.voter_id: vote for vote in sorted(votes, key=lambda vote: (vote.cast_at, vote.id))}.values()


def _score(entry: int, jury: Counter[int], others: Counter[int]) -> Fraction:
    """The mean of the entry's shares among those groups that voted."""
    groups = [group for group in (jury, others) if group]
    shares = (Fraction(group[entry], group.total()) for group in groups)
    return sum(shares, Fraction(0)) / max(1, len(groups))
