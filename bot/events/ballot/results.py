"""What came of ballots: the votes of one that is counted, and the table of a season."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.events.ballot import counting
from bot.records.event import EventStatus
from bot.resources import Service
from bot.storage.events import ballots, events


@dataclass(frozen=True, slots=True)
class VoteCount:
    """The result of one entry. `label` is what a bake-off compared, None elsewhere."""

    number: int
    label: str | None
    place: int
    votes: int
    jury_votes: int


@dataclass(frozen=True, slots=True)
class SeasonRow:
    """What a member won in a season: how many first, second and third places, and all votes for them."""

    user_id: int
    places: tuple[int, int, int]
    votes: int

    @property
    def points(self) -> int:
        """3, 2 and 1 for a first, second and third place."""
        return sum(points * won for points, won in zip((3, 2, 1), self.places, strict=True))


@dataclass(frozen=True, slots=True)
class Season:
    """A calendar year in UTC. `rows`: the best first."""

    year: int
    rows: Sequence[SeasonRow]


class ResultService(Service):
    async def vote_counts(self, event_id: int) -> Sequence[VoteCount]:
        """The votes of each entry, of a run-off too, best first; nothing before the count or when nobody voted."""
        async with self._database.read() as connection:
            event = await events.get(connection, event_id)
            if event is None or event.status is not EventStatus.FINISHED:
                return []
            counted = await counting.count(connection, event)
        if not any(each.votes for each in counted.standings):
            return []
        return [
            VoteCount(entry.position or 0, entry.label, each.place, each.votes, each.jury_votes)
            for each in counted.standings
            for entry in [counted.entries[each.entry_id].entry]
        ]

    async def season(self, guild_id: int) -> Season:
        """This year's table, or that of the last year in which somebody won something. Bake-offs do not count."""
        async with self._database.read() as connection:
            newest = await ballots.newest_honour(connection, guild_id)
            year = (newest or self._clock.now()).astimezone(UTC).year
            start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
            found = [SeasonRow(*row) for row in await ballots.won_between(connection, guild_id, start, end)]
        return Season(year, sorted(found, key=lambda row: (-row.points, -row.votes, row.user_id)))
