"""How evenly turns are shared when one member floods a server in which ten others want a few."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from bot.generation.order import PictureOrder
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.storage.database import sqlite_url
from tests.bench.rows import Row, Sample, Target, compare
from tests.bench.scale import Scale
from tests.fakes.rows import CHANNEL, GUILD
from tests.fakes.studio import TRAINS_IN, Studio, open_studio

FLOOD = 7
OTHERS = range(101, 111)
EACH = 6
"""What each of the others wants; the one who floods wants as much as all of them, and comes first."""
TURNS = (EACH - 1) * (len(OTHERS) + 1)
"""How many turns are looked at: from the moment at which everybody waits, and as long as everybody does."""


async def measure(scale: Scale) -> list[Row]:
    return [
        await _row("trainings", trainings, scale.long_rounds),
        await _row("orders of pictures", pictures, scale.long_rounds),
        await _row("photos that are taken in", intake, scale.long_rounds),
    ]


def jain(shares: Sequence[int]) -> float:
    """Jain's index: 1 when all shares are equal, 1/n when one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def evenness(turns: Sequence[int]) -> float:
    """The index of who had how many of the turns while everybody waits."""
    had = Counter(turns[:TURNS])
    return jain([had[member] for member in (FLOOD, *OTHERS)])


async def trainings(studio: Studio) -> list[int]:
    async def want(member: int) -> None:
        dataset_id = await studio.dataset(user_id=member, name=f"{member}")
        await studio.start(dataset_id, user_id=member)

    await _want(want)
    await studio.settle(LaneName.TRAININGS)
    before = studio.charges("create")
    while studio.charges("create") < before + TURNS:
        await studio.pass_time(TRAINS_IN, LaneName.TRAININGS)
    names = [studio.server.loras[entry.ref].name for entry in studio.server.ledger if entry.what == "create"]
    return [int(name.split(" ")[0]) for name in names[before:]]


async def pictures(studio: Studio) -> list[int]:
    async def want(member: int) -> None:
        await studio.orders.accept(PictureOrder(f"{member} foxes"), Actor(GUILD, member), Channel(CHANNEL))

    await _want(want)
    await studio.settle(LaneName.GENERATIONS)
    before = studio.charges("images")
    while studio.charges("images") < before + TURNS:
        await studio.pass_time(timedelta(seconds=5), LaneName.GENERATIONS)
    made = [studio.server.jobs[entry.ref] for entry in studio.server.ledger if entry.what == "images"]
    return [int(str(job.order["prompt"]).split(" ")[0]) for job in made[before:]]


async def intake(studio: Studio) -> list[int]:
    """The queue through which the photos of every form go, with work that takes no time."""
    turns: list[int] = []

    async def want(member: int) -> None:
        async with studio.datasets.queue(member):
            turns.append(member)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for member in [FLOOD] * EACH * len(OTHERS) + [member for _ in range(EACH) for member in OTHERS]:
            group.create_task(want(member))
    return turns


async def _want(want: Callable[[int], Awaitable[None]]) -> None:
    for _ in range(EACH * len(OTHERS)):
        await want(FLOOD)
    for _ in range(EACH):
        for member in OTHERS:
            await want(member)


async def _row(what: str, serve: Callable[[Studio], Awaitable[list[int]]], rounds: int) -> Row:
    samples = []
    for _ in range(rounds):
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="darkroom-bench-"))
        try:
            async with open_studio(folder, sqlite_url(folder / "darkroom.db")) as studio:
                await studio.set_key()
                samples.append(Sample(evenness(await serve(studio))))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder)
    name = f"fair turns, {what}: {len(OTHERS)} members beside a flood"
    return compare(name, "Jain index", samples, target=Target(value_least=0.95))
