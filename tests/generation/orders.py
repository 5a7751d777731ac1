"""What the tests of pictures do again and again, and what they count."""

from datetime import timedelta

import sqlalchemy as sa

from bot.models import Generation, GenerationStatus, LaneName, Lora
from bot.storage import tables
from tests.fakes.studio import Studio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def orders(studio: Studio) -> int:
    """How often an order for pictures reached the provider, taken or not."""
    return sum(seen.path == "/v2/images/generate" for seen in studio.server.requests)


async def pictures(studio: Studio, generation: Generation) -> list[str | None]:
    """The spool names of its pictures."""
    return await studio.scalars(
        sa.select(tables.pictures.c.file).where(tables.pictures.c.generation_id == generation.id)
    )


async def finish(studio: Studio) -> None:
    for _ in range(4):
        await studio.pass_time(timedelta(seconds=5))


async def made(studio: Studio, lora: Lora, *, count: int = 1) -> Generation:
    """An order whose pictures are ready at the provider and not fetched yet."""
    ordered = await studio.order(lora, count=count)
    await studio.settle()
    studio.clock.advance(timedelta(seconds=10))
    assert await studio.work(LaneName.GENERATIONS) == 1
    assert (await studio.generation(ordered.id)).status is GenerationStatus.FETCHING
    return ordered
