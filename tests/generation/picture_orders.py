"""What the tests of pictures do again and again, and what they count."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.generation.order import Accepted, PictureOrder, ReferencePicture
from bot.records.dataset import SubjectKind
from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.sandbox.aurous.records import RehearsalCharacter, make_id
from bot.sandbox.aurous.records import StoredReference as SourcePicture
from bot.storage import tables
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD, add_lora
from tests.fakes.studio import AUROUS_KEY, Studio, tiny_jpeg
from tests.fakes.unlimited import set_unlimited_key
from tests.photos.sample_photos import encode, noise

PNG = encode(noise(64, 64, 1), "PNG")


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


async def output_routes(studio: Studio, generation: Generation) -> list[str]:
    """The place of each picture at the rehearsal, as its faults are queued for it."""
    return [f"GET {urlsplit(url).path}" for url in (await studio.generation(generation.id)).image_urls]


async def place(studio: Studio, order: PictureOrder, user_id: int = ANNA, guild_id: int = GUILD) -> Accepted:
    return await studio.orders.accept(order, Actor(guild_id, user_id), channel=Channel(CHANNEL))


async def set_aurous_key(studio: Studio, guild_id: int = GUILD) -> None:
    """A key whose catalogue is never fetched: the styles are those that a test adds."""
    status = await set_unlimited_key(studio, guild_id, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    await studio.change(tables.api_keys, status.row.id, due_at=None)


async def add_style(studio: Studio, *, guild_id: int = GUILD, **changes: Any) -> int:
    """The first style of Aurous Labs' catalogue, as this guild knows it."""
    listed = studio.aurous.styles[0]
    columns = {
        "name": listed.name,
        "slug": listed.slug,
        "description": "",
        "has_template": False,
        "is_public": True,
        "retired_at": None,
    }

    async def transaction(connection: AsyncConnection) -> int:
        values = {"guild_id": guild_id, "provider": ProviderName.AUROUS, "remote_id": listed.id} | columns | changes
        result = await connection.execute(sa.insert(tables.styles).values(values).returning(tables.styles.c.id))
        return int(result.scalar_one())

    return await studio.database.write(transaction)


async def add_character(studio: Studio, *, user_id: int = ANNA) -> int:
    """A character that is ready, here and at Aurous Labs."""
    source = studio.folder / "mira.jpg"
    source.write_bytes(tiny_jpeg(7))
    now, number = studio.clock.now(), len(studio.aurous.characters) + 1
    character = RehearsalCharacter(
        id=make_id("char"),
        team="Studio",
        name="Mira",
        refs=(SourcePicture("portrait", source),),
        version="2026-05-15",
        created_at=now,
        updated_at=now,
    )
    studio.aurous.characters[character.id] = character
    return await add_lora(
        studio.database,
        2000 + number,
        remote_id=character.id,
        owner_id=user_id,
        provider=ProviderName.AUROUS,
        name="Mira",
        trigger_word=None,
        subject_kind=SubjectKind.CHARACTER,
    )


def reference(studio: Studio, number: int = 1) -> ReferencePicture:
    """A prepared picture in the spool."""
    file, content = studio.spool.new_name(".jpg"), tiny_jpeg(number)
    studio.spool.path(file).write_bytes(content)
    return ReferencePicture(file, "image/jpeg", len(content))


async def ready_pictures(studio: Studio, lora: Lora, **settings: Any) -> Generation:
    """An order of the LoRA's owner whose pictures are on our disk and posted."""
    ordered = await studio.order(lora, **settings)
    await studio.settle()
    await finish(studio)
    ended = await studio.generation(ordered.id)
    assert ended.status is GenerationStatus.READY
    return ended
