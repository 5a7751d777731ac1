"""SQL of a LoRA's previews: the best few pictures made with it, which stay when the time of the others is over.

A picture becomes one only if it was itself posted in a channel, nobody's report of its set stands and no moderator
declined it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation, Picture
from bot.records.guild import Actor
from bot.records.post import Post, PostKind, PostStatus, public_place
from bot.storage import tables
from bot.storage.jobs import generations, pictures
from bot.storage.jobs.tables import lora_previews
from bot.storage.rows import fetch_values, has_row, insert_row

PREVIEWS_MAX = 4


async def keep(connection: AsyncConnection, generation: Generation, *, now: datetime) -> list[str]:
    """The time of this set is over: its LoRA keeps what is among its best pictures. The spool names of what it does
    not keep, for the caller to free."""
    made = await generations.pictures_of(connection, generation.id)
    dropped = await generations.forget_files(connection, generation.id)
    if not await _may_keep(connection, generation):
        return dropped
    shown = [each for each in await pictures.posts_of(connection, generation.id) if each.status is PostStatus.POSTED]
    for picture in made:
        channel_id = _shown_in(shown, picture, generation)
        if picture.file is not None and channel_id is not None:
            await insert_row(
                connection,
                lora_previews,
                guild_id=generation.guild_id,
                lora_id=generation.lora_id,
                user_id=generation.user_id,
                generation_id=generation.id,
                channel_id=channel_id,
                file=picture.file,
                saves=picture.saves,
                kept_at=now,
            )
    its = lora_previews.c.lora_id == generation.lora_id
    best = _best_first(sa.select(lora_previews.c.id).where(its)).limit(PREVIEWS_MAX)
    left = await forget(connection, sa.and_(its, lora_previews.c.id.not_in(best)))
    return list({*dropped, *left} - await _files_of(connection, its))


async def forget(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> list[str]:
    """The spool names of these previews, for the caller to free; what is not freed leaves the disk as a stray."""
    return await fetch_values(connection, sa.delete(lora_previews).where(condition).returning(lora_previews.c.file))


async def forget_set(connection: AsyncConnection, generation_id: int) -> list[str]:
    """The same of what was made by this order: nobody is to be shown any of it."""
    return await forget(connection, lora_previews.c.generation_id == generation_id)


async def maker_of(connection: AsyncConnection, generation_id: int) -> Actor | None:
    """For whom, and in which guild, this order made what a LoRA keeps; None when none keeps anything of it."""
    row = lora_previews.c
    its = sa.select(row.guild_id, row.user_id).where(row.generation_id == generation_id).limit(1)
    found = (await connection.execute(its)).first()
    return None if found is None else Actor(found.guild_id, found.user_id)


async def seen_by(connection: AsyncConnection, lora_id: int, viewer: Actor) -> list[str]:
    """Spool names of those that were made for them or stood where they can see them, best first."""
    row = lora_previews.c
    its = sa.select(row.file, row.user_id, row.channel_id).where(row.lora_id == lora_id)
    found = await connection.execute(_best_first(its))
    return [each.file for each in found if each.user_id == viewer.user_id or viewer.sight.sees(each.channel_id)]


async def files_in_use(connection: AsyncConnection) -> set[str]:
    return await _files_of(connection, sa.true())


async def _files_of(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> set[str]:
    return set(await fetch_values(connection, sa.select(lora_previews.c.file).where(condition)))


def _best_first(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Those saved most often first, then those kept last."""
    return statement.order_by(lora_previews.c.saves.desc(), lora_previews.c.id.desc())


async def _may_keep(connection: AsyncConnection, generation: Generation) -> bool:
    """Whether the set is there and nobody objects to it, and its LoRA is there and nobody wants it gone."""
    order, lora = tables.generations.c, tables.loras.c
    wanted = sa.and_(order.id == generation.id, order.deleted_at.is_(None), sa.not_(generations.objected()))
    in_use = sa.and_(lora.archived_at.is_(None), lora.retiring_since.is_(None))
    both = sa.select(order.id).join(tables.loras, lora.id == order.lora_id).where(wanted, in_use)
    return await has_row(connection, both)


def _shown_in(shown: Sequence[Post], picture: Picture, generation: Generation) -> int | None:
    """The channel in which everybody who sees it could see this picture; None if it was shown in none."""
    places = (public_place(post) for post in shown if _has(post, picture, generation))
    return next((place.id for place in places if place is not None), None)


def _has(post: Post, picture: Picture, generation: Generation) -> bool:
    """Whether the post of its set, or of one picture of that, has this picture."""
    if post.kind is PostKind.GALLERY:
        return post.subject_id == picture.id
    return post.kind is not PostKind.PICTURES_LATE or picture.position in generation.late
