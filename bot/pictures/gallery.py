"""Pictures on their way to the gallery, each as a message of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation, Picture
from bot.records.guild import Actor, Place
from bot.records.job import SubjectTable
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.storage.jobs import pictures, posts, timeline
from bot.storage.people import moderation_log


async def send(
    connection: AsyncConnection,
    generation: Generation,
    chosen: Sequence[Picture],
    place: Place,
    actor: Actor,
    *,
    now: datetime,
) -> bool:
    """Send pictures of this set to the gallery at `place`; False when all are there already."""
    is_new = any([await _send(connection, generation, one, place, now=now) for one in chosen])
    if is_new:
        about = f"pictures #{generation.id}, to the gallery"
        await moderation_log.note(connection, actor.guild_id, Act.SHARED, actor.user_id, about, now=now)
    return is_new


async def _send(
    connection: AsyncConnection, generation: Generation, picture: Picture, place: Place, *, now: datetime
) -> bool:
    """Send one picture to the gallery; False when it is there already, or on its way."""
    post = await posts.find(connection, PostKind.GALLERY, picture.id)
    if post is None:
        await posts.add(
            connection,
            PostKind.GALLERY,
            picture.id,
            guild_id=generation.guild_id,
            user_id=generation.user_id,
            places=[place],
            now=now,
        )
    elif not await pictures.send_to_gallery_again(connection, picture.id, place, now=now):
        return False
    await pictures.note_saves(connection, [picture.id])
    detail = f"picture {picture.position}"
    await timeline.add(connection, SubjectTable.GENERATION, generation.id, "to gallery", at=now, detail=detail)
    return True
