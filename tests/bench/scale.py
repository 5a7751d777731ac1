"""How much is measured: the full run of about four minutes, or a short one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` is for each floor pass and for the product; everything else counts operations of one round."""

    rounds: int
    burst_rounds: int
    header_looks: int
    photos: int
    deliveries: int
    starts: int
    commits: int


FULL = Scale(rounds=5, burst_rounds=3, header_looks=5000, photos=40, deliveries=100, starts=5, commits=3200)
QUICK = Scale(rounds=3, burst_rounds=1, header_looks=2000, photos=16, deliveries=40, starts=2, commits=1280)
