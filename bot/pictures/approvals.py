"""Moderators approve pictures before they are in the gallery or stand for a vote."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import GONE
from bot.pictures.gallery import send
from bot.pictures.reports import message_of
from bot.pictures.service import NO_GALLERY, STAYS
from bot.records.generation import Generation, Picture
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.moderation import Act, Approval, ApprovalStatus, Purpose
from bot.records.post import PostKind
from bot.resources import Service
from bot.storage import guilds
from bot.storage.jobs import generations, posts, previews
from bot.storage.people import approvals, moderation_log

MODERATORS_ONLY = "Only a moderator can decide that."
DECIDED = "This has been decided already."


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """`message` is where the picture can be seen: (channel id, message id)."""

    approval: Approval
    generation: Generation
    picture: Picture
    message: tuple[int, int] | None


class ApprovalService(Service):
    async def view(self, approval_id: int) -> ApprovalView | None:
        """The approval, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            return await _view(connection, approval_id)

    async def is_waiting(self, picture_id: int, purpose: Purpose) -> bool:
        found = await self._database.fetch(approvals.find, picture_id, purpose)
        return found is not None and found.status is ApprovalStatus.WAITING

    async def decide(self, approval_id: int, actor: Actor, *, is_approved: bool) -> Approval:
        """Let the picture through or not, once; one for the gallery is sent there at once.

        The yearbook that a declined one is in is taken back, and its LoRA keeps none of its set as a preview.
        """
        if not actor.is_moderator:
            raise NotAllowed(MODERATORS_ONLY)
        now, status = self._clock.now(), ApprovalStatus.APPROVED if is_approved else ApprovalStatus.DECLINED

        async def transaction(connection: AsyncConnection) -> tuple[Approval, list[str]]:
            view = await _view(connection, approval_id)
            if view is None or view.approval.guild_id != actor.guild_id or view.generation.deleted_at is not None:
                raise NotFound(GONE)
            if not await approvals.decide(connection, approval_id, status):
                raise UserError(DECIDED)
            asked = view.approval
            if is_approved and asked.purpose is Purpose.GALLERY:
                gallery = await _gallery(connection, actor.guild_id)
                if not actor.sight.may_repost(view.generation.channel_id, gallery.id):
                    raise UserError(STAYS)
                wants = Actor(asked.guild_id, asked.user_id)
                await send(connection, view.generation, [view.picture], gallery, wants, now=now)
            event_id = view.generation.event_id
            if not is_approved and event_id is not None:
                await posts.take_back_yearbooks(connection, [event_id], now=now)
            is_secret = asked.purpose is Purpose.BALLOT
            shown = f"picture {view.picture.position} of #{asked.generation_id} for the gallery"
            about = f"{'an entry for a vote' if is_secret else shown}, {status}"
            whose = None if is_secret else asked.user_id
            await moderation_log.note(
                connection, actor.guild_id, Act.MODERATED, actor.user_id, about, member_id=whose, now=now
            )
            await posts.renew(connection, PostKind.APPROVAL, approval_id, due_at=now)
            return asked, [] if is_approved else await previews.forget_set(connection, asked.generation_id)

        asked, files = await self._database.write(transaction)
        self._spool.free(files)
        return asked


async def _view(connection: AsyncConnection, approval_id: int) -> ApprovalView | None:
    approval = await approvals.get(connection, approval_id)
    if approval is None:
        return None
    generation = await generations.get(connection, approval.generation_id)
    picture = await generations.get_picture(connection, approval.picture_id)
    if generation is None or picture is None:
        return None
    return ApprovalView(approval, generation, picture, await message_of(connection, generation.id))


async def _gallery(connection: AsyncConnection, guild_id: int) -> Place:
    guild = await guilds.get(connection, guild_id)
    if guild is None or guild.gallery_channel_id is None:
        raise UserError(NO_GALLERY)
    return Place(PlaceKind.CHANNEL, guild.gallery_channel_id)
