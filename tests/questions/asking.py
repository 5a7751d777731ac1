"""Anna asks others privately, in every way there is."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.lora import Offer
from bot.records.post import PostKind
from bot.records.question import PhotoRequest
from tests.events.photo_givers import Giver, open_event
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

DAY = timedelta(days=1)
HERE = Channel(CHANNEL)
QUESTIONS = {PostKind.DEPICTION, PostKind.PHOTO_REQUEST, PostKind.LORA_OFFER}


class Asker:
    """Everything that is due is sent after each question."""

    def __init__(self, studio: Studio, attachments: Attachments, user_id: int = ANNA) -> None:
        self.studio, self.attachments, self.actor = studio, attachments, Actor(GUILD, user_id)

    async def offer(self, to_id: int = BEN) -> Offer:
        """A LoRA of Anna's that was not offered before."""
        lora = await self.studio.lora(user_id=self.actor.user_id)
        offered = await self.studio.sharing.offer(lora.id, to_id, self.actor, HERE)
        await self.rest()
        return offered.offer

    async def request(self, to_id: int = BEN) -> PhotoRequest:
        """For photos of a message."""
        dataset_id = await self.studio.dataset(user_id=self.actor.user_id, count=0)
        uploads = self.attachments.add_photos(1)
        asked = await self.studio.requests.for_dataset(dataset_id, uploads, to_id, self.actor, HERE)
        await self.rest()
        return asked.request

    async def name(self, *to_ids: int) -> list[int]:
        """As seen in photos of a dataset; the questions' depictions."""
        dataset_id = await self.studio.dataset(user_id=self.actor.user_id, count=1)
        kinds = {"guild_id": GUILD, "user_id": self.actor.user_id}
        board = await self.studio.datasets.name(dataset_id, to_ids or [BEN], **kinds)
        await self.rest()
        return list(board.questions)

    async def name_in_event(self, to_id: int = BEN) -> None:
        giver = Giver(self.studio, self.attachments, self.actor.user_id)
        await giver.give(await open_event(self.studio), 1, depicted=[to_id])
        await self.rest()

    async def rest(self) -> None:
        await self.studio.settle(LaneName.POSTS)

    def sent(self) -> int:
        """How many private questions and offers reached somebody."""
        return sum(message.kind in QUESTIONS for message in self.studio.poster.messages)


Ask = Callable[[Asker], Awaitable[object]]
REFUSED: list[Ask] = [Asker.offer, Asker.request]
"""What is refused when it is too soon."""
DELAYED: list[Ask] = [Asker.name, Asker.name_in_event]
"""What waits for its day then, because the photos are here already."""
EVERY: list[Ask] = [*REFUSED, *DELAYED]
