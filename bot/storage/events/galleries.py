"""SQL of galleries on the web: which are open, who agreed, and what may be shown of an event."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import ConsentKind, SubjectKind
from bot.records.event import Event, Gallery
from bot.records.generation import GenerationStatus
from bot.storage.due import make_due
from bot.storage.events import yearbook
from bot.storage.events.tables import events, galleries, gallery_consents
from bot.storage.events.yearbook import YearbookPicture
from bot.storage.rows import fetch_first, fetch_values, insert_record, insert_row
from bot.storage.tables import consents, generations, loras

OF_PEOPLE = frozenset({SubjectKind.PERSON, SubjectKind.CHARACTER})


async def of_event(connection: AsyncConnection, event_id: int) -> Gallery | None:
    """Also one that has ended."""
    return await fetch_first(connection, Gallery, sa.select(galleries).where(galleries.c.event_id == event_id))


async def by_hash(connection: AsyncConnection, token_hash: str, *, now: datetime) -> Gallery | None:
    """The open gallery. The hash is looked up, so that no time taken tells how much of a token was right."""
    found = sa.select(galleries).where(galleries.c.token_hash == token_hash, galleries.c.ends_at > now)
    return await fetch_first(connection, Gallery, found)


async def open_for(
    connection: AsyncConnection, event: Event, *, token: str, token_hash: str, now: datetime, ends_at: datetime
) -> Gallery:
    """Instead of one that has ended."""
    await _delete(connection, event.id)
    about = {"event_id": event.id, "guild_id": event.guild_id, "token": token, "token_hash": token_hash}
    return await insert_record(connection, Gallery, galleries, opened_at=now, ends_at=ends_at, **about)


async def close(connection: AsyncConnection, event_id: int, *, now: datetime) -> None:
    """With what people agreed to. Pictures that were kept for it alone are deleted."""
    await _delete(connection, event_id)
    kept = sa.and_(generations.c.status == GenerationStatus.READY, generations.c.doubt.is_(None))
    due = sa.and_(generations.c.event_id == event_id, generations.c.due_at.is_not(None))
    await make_due(connection, generations, kept, due, at=now)


async def close_hosted(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    hosted = sa.select(galleries.c.event_id).join(events, events.c.id == galleries.c.event_id)
    for event_id in await fetch_values(
        connection, hosted.where(events.c.guild_id == guild_id, events.c.host_id == user_id)
    ):
        await close(connection, event_id, now=now)


async def agree(
    connection: AsyncConnection, gallery: Gallery, user_id: int, *, name: str, wording: str, now: datetime
) -> None:
    """Anew, if they had agreed before under another name."""
    await take_back(connection, gallery, user_id)
    about = {"event_id": gallery.event_id, "guild_id": gallery.guild_id, "user_id": user_id}
    await insert_row(connection, gallery_consents, name=name, wording=wording, given_at=now, **about)


async def take_back(connection: AsyncConnection, gallery: Gallery, user_id: int) -> None:
    theirs = sa.and_(gallery_consents.c.event_id == gallery.event_id, gallery_consents.c.user_id == user_id)
    await connection.execute(sa.delete(gallery_consents).where(theirs))


async def names(connection: AsyncConnection, gallery: Gallery) -> Mapping[int, str]:
    """Of those who agreed, as they are shown, by user id."""
    columns = sa.select(gallery_consents.c.user_id, gallery_consents.c.name)
    rows = await connection.execute(columns.where(gallery_consents.c.event_id == gallery.event_id))
    return {row.user_id: row.name for row in rows}


async def shown(
    connection: AsyncConnection, gallery: Gallery, event: Event, *, picture_id: int | None = None
) -> list[YearbookPicture]:
    """Pictures of which everybody agreed to this gallery: who made them, and whoever their LoRAs show.

    `picture_id`: that one at most.
    """
    agreed = set(await names(connection, gallery))
    found: list[YearbookPicture] = []
    needed: dict[int, frozenset[int] | None] = {}
    for each in await yearbook.agreed(connection, event, picture_id=picture_id) if agreed else ():
        people: set[int | None] = {each.generation.user_id}
        for lora_id in await yearbook.used_loras(connection, each.generation):
            if lora_id not in needed:
                needed[lora_id] = await _people_in(connection, lora_id)
            asked = needed[lora_id]
            people |= {None} if asked is None else asked
        if people <= agreed:
            found.append(each)
    return found


async def _delete(connection: AsyncConnection, event_id: int) -> None:
    for table in (gallery_consents, galleries):
        await connection.execute(sa.delete(table).where(table.c.event_id == event_id))


async def _people_in(connection: AsyncConnection, lora_id: int) -> frozenset[int] | None:
    """Whoever may be seen in what the LoRA makes; None when that is in doubt.

    It is in doubt while somebody says that it shows them, and when nobody knows who gave photos for it, as when it was
    not trained here. For a LoRA of people it is everybody who gave photos.
    """
    lora = (await connection.execute(sa.select(loras).where(loras.c.id == lora_id))).first()
    if lora is None or lora.dataset_id is None or lora.resting_since is not None:
        return None
    its = sa.select(consents.c.user_id).where(
        consents.c.dataset_id == lora.dataset_id,
        consents.c.guild_id == lora.guild_id,
        consents.c.withdrawn_at.is_(None),
    )
    givers = frozenset(await fetch_values(connection, its))
    if not givers or lora.subject_kind in OF_PEOPLE:
        return givers or None
    return frozenset(await fetch_values(connection, its.where(consents.c.kind == ConsentKind.DEPICTED)))
