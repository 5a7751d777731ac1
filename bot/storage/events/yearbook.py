"""SQL of the contents of a yearbook: pictures whose people agreed, and the places they won."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Event, EventMode
from bot.records.generation import Generation, GenerationStatus, Picture
from bot.records.lora import Lora
from bot.records.moderation import ApprovalStatus, Purpose
from bot.storage.events.entrants import taking_part
from bot.storage.events.tables import entrants, entries, honours
from bot.storage.jobs import pictures as picture_rows
from bot.storage.policy_tables import approvals
from bot.storage.rows import build, fetch_all, fetch_values
from bot.storage.tables import generations, loras, pictures, styles

COMMON_MODES = frozenset({EventMode.SHARED, EventMode.BAKEOFF})
"""Modes whose prompt pack belongs to nobody in particular; its orders are in the host's name."""


@dataclass(frozen=True, slots=True)
class YearbookPicture:
    """A picture that may be shown. `lora` and `style` are names, empty without one.

    `behind`: the LoRA that it, or the picture it was made from, was made with.
    """

    generation: Generation
    picture: Picture
    lora: str
    style: str
    behind: Lora | None


async def agreed(
    connection: AsyncConnection, event: Event, *, picture_id: int | None = None
) -> Sequence[YearbookPicture]:
    """Pictures of the event whose file is kept and whose people all still agree, in the order they were made.

    Left out: those of members who withdrew, were removed or erased their data, those that a moderator declined, and
    whatever was made with a LoRA that is being retired or is gone, also when it is only an earlier step of the picture.
    `picture_id`: all others, too.
    """
    kept = await _kept_pictures(connection, event, picture_id)
    its = generations.c.id.in_({picture.generation_id for picture in kept})
    rows = (await connection.execute(_of_event(event).where(sa.true() if picture_id is None else its))).all()
    trusted_ones = sa.select(loras).where(loras.c.guild_id == event.guild_id, loras.c.retiring_since.is_(None))
    trusted = {lora.id: lora for lora in await fetch_all(connection, Lora, trusted_ones)}
    sets = {}
    for row in rows:
        generation = build(Generation, row)
        used = await used_loras(connection, generation)
        if trusted.keys() >= set(used):
            behind = trusted[used[0]] if used else None
            sets[generation.id] = (generation, row.lora_name or "", row.style_name or "", behind)
    found = []
    for picture in kept:
        if picture.generation_id in sets:
            generation, lora, style, behind = sets[picture.generation_id]
            found.append(YearbookPicture(generation, picture, lora, style, behind))
    return found


async def places(connection: AsyncConnection, event_id: int) -> dict[int, int]:
    """The place of every picture that won one; all pictures of an entry share its place."""
    rows = await connection.execute(
        sa.select(honours.c.place, honours.c.picture_id, entries.c.picture_ids)
        .outerjoin(entries, entries.c.id == honours.c.entry_id)
        .where(honours.c.event_id == event_id)
        .order_by(honours.c.place.desc())
    )
    won: dict[int, int] = {}
    for row in rows:
        shown = row.picture_ids or (() if row.picture_id is None else (row.picture_id,))
        won.update(dict.fromkeys(shown, row.place))
    return won


async def contributors(connection: AsyncConnection, event_id: int) -> Sequence[int]:
    """Members whose photos the event's LoRAs were trained on, in the order they joined."""
    chosen = taking_part(event_id).where(entrants.c.photos_chosen > 0)
    return await fetch_values(connection, chosen.order_by(entrants.c.id))


def _of_event(event: Event) -> sa.Select[Any]:
    return (
        sa.select(generations, loras.c.name.label("lora_name"), styles.c.name.label("style_name"))
        .outerjoin(loras, loras.c.id == generations.c.lora_id)
        .outerjoin(styles, styles.c.id == generations.c.style_id)
        .where(_is_shown(event))
    )


def _is_shown(event: Event) -> sa.ColumnElement[bool]:
    row = generations.c
    agreed: sa.ColumnElement[bool] = row.user_id.in_(taking_part(event.id))
    if event.mode in COMMON_MODES:
        agreed = sa.or_(agreed, sa.and_(row.user_id == event.host_id, row.pack_index.is_not(None)))
    return sa.and_(
        row.event_id == event.id,
        row.guild_id == event.guild_id,
        row.status == GenerationStatus.READY,
        row.deleted_at.is_(None),
        agreed,
    )


async def _kept_pictures(connection: AsyncConnection, event: Event, picture_id: int | None) -> list[Picture]:
    made = sa.select(pictures).join(generations, generations.c.id == pictures.c.generation_id)
    kept = made.where(_is_shown(event), pictures.c.file.is_not(None), _is_not_declined(event))
    if picture_id is not None:
        kept = kept.where(pictures.c.id == picture_id)
    return await fetch_all(connection, Picture, kept.order_by(pictures.c.generation_id, pictures.c.position))


def _is_not_declined(event: Event) -> sa.ColumnElement[bool]:
    """Whether no moderator said no to the picture: for the vote, or for the gallery when it was not in the vote."""
    here = sa.select(approvals.c.picture_id).where(approvals.c.guild_id == event.guild_id)
    declined = here.where(approvals.c.status == ApprovalStatus.DECLINED)
    in_vote = here.where(approvals.c.status == ApprovalStatus.APPROVED, approvals.c.purpose == Purpose.BALLOT)
    return sa.or_(pictures.c.id.not_in(declined), pictures.c.id.in_(in_vote))


async def used_loras(connection: AsyncConnection, generation: Generation) -> list[int]:
    """The LoRA of the set, then those of the sets it was made from."""
    steps = [generation]
    if generation.origin_id is not None:
        steps += await picture_rows.lineage(connection, generation)
    return [step.lora_id for step in steps if step.lora_id is not None]
