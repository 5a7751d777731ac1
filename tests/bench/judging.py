"""What is judged without decoding: files that are refused at once, advice to an event, the choice of its photos."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from bot.events.photos.choosing import choose
from bot.events.photos.coach import advice
from bot.photos.prepare import examine
from bot.records.dataset import Photo
from tests.bench.rows import Row, Sample, Target, compare
from tests.bench.scale import Scale
from tests.fakes.rows import photo
from tests.photos.bombs import BOMBS

ADVISED, CHOSEN_FROM, CONTRIBUTORS = 400, 15_000, 500


async def measure(scale: Scale) -> list[Row]:
    return await asyncio.to_thread(measure_all, scale)


def measure_all(scale: Scale) -> list[Row]:
    few, many = some_photos(ADVISED), some_photos(CHOSEN_FROM)
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        bombs = write_bombs(Path(name))
        refused = [slowest_refusal(bombs) for _ in range(scale.rounds)]
    advised = [taken(lambda: advice(few, CONTRIBUTORS)) for _ in range(scale.rounds)]
    chosen = [taken(lambda: choose(many)) for _ in range(scale.rounds)]
    return [
        compare(f"the slowest of {len(BOMBS)} bombs is refused", "ms", refused, target=Target(value_most=20.0)),
        compare(f"advice on {ADVISED} photos", "ms", advised, target=Target(value_most=50.0)),
        compare(f"choice among {CHOSEN_FROM:,} photos", "ms", chosen, target=Target(value_most=1000.0)),
    ]


def some_photos(count: int) -> list[Photo]:
    dice = Random(1)
    return [
        photo(
            number,
            contributor_id=number % CONTRIBUTORS + 1,
            sharpness=dice.uniform(5, 900),
            brightness=dice.uniform(20, 240),
            detail=dice.random(),
        )
        for number in range(1, count + 1)
    ]


def write_bombs(folder: Path) -> list[Path]:
    bombs = [folder / name for name in BOMBS]
    for bomb, (make, _) in zip(bombs, BOMBS.values(), strict=True):
        bomb.write_bytes(make())
    return bombs


def slowest_refusal(bombs: list[Path]) -> Sample:
    target = bombs[0].with_suffix(".jpg")
    return max((taken(partial(examine, bomb, target)) for bomb in bombs), key=lambda one: one.value)


def taken(job: Callable[[], object]) -> Sample:
    """Milliseconds of processor time, which what else runs on the machine does not lengthen."""
    begun = time.process_time()
    job()
    return Sample((time.process_time() - begun) * 1000)
