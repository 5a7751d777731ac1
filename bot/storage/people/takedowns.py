"""SQL of posted pictures whose LoRA was erased or retired: whoever made them may have the messages deleted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import GenerationStatus, Operation
from bot.records.guild import NOBODY, Place, PlaceKind
from bot.records.lora import Lora
from bot.records.post import OF_A_SET, Post, PostKind, PostStatus, public_place
from bot.storage.events import tables as e
from bot.storage.jobs import posts as post_rows
from bot.storage.people import questions
from bot.storage.rows import fetch_all, fetch_values
from bot.storage.tables import generations, loras, pictures, posts

WITH_PICTURES = (*OF_A_SET, PostKind.GALLERY)
OFFERED_FOR = (
    GenerationStatus.SUBMITTING,
    GenerationStatus.SUBMITTED,
    GenerationStatus.FETCHING,
    GenerationStatus.READY,
)
"""Those under way will be posted."""


async def offer(
    connection: AsyncConnection, lora: Lora, *, but: int = NOBODY, now: datetime, known_as: str | None = None
) -> None:
    """Ask everybody who has pictures made with this LoRA, but one, whether their messages are to go.

    Yearbooks that were posted with such pictures go at once.
    Who wants no private questions finds it under /me alone.
    `known_as` names why, in every life of the database: which orders there are may differ.
    """
    made = _made_with(generations.c.lora_id == lora.id, lora.guild_id)
    in_books = sa.select(generations.c.event_id).where(generations.c.id.in_(sa.select(made.c.id)))
    its_events = await fetch_values(connection, in_books.where(generations.c.event_id.is_not(None)).distinct())
    await post_rows.take_back_yearbooks(connection, its_events, now=now)
    newest = (
        sa.select(generations.c.user_id, sa.func.max(generations.c.id).label("id"))
        .where(generations.c.id.in_(sa.select(made.c.id)), generations.c.status.in_(OFFERED_FOR))
        .where(generations.c.deleted_at.is_(None), generations.c.user_id.not_in([NOBODY, but]))
        .group_by(generations.c.user_id)
    )
    for user_id, generation_id in (await connection.execute(newest)).all():
        if not await questions.is_muted(connection, lora.guild_id, user_id):
            await post_rows.add(
                connection,
                PostKind.TAKEDOWN,
                generation_id,
                guild_id=lora.guild_id,
                user_id=user_id,
                places=[Place(PlaceKind.USER, user_id)],
                now=now,
                known_as=None if known_as is None else f"{known_as}:{user_id}",
            )


async def of_member(connection: AsyncConnection, guild_id: int, user_id: int) -> list[int]:
    """The member's orders with a message that still shows what a LoRA made that is gone; the newest first."""
    in_use = sa.select(loras.c.id).where(loras.c.retiring_since.is_(None))
    gone = sa.and_(generations.c.lora_id.is_not(None), generations.c.lora_id.not_in(in_use))
    made = _made_with(gone, guild_id)
    theirs = sa.and_(generations.c.user_id == user_id, generations.c.status == GenerationStatus.READY)
    shown = sa.select(generations.c.id).where(theirs, generations.c.id.in_(sa.select(made.c.id)), _is_shown())
    return await fetch_values(connection, shown.order_by(generations.c.id.desc()))


async def shown_of(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Post]:
    """The posts whose message, in a channel, has pictures of the member."""
    theirs = sa.and_(posts.c.guild_id == guild_id, posts.c.user_id == user_id, posts.c.kind.in_(WITH_PICTURES))
    there = sa.and_(posts.c.message_id.is_not(None), posts.c.status != PostStatus.WITHDRAWN)
    found = await fetch_all(connection, Post, sa.select(posts).where(theirs, there).order_by(posts.c.id))
    return [post for post in found if public_place(post) is not None]


async def take_yearbooks_back(connection: AsyncConnection, guild_id: int, user_id: int, *, now: datetime) -> None:
    """Posted yearbooks of events that the member hosted or took part in go, because their name is in them."""
    its = {e.events: e.events.c.host_id, e.entrants: e.entrants.c.user_id, generations: generations.c.user_id}
    for table, whose in its.items():
        event_id = table.c.id if table is e.events else table.c.event_id
        theirs = sa.select(event_id).where(table.c.guild_id == guild_id, whose == user_id, event_id.is_not(None))
        event_ids = await fetch_values(connection, theirs.distinct())
        await post_rows.take_back_yearbooks(connection, event_ids, now=now)


def _made_with(condition: sa.ColumnElement[bool], guild_id: int) -> sa.CTE:
    """Ids of the guild's orders that fulfil the condition, and of those that worked further on their pictures."""
    here = generations.c.guild_id == guild_id
    made = sa.select(generations.c.id).where(here, condition).cte("made", recursive=True)
    further = sa.select(generations.c.id).join(made, generations.c.origin_id == made.c.id)
    return made.union(further.where(here, generations.c.operation != Operation.IMAGINE))


def _is_shown() -> sa.ColumnElement[bool]:
    """Whether a message that has pictures of the order is there."""
    there = sa.and_(posts.c.message_id.is_not(None), posts.c.status != PostStatus.WITHDRAWN)
    own = posts.c.kind.in_(OF_A_SET)
    in_gallery = sa.and_(posts.c.kind == PostKind.GALLERY, posts.c.subject_id == pictures.c.id)
    return sa.or_(
        sa.exists().where(there, own, posts.c.subject_id == generations.c.id),
        sa.exists().where(there, in_gallery, pictures.c.generation_id == generations.c.id),
    )
