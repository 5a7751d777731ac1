"""Pictures, events and books for the yearbook's tests."""

import io
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.yearbook.contents import Book, Chapter, Plate
from bot.records.event import Event, EventMode, EventStatus
from bot.records.generation import GenerationSettings, GenerationStatus, Picture
from bot.records.guild import Actor
from bot.records.moderation import ApprovalStatus, Purpose
from bot.storage import tables
from bot.storage.jobs import generations
from bot.storage.people import approvals
from tests.fakes.events import add_event
from tests.fakes.rows import ADMIN, ANNA, GUILD, add_generation, add_lora
from tests.fakes.studio import Studio

HOST = 410
MADE_AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def png(number: int, side: int = 96) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (number * 37 % 256, number * 91 % 256, 120)).save(out, "PNG")
    return out.getvalue()


def noise(number: int, side: int) -> bytes:
    """A PNG of about 3 bytes for each pixel."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(number).randbytes(side * side * 3)).save(
        out, "PNG", compress_level=1
    )
    return out.getvalue()


async def finished_event(studio: Studio, mode: EventMode = EventMode.PERSONAL, **changes: Any) -> Event:
    usual = {"name": "Winter of Rex", "theme": "Rex in the snow", "pack": ("{trigger} in the snow",)}
    told = {"host_id": HOST, "mode": mode, "status": EventStatus.FINISHED, "pictures_each": 5}
    return await add_event(studio.database, **(usual | told | changes))


async def add_picture(studio: Studio, event: Event, content: bytes | None = None, **changes: Any) -> int:
    """The id of a finished picture of ANNA's in the event; its file lies in the spool."""
    number = len(await studio.scalars(tables.generations.select().with_only_columns(tables.generations.c.id))) + 1
    values: dict[str, Any] = {"user_id": ANNA, "event_id": event.id, "lora_id": None, "finished_at": MADE_AT}
    status = changes.pop("status", GenerationStatus.READY)
    generation_id = await add_generation(studio.database, number, **(values | changes))
    await studio.change(tables.generations, generation_id, status=status)
    file = studio.spool.new_name()
    data = png(number) if content is None else content
    studio.spool.path(file).write_bytes(data)

    async def transaction(connection: AsyncConnection) -> int:
        picture = Picture(0, generation_id, 1, "", file, "image/png", len(data), 0)
        await generations.add_picture(connection, picture)
        return (await generations.pictures_of(connection, generation_id))[0].id

    return await studio.database.write(transaction)


async def judged(studio: Studio, picture_id: int, purpose: Purpose, *, is_approved: bool) -> None:
    """A moderator's answer to ANNA, who wanted to show her picture."""

    async def transaction(connection: AsyncConnection) -> int:
        picture = await generations.get_picture(connection, picture_id)
        assert picture is not None
        asks, waits = Actor(GUILD, ANNA), ApprovalStatus.WAITING
        return await approvals.add(connection, picture, purpose, asks, waits, now=MADE_AT)

    asked = await studio.database.write(transaction)
    await studio.approvals.decide(asked, Actor(GUILD, ADMIN, is_moderator=True), is_approved=is_approved)


async def add_event_lora(studio: Studio, **changes: Any) -> int:
    number = len(await studio.scalars(tables.loras.select().with_only_columns(tables.loras.c.id))) + 1
    return await add_lora(studio.database, number, **changes)


def plate(path: Path, number: int = 1, **changes: Any) -> Plate:
    values: dict[str, Any] = {
        "number": number,
        "picture_id": number,
        "path": path,
        "size": 1000,
        "file": f"originals/{number:02}-anna.png",
        "maker": "Anna",
        "made_with": "Rex",
        "prompt": "TORKPN in a forest",
        "settings": GenerationSettings(seed=5, strength=0.8),
        "provider": "Apiframe",
        "made_at": MADE_AT,
        "place": None,
    }
    return Plate(**(values | changes))


def book(*plates: Plate, **changes: Any) -> Book:
    """One chapter for each maker, in the order they come."""
    makers = list(dict.fromkeys(each.maker for each in plates))
    chapters = tuple(
        Chapter(maker, f"pages/{index:02}-x.jpg", tuple(each for each in plates if each.maker == maker))
        for index, maker in enumerate(makers, start=1)
    )
    values: dict[str, Any] = {
        "event_id": 7,
        "title": "Winter of Rex",
        "theme": "Rex in the snow",
        "chapters": chapters,
        "photos_by": (),
        "left_out": 0,
    }
    return Book(**(values | changes))
