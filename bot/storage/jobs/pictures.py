"""SQL of posted pictures: who keeps them, which are in the gallery, which are reported or deleted."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation, GenerationStatus, Report
from bot.records.guild import Actor, Place
from bot.records.lora import Lora
from bot.records.post import OF_A_SET, Post, PostKind, PostStatus
from bot.storage.changes import change_state
from bot.storage.database import note_due
from bot.storage.jobs import generations as generation_rows
from bot.storage.jobs import loras
from bot.storage.jobs import posts as post_rows
from bot.storage.rows import changes_row, fetch_all, fetch_first, fetch_values, has_row, insert_row
from bot.storage.tables import generations, picture_reports, pictures, posts

LINEAGE_MAX = 20
"""Most sets that are followed back."""


async def lineage(connection: AsyncConnection, generation: Generation) -> list[Generation]:
    """What this set was made from, then what that was made from, and so on; a forgotten one ends the list."""
    found: list[Generation] = []
    origin_id = generation.origin_id
    while origin_id is not None and len(found) < LINEAGE_MAX:
        origin = await generation_rows.get(connection, origin_id)
        if origin is None or origin.guild_id != generation.guild_id:
            break
        found.append(origin)
        origin_id = origin.origin_id
    return found


async def lora_behind(connection: AsyncConnection, generation: Generation) -> Lora | None:
    """The LoRA that the set, or the nearest one that it was made from, was made with."""
    steps = [generation] if generation.lora_id is not None else await lineage(connection, generation)
    lora_id = next((step.lora_id for step in steps if step.lora_id is not None), None)
    return None if lora_id is None else await loras.get(connection, lora_id)


async def note_saves(connection: AsyncConnection, picture_ids: Collection[int]) -> None:
    await connection.execute(
        sa.update(pictures).where(pictures.c.id.in_(picture_ids)).values(saves=pictures.c.saves + 1)
    )


def _shows(generation_id: int) -> sa.ColumnElement[bool]:
    """Posts whose message holds pictures of this set."""
    own = sa.select(pictures.c.id).where(pictures.c.generation_id == generation_id)
    return sa.or_(
        *(post_rows.about(kind, posts.c.subject_id == generation_id) for kind in OF_A_SET),
        post_rows.about(PostKind.GALLERY, posts.c.subject_id.in_(own)),
    )


async def posts_of(connection: AsyncConnection, generation_id: int) -> list[Post]:
    """The set's own post and its pictures' posts in the gallery."""
    return await fetch_all(connection, Post, sa.select(posts).where(_shows(generation_id)).order_by(posts.c.id))


async def answered(connection: AsyncConnection, post: Post) -> Post | None:
    """What a sample answers: the post that its LoRA is ready; None for every other post."""
    if post.kind is not PostKind.PICTURES:
        return None
    sample_of = sa.select(generations.c.sample_of).where(generations.c.id == post.subject_id)
    training_id = await connection.scalar(sample_of)
    return None if training_id is None else await post_rows.find(connection, PostKind.TRAINING_READY, training_id)


async def is_deleted(connection: AsyncConnection, post: Post) -> bool:
    """Whether what this post shows was deleted, so that it must not appear and its message has to go.

    A yearbook is renewed by nothing else than by somebody who takes something back.
    """
    if post.kind is PostKind.LEFTOVER:
        return True
    if post.kind is PostKind.EVENT_YEARBOOK:
        return post.revision > 0
    deleted = sa.select(generations.c.id).where(generations.c.deleted_at.is_not(None))
    if post.kind in OF_A_SET:
        deleted = deleted.where(generations.c.id == post.subject_id)
    elif post.kind is PostKind.GALLERY:
        deleted = deleted.join(pictures).where(pictures.c.id == post.subject_id)
    else:
        return False
    return await has_row(connection, deleted)


async def delete_set(connection: AsyncConnection, generation_id: int, actor: Actor, *, now: datetime) -> bool:
    """Mark the set as deleted; False when the actor may not, or somebody was faster."""
    row = generations.c
    may = sa.true() if actor.is_moderator else row.user_id == actor.user_id
    there = sa.and_(row.status == GenerationStatus.READY, row.deleted_at.is_(None))
    mine = sa.update(generations).where(row.id == generation_id, row.guild_id == actor.guild_id, there, may)
    return await changes_row(connection, mine.values(deleted_at=now))


async def withdraw(connection: AsyncConnection, generation_id: int, *, now: datetime, left_until: datetime) -> None:
    """Withdraw the set's posts: unsent ones are not sent, and messages that are there, or may be, are removed.

    So is the yearbook that it is in.
    Those that are there are left to the caller until `left_until`, and then to the outbox.
    """
    note_due(connection, posts)
    not_sending = sa.or_(posts.c.sending_at.is_(None), posts.c.status == PostStatus.POSTED)
    never_sent = sa.and_(posts.c.message_id.is_(None), not_sending)
    mine = sa.and_(_shows(generation_id), posts.c.status != PostStatus.WITHDRAWN)
    unsent = sa.update(posts).where(mine, never_sent).values(status=PostStatus.WITHDRAWN, due_at=None)
    await change_state(connection, unsent, PostStatus.WITHDRAWN)
    settled = posts.c.status.in_((PostStatus.POSTED, PostStatus.KEPT))
    await connection.execute(
        sa.update(posts)
        .where(mine)
        .values(
            status=sa.case((settled, PostStatus.PENDING), else_=posts.c.status),
            revision=posts.c.revision + 1,
            wakes=posts.c.wakes + 1,
            due_at=sa.case((posts.c.message_id.is_(None), now), else_=left_until),
        )
    )
    event = sa.select(generations.c.event_id).where(
        generations.c.id == generation_id, generations.c.event_id.is_not(None)
    )
    await post_rows.take_back_yearbooks(connection, await fetch_values(connection, event), now=now)


async def leave_removal(connection: AsyncConnection, post: Post, *, now: datetime) -> None:
    """The message could not be removed now: the outbox is to try from here on."""
    note_due(connection, posts)
    await connection.execute(
        sa.update(posts).where(posts.c.id == post.id, posts.c.due_at.is_not(None)).values(due_at=now)
    )


async def settle_removal(connection: AsyncConnection, post: Post, *, is_gone: bool) -> None:
    """The message was removed, or cannot be: nothing more is to be done about the post."""
    its = sa.update(posts).where(posts.c.id == post.id, posts.c.message_id == post.message_id)
    if is_gone:
        await change_state(connection, its.values(status=PostStatus.WITHDRAWN, due_at=None), PostStatus.WITHDRAWN)
    else:
        await connection.execute(its.values(status=PostStatus.POSTED, due_at=None))


async def send_to_gallery_again(connection: AsyncConnection, picture_id: int, place: Place, *, now: datetime) -> bool:
    """Try a gallery that refused this picture once more; False when its post is not waiting for that."""
    note_due(connection, posts)
    mine = post_rows.about(PostKind.GALLERY, posts.c.subject_id == picture_id)
    anew = {"status": PostStatus.PENDING, "places": [place], "place_index": 0, "sending_at": None, "attempt": 0}
    kept = sa.update(posts).where(mine, posts.c.status == PostStatus.KEPT)
    return await change_state(connection, kept.values(created_at=now, due_at=now, **anew), PostStatus.PENDING) == 1


async def add_report(
    connection: AsyncConnection, generation_id: int, reason: str, actor: Actor, *, now: datetime
) -> int | None:
    """None when this member has reported this set before."""
    reported = sa.select(picture_reports.c.id).where(
        picture_reports.c.generation_id == generation_id, picture_reports.c.reporter_id == actor.user_id
    )
    if await has_row(connection, reported):
        return None
    return await insert_row(
        connection,
        picture_reports,
        guild_id=actor.guild_id,
        generation_id=generation_id,
        reporter_id=actor.user_id,
        reason=reason,
        created_at=now,
    )


async def get_report(connection: AsyncConnection, report_id: int) -> Report | None:
    return await fetch_first(connection, Report, sa.select(picture_reports).where(picture_reports.c.id == report_id))


async def dismiss_report(connection: AsyncConnection, report_id: int, *, guild_id: int, now: datetime) -> bool:
    """False when it has been dismissed already, or is not of this guild."""
    report = picture_reports.c
    standing = sa.and_(report.id == report_id, report.guild_id == guild_id, report.dismissed_at.is_(None))
    return await changes_row(connection, sa.update(picture_reports).where(standing).values(dismissed_at=now))


async def renew_report_posts(connection: AsyncConnection, generation_id: int, *, due_at: datetime) -> None:
    """The set was deleted: the cards of its reports show that."""
    reports = sa.select(picture_reports.c.id).where(picture_reports.c.generation_id == generation_id)
    for report_id in await fetch_values(connection, reports):
        await post_rows.renew(connection, PostKind.PICTURE_REPORT, report_id, due_at=due_at)
