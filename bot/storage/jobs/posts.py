"""SQL of the outbox: posts that must reach Discord, each exactly once."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process.journal import Turn
from bot.records.guild import NOBODY, Place
from bot.records.post import Post, PostKind, PostStatus
from bot.records.post_names import nonce_of
from bot.storage import meta
from bot.storage.changes import change_state
from bot.storage.database import note_due
from bot.storage.due import Claim, mark
from bot.storage.identities import number_of
from bot.storage.rows import fetch_all, fetch_first, has_row, insert_row
from bot.storage.tables import posts


async def add(
    connection: AsyncConnection,
    kind: PostKind,
    subject_id: int,
    *,
    guild_id: int,
    user_id: int,
    places: Sequence[Place],
    now: datetime,
    due_at: datetime | None = None,
    instead_of: str | None = None,
    known_as: str | None = None,
) -> None:
    """Put one post into the outbox, to be sent at `due_at`, by default now.

    A post of this kind about this row that exists already is left as it is. `instead_of`: what `forget` said.
    `known_as` takes the place of the row's id in the nonce where a database that was put back makes the row anew, with
    another id: what names it in every life. Where that is the name of another row's post the id stays.
    """
    if await find(connection, kind, subject_id) is not None:
        return
    installation = (await meta.get(connection, meta.INSTALLATION) or b"").decode()
    nonce = nonce_of(installation, kind, subject_id if known_as is None else number_of(known_as), instead_of)
    if known_as is not None and await has_row(connection, sa.select(posts.c.id).where(posts.c.nonce == nonce)):
        nonce = nonce_of(installation, kind, subject_id, instead_of)
    await insert_row(
        connection,
        posts,
        kind=kind,
        subject_table=kind.subject,
        subject_id=subject_id,
        guild_id=guild_id,
        user_id=user_id,
        nonce=nonce,
        places=places,
        status=PostStatus.PENDING,
        created_at=now,
        due_at=due_at or now,
    )


async def add_leftovers(connection: AsyncConnection, left: Sequence[Post], *, now: datetime) -> None:
    """These messages are to be deleted, whatever becomes of their posts; nobody is named any more."""
    for post in left:
        assert post.message_id is not None  # only what was posted is left
        await add(
            connection,
            PostKind.LEFTOVER,
            post.message_id,
            guild_id=post.guild_id,
            user_id=NOBODY,
            places=[post.places[post.place_index]],
            now=now,
        )
        its = about(PostKind.LEFTOVER, posts.c.subject_id == post.message_id)
        await connection.execute(sa.update(posts).where(its).values(message_id=post.message_id))


async def note_banner(connection: AsyncConnection, post_id: int, name: str | None, file_id: int | None) -> None:
    """The panel's message shows this file now."""
    noted = sa.update(posts).where(posts.c.id == post_id).values(banner=name, banner_id=file_id)
    await connection.execute(noted)


async def find(connection: AsyncConnection, kind: PostKind, subject_id: int) -> Post | None:
    return await fetch_first(connection, Post, sa.select(posts).where(about(kind, posts.c.subject_id == subject_id)))


async def erase(connection: AsyncConnection, claim: Claim[Post]) -> None:
    """Delete the row. LeaseLost when the claim is no longer valid."""
    await mark(connection, posts, claim)
    await change_state(connection, sa.delete(posts).where(posts.c.id == claim.id), Turn.ERASED)


async def forget(connection: AsyncConnection, kind: PostKind, subject_id: int) -> str | None:
    """The next post of this kind about this row is sent, although there has been one; the nonce of that, if any."""
    its = sa.delete(posts).where(about(kind, posts.c.subject_id == subject_id))
    nonce: str | None = await connection.scalar(its.returning(posts.c.nonce))
    return nonce


def about(kind: PostKind, subject: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Posts of this kind whose `subject_id` fulfils a condition."""
    return sa.and_(posts.c.kind == kind, posts.c.subject_table == kind.subject, subject)


async def get(connection: AsyncConnection, post_id: int) -> Post | None:
    return await fetch_first(connection, Post, sa.select(posts).where(posts.c.id == post_id))


async def renew(connection: AsyncConnection, kind: PostKind, *subject_ids: int, due_at: datetime) -> None:
    """What the posts of this kind about these rows show has changed: edit their messages by `due_at` at the latest."""
    note_due(connection, posts)
    is_there = sa.and_(posts.c.status == PostStatus.POSTED, posts.c.message_id.is_not(None))
    await connection.execute(
        sa.update(posts)
        .where(about(kind, posts.c.subject_id.in_(subject_ids)))
        .values(
            revision=posts.c.revision + 1,
            wakes=posts.c.wakes + 1,
            status=sa.case((is_there, PostStatus.PENDING), else_=posts.c.status),
            due_at=sa.case(
                (sa.and_(posts.c.due_at.is_not(None), posts.c.due_at < due_at), posts.c.due_at), else_=due_at
            ),
        )
    )


async def take_back_yearbooks(connection: AsyncConnection, event_ids: Iterable[int], *, now: datetime) -> None:
    """Somebody in them does not agree any more, or a moderator: delete their messages, also those that may just be on
    their way.

    One that is not sent yet is made without them. The host can send a new one.
    """
    is_out = sa.or_(posts.c.sending_at.is_not(None), posts.c.message_id.is_not(None))
    shown = sa.and_(is_out, posts.c.status != PostStatus.WITHDRAWN)
    for event_id in event_ids:
        its = sa.select(posts.c.id).where(about(PostKind.EVENT_YEARBOOK, posts.c.subject_id == event_id), shown)
        if await has_row(connection, its):
            await renew(connection, PostKind.EVENT_YEARBOOK, event_id, due_at=now)


async def pull_in(connection: AsyncConnection, *, now: datetime) -> None:
    """Make due what waits for another try."""
    waits = sa.and_(posts.c.attempt > 0, posts.c.due_at > now, posts.c.lease_owner.is_(None))
    note_due(connection, posts)
    await connection.execute(sa.update(posts).where(waits).values(due_at=now))


_KEPT = (
    sa.select(posts)
    .where(
        posts.c.guild_id == sa.bindparam("guild_id"),
        posts.c.user_id == sa.bindparam("user_id"),
        posts.c.status == PostStatus.KEPT,
    )
    .order_by(posts.c.id)
)
"""Made once: it is asked after whatever a member does."""


async def kept_for(connection: AsyncConnection, guild_id: int, user_id: int) -> list[Post]:
    """Posts no place would take, waiting for their owner."""
    return await fetch_all(connection, Post, _KEPT, {"guild_id": guild_id, "user_id": user_id})


async def hand_over(connection: AsyncConnection, post_id: int) -> bool:
    """A kept post was given to its owner; False when it is not kept (any more)."""
    kept = sa.update(posts).where(posts.c.id == post_id, posts.c.status == PostStatus.KEPT)
    return await change_state(connection, kept.values(status=PostStatus.POSTED), Turn.HANDED_OVER) == 1
