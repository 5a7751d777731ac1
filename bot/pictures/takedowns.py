"""Posted pictures whose LoRA was erased or retired: whoever made them may have the messages deleted, all at once."""

from collections.abc import Sequence

from bot.errors import NotFound
from bot.pictures.service import PictureService, Removal
from bot.records.guild import Actor
from bot.resources import Resources, Service
from bot.storage.people import takedowns

NOTHING_SHOWN = "Nothing of yours that such a LoRA made is posted here any more."


class TakedownService(Service):
    def __init__(self, opened: Resources, pictures: PictureService) -> None:
        super().__init__(opened)
        self._pictures = pictures

    async def of_member(self, guild_id: int, user_id: int) -> Sequence[int]:
        """Ids of the member's orders of which something is posted, the newest first."""
        return await self._database.fetch(takedowns.of_member, guild_id, user_id)

    async def check(self, actor: Actor) -> Sequence[int]:
        """The same; NotFound when there is none."""
        found = await self.of_member(actor.guild_id, actor.user_id)
        if not found:
            raise NotFound(NOTHING_SHOWN)
        return found

    async def delete(self, actor: Actor) -> Sequence[Removal]:
        """Delete each of them; what happened to each message. What an interruption leaves is found by the next call."""
        outcomes: list[Removal] = []
        for generation_id in await self.check(actor):
            outcomes += await self._pictures.delete(generation_id, actor)
        return outcomes
