"""How many come to an event at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crowd:
    """`over_s`: they come evenly spread over so many seconds, each with `photos_each` photos."""

    people: int
    photos_each: int
    over_s: float
