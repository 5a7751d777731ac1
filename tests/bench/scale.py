"""How much is measured: the full run of about five minutes, or a short one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` is for each floor pass and for the product, `long_rounds` where one round takes seconds.

    `bursts` are (submissions, photos in each); everything else counts operations of one round.
    """

    run_max_s: float
    rounds: int
    long_rounds: int
    bursts: tuple[tuple[int, int], ...]
    header_looks: int
    photos: int
    deliveries: int
    starts: int
    commits: int


FULL = Scale(
    run_max_s=350.0,
    rounds=5,
    long_rounds=3,
    bursts=((200, 0), (200, 20), (500, 20)),
    header_looks=5000,
    photos=40,
    deliveries=100,
    starts=5,
    commits=1920,
)
QUICK = Scale(
    run_max_s=90.0,
    rounds=3,
    long_rounds=1,
    bursts=((200, 0), (200, 20)),
    header_looks=2000,
    photos=12,
    deliveries=40,
    starts=2,
    commits=1280,
)
