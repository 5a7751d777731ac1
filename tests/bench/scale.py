"""How much is measured: the full run of about twelve minutes, or a short one."""

from dataclasses import dataclass

from tests.bench.crowd import Crowd


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
    stampede: Crowd


FULL = Scale(
    run_max_s=1200.0,
    rounds=5,
    long_rounds=3,
    bursts=((200, 0), (200, 20), (500, 20)),
    header_looks=5000,
    photos=40,
    deliveries=100,
    starts=5,
    commits=1920,
    stampede=Crowd(people=500, photos_each=30, over_s=120.0),
)
QUICK = Scale(
    run_max_s=180.0,
    rounds=3,
    long_rounds=1,
    bursts=((200, 0), (200, 20)),
    header_looks=2000,
    photos=12,
    deliveries=40,
    starts=2,
    commits=1280,
    stampede=Crowd(people=50, photos_each=10, over_s=10.0),
)
