"""Photos of somebody else's message: they wait for its author's yes, and nothing is downloaded before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.service import DatasetService
from bot.errors import NotFound, UserError
from bot.moderation.texts import check_text
from bot.questions.rules import NOT_YOURS
from bot.questions.service import ask_today
from bot.records.dataset import Dataset, Upload
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.post import PostKind
from bot.records.question import PhotoRequest, RequestStatus
from bot.requests.rules import ENDED, author_sentence
from bot.resources import Resources, Service
from bot.storage.jobs import datasets, posts
from bot.storage.people import questions
from bot.storage.people import requests as rows

UPLOADS_MAX = 10
"""Pictures that one gallery shows (Discord /docs/components/reference)."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request that can be answered until `ends_at`; `dataset` is None when it is for new pictures, or gone.

    `sentence`: the consent that is asked for.
    """

    request: PhotoRequest
    dataset: Dataset | None
    ends_at: datetime
    sentence: str


class RequestService(Service):
    def __init__(self, opened: Resources, dataset_service: DatasetService) -> None:
        super().__init__(opened)
        self._datasets = dataset_service
        self._members = opened.members

    async def for_dataset(
        self, dataset_id: int, uploads: Sequence[Upload], author_id: int, actor: Actor, channel: Channel
    ) -> RequestView:
        """Ask the author whether these photos may be added to the actor's dataset; the actor has agreed already."""
        board = await self._datasets.board(dataset_id, guild_id=actor.guild_id, user_id=actor.user_id)
        return await self._ask(uploads, author_id, actor, channel, dataset_id=board.dataset.id)

    async def for_pictures(
        self,
        prompt: str,
        settings: GenerationSettings,
        uploads: Sequence[Upload],
        author_id: int,
        actor: Actor,
        channel: Channel,
    ) -> RequestView:
        """Ask the author whether pictures may be made from these."""
        return await self._ask(uploads, author_id, actor, channel, prompt=prompt, settings=settings)

    async def view(self, request_id: int) -> RequestView | None:
        """The request, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            request = await rows.get(connection, request_id)
            return None if request is None else await self._view(connection, request)

    async def answer(self, request_id: int, *, is_yes: bool, user_id: int, guild_id: int | None) -> None:
        """Store the author's answer; `guild_id` is None in a private message. What was asked for is done at once."""
        now = self._clock.now()
        status = RequestStatus.GRANTED if is_yes else RequestStatus.REFUSED

        async def transaction(connection: AsyncConnection) -> None:
            request = await rows.get(connection, request_id)
            if request is None or request.to_id != user_id or guild_id not in {None, request.guild_id}:
                raise NotFound(NOT_YOURS)
            if request.status is not RequestStatus.ASKED:
                raise UserError(ENDED[request.status])
            if now > self._ends_at(request):
                raise UserError(ENDED[RequestStatus.EXPIRED])
            await rows.answer(connection, request_id, status, now=now)
            if is_yes:
                await questions.answer_yes(connection, PostKind.PHOTO_REQUEST, request_id, now=now)
            else:
                await questions.withdraw(connection, PostKind.PHOTO_REQUEST, [request_id])
                await tell_asker(connection, request, now)
            await posts.renew(connection, PostKind.PHOTO_REQUEST, request_id, due_at=now)

        await self._database.write(transaction)

    async def _ask(
        self, uploads: Sequence[Upload], author_id: int, actor: Actor, channel: Channel, **what: Any
    ) -> RequestView:
        if len(uploads) > UPLOADS_MAX:
            raise UserError(f"Up to {UPLOADS_MAX} photos can be asked for at once.")
        if not await self._members.is_member(actor.guild_id, author_id):
            raise UserError(f"<@{author_id}> is not in this server any more, so nobody can be asked for these photos.")
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> RequestView:
            is_age_restricted = channel.is_age_restricted
            settings: GenerationSettings | None = what.get("settings")
            await check_text(
                connection,
                actor.guild_id,
                what.get("prompt"),
                negative=None if settings is None else settings.negative,
                is_age_restricted=is_age_restricted,
            )
            pair = {"guild_id": actor.guild_id, "from_id": actor.user_id, "to_id": author_id}
            request = await rows.insert(
                connection,
                channel_id=channel.id,
                parent_id=channel.parent_id,
                uploads=tuple(uploads),
                role_ids=actor.role_ids,
                is_age_restricted=is_age_restricted,
                created_at=now,
                due_at=now + self._timings.question_open,
                **pair,
                **what,
            )
            places = [Place(PlaceKind.USER, author_id)]
            await ask_today(connection, PostKind.PHOTO_REQUEST, request.id, **pair, places=places, now=now)
            return await self._view(connection, request)

        return await self._database.write(transaction)

    async def _view(self, connection: AsyncConnection, request: PhotoRequest) -> RequestView:
        dataset = None if request.dataset_id is None else await datasets.get(connection, request.dataset_id)
        return RequestView(request, dataset, self._ends_at(request), author_sentence(dataset, self._timings))

    def _ends_at(self, request: PhotoRequest) -> datetime:
        return request.created_at + self._timings.question_open


async def tell_asker(connection: AsyncConnection, request: PhotoRequest, now: datetime) -> None:
    """What became of the request: privately, else where it was asked."""
    channels = [each for each in (request.channel_id, request.parent_id) if each is not None]
    await posts.add(
        connection,
        PostKind.PHOTO_REQUEST_ANSWERED,
        request.id,
        guild_id=request.guild_id,
        user_id=request.from_id,
        places=[Place(PlaceKind.USER, request.from_id), *(Place(PlaceKind.CHANNEL, each) for each in channels)],
        now=now,
    )
