"""Pictures that a moderator looks at before everybody sees them, in servers that want that."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, UserError
from bot.records.generation import Picture
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.moderation import ApprovalStatus, Purpose
from bot.records.post import PostKind
from bot.storage import guilds
from bot.storage.jobs import posts
from bot.storage.people import approvals

DECLINED = "A moderator has decided that this picture is not shown there. Please choose another one."
NOBODY_LOOKS = (
    "Moderators look at pictures first here, but there is no channel for that. "
    "An admin can choose the reports channel with `/settings`."
)


async def must_wait(
    connection: AsyncConnection, picture: Picture, purpose: Purpose, actor: Actor, *, now: datetime
) -> bool:
    """Whether a moderator has to look at the picture first; they are asked once. NotAllowed when one said no."""
    guild = await guilds.get(connection, actor.guild_id)
    if guild is None or not guild.needs_approval:
        return False
    known = await approvals.find(connection, picture.id, purpose)
    if known is not None and known.status is ApprovalStatus.DECLINED:
        raise NotAllowed(DECLINED)
    if known is not None:
        return known.status is ApprovalStatus.WAITING
    if actor.is_moderator:
        await approvals.add(connection, picture, purpose, actor, ApprovalStatus.APPROVED, now=now)
        return False
    if guild.reports_channel_id is None:
        raise UserError(NOBODY_LOOKS)
    approval_id = await approvals.add(connection, picture, purpose, actor, ApprovalStatus.WAITING, now=now)
    places = [Place(PlaceKind.CHANNEL, guild.reports_channel_id)]
    await posts.add(
        connection,
        PostKind.APPROVAL,
        approval_id,
        guild_id=actor.guild_id,
        user_id=actor.user_id,
        places=places,
        now=now,
    )
    return True
