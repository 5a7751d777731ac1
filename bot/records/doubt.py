"""What becomes of an answer that contradicts what we know. No I/O.

We know that an id was accepted, that a key worked, that a picture was made. A provider's answer that claims the
opposite is doubted: it is asked again, evenly over a span of minutes, and believed only when all of `ANSWERS` claimed
the same over the whole span. An answer that agrees with what we know ends the doubt. The doubt is kept in the row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Doubt:
    """`answers` in a row have contradicted what we know, the first of them at `since`."""

    since: datetime
    answers: int

    def is_over(self, span: timedelta, now: datetime) -> bool:
        """Whether the same has been claimed often and long enough to be believed."""
        return self.answers >= ANSWERS and now - self.since >= span


def one_more(doubt: Doubt | None, now: datetime) -> Doubt:
    """The doubt after one more answer that contradicts us. A clock that was set back begins the span anew."""
    if doubt is None:
        return Doubt(now, 1)
    return Doubt(min(doubt.since, now), doubt.answers + 1)


def pause_of(span: timedelta) -> timedelta:
    """How long after such an answer to ask again."""
    return span / (ANSWERS - 1)
