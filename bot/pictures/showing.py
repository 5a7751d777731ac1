"""Pictures that their member got privately first, shown in the channel they were ordered in."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import GONE, visible_generation
from bot.moderation.service import BLOCKED
from bot.pictures.service import STILL_BLIND
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Place
from bot.records.job import SubjectTable
from bot.records.post import PostKind, PostStatus, channels_of
from bot.resources import Resources, Service
from bot.storage.events import ballots
from bot.storage.jobs import posts, timeline
from bot.storage.people import moderation

SHOWN_ALREADY = "These pictures are shown in the channel already."
LEFT = "You are not a member of that server any more, so I cannot show your pictures there."


class ShowingService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._members = opened.members

    async def show_here(self, generation_id: int, actor: Actor) -> Place:
        """Post pictures that the member got privately in the channel they were ordered in, once; returns where.

        What no channel took before is tried anew.
        UserError when they are gone, or the member may not use the bot there any more.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Place:
            generation = await visible_generation(connection, generation_id, actor)
            if generation.user_id != actor.user_id or generation.status is not GenerationStatus.READY:
                raise NotFound(GONE)
            if await ballots.blind_event(connection, generation) is not None:
                raise UserError(STILL_BLIND)
            if await moderation.is_blocked(connection, actor.guild_id, actor.user_id):
                raise NotAllowed(BLOCKED)
            before = await posts.find(connection, PostKind.PICTURES_SHOWN, generation_id)
            if before is not None and before.status is not PostStatus.KEPT:
                raise UserError(SHOWN_ALREADY)
            earlier = await posts.forget(connection, PostKind.PICTURES_SHOWN, generation_id)
            places = channels_of(generation)
            await posts.add(
                connection,
                PostKind.PICTURES_SHOWN,
                generation_id,
                guild_id=actor.guild_id,
                user_id=actor.user_id,
                places=places,
                now=now,
                instead_of=earlier,
            )
            await timeline.add(connection, SubjectTable.GENERATION, generation_id, "shown in the channel", at=now)
            return places[0]

        if not await self._members.is_member(actor.guild_id, actor.user_id):
            raise NotAllowed(LEFT)
        return await self._database.write(transaction)
