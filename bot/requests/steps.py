"""What follows an author's answer, 24 hours without one, or a block of whoever asked."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.service import DatasetService
from bot.errors import UserError
from bot.generation.acceptance import OrderAcceptance
from bot.generation.order import PartialOrder
from bot.records.dataset import ConsentKind, Dataset
from bot.records.generation import Generation, GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.post import PostKind
from bot.records.question import PhotoRequest, RequestStatus
from bot.requests.rules import author_sentence
from bot.requests.service import tell_asker
from bot.resources import Resources, Service
from bot.storage.due import Claim, mark, store
from bot.storage.jobs import datasets, posts
from bot.storage.people import erasure, moderation, questions, requests
from bot.storage.question_tables import photo_requests

ASKER_BLOCKED = "The moderators of this server have blocked you meanwhile, so nothing was used."
ASKER_GONE = "You are not in this server any more, so nothing was used."
PUT_BACK = "A backup was put back meanwhile. If the pictures are not here, please ask once more."
DATASET_GONE = "The dataset was started or discarded meanwhile, so nothing was added."


class RequestSteps(Service):
    def __init__(self, opened: Resources, dataset_service: DatasetService, orders: OrderAcceptance) -> None:
        super().__init__(opened)
        self._policy = opened.policy
        self._members = opened.members
        self._datasets = dataset_service
        self._orders = orders

    async def advance(self, claim: Claim[PhotoRequest]) -> None:
        match claim.row.status:
            case RequestStatus.ASKED:
                await self._database.write(partial(self._expire, claim))
            case RequestStatus.GRANTED:
                await self._use(claim)
            case _:
                await self._rest(claim)

    async def _expire(self, claim: Claim[PhotoRequest], connection: AsyncConnection) -> None:
        now, request = self._clock.now(), claim.row
        is_blocked = await moderation.is_blocked(connection, request.guild_id, request.from_id)
        await self._end(connection, claim, RequestStatus.EXPIRED, None, tells=not is_blocked)
        await questions.withdraw(connection, PostKind.PHOTO_REQUEST, [claim.id])
        await posts.renew(connection, PostKind.PHOTO_REQUEST, claim.id, due_at=now)

    async def _use(self, claim: Claim[PhotoRequest]) -> None:
        try:
            await self._check_asker(claim.row)
            if claim.row.dataset_id is None:
                await self._order(claim)
            else:
                await self._add(claim, claim.row.dataset_id)
        except UserError as error:
            reason = str(error)
            await self._database.write(lambda connection: self._end(connection, claim, RequestStatus.FAILED, reason))

    async def _check_asker(self, request: PhotoRequest) -> None:
        """UserError when the asker may use nothing here any more; nothing has been downloaded then."""
        if await self._database.fetch(moderation.is_blocked, request.guild_id, request.from_id):
            raise UserError(ASKER_BLOCKED)
        if not await self._members.is_member(request.guild_id, request.from_id):
            raise UserError(ASKER_GONE)

    async def _add(self, claim: Claim[PhotoRequest], dataset_id: int) -> None:
        """Take the photos into the dataset, in one transaction with what the request says then."""
        request = claim.row
        dataset = await self._database.fetch(datasets.get, dataset_id)
        if dataset is None:
            raise UserError(DATASET_GONE)

        async def added(connection: AsyncConnection, hashes: list[str]) -> None:
            if hashes:
                await self._record_yes(connection, request, dataset, hashes)
            await self._end(connection, claim, RequestStatus.DONE, f"{len(hashes)} of {len(request.uploads)}")

        await self._datasets.take_in(dataset, request.uploads, also=added)

    async def _order(self, claim: Claim[PhotoRequest]) -> None:
        """Order the pictures, in one transaction with what the request says then, so that it is paid once."""
        request = claim.row
        if self._was_used_perhaps(request):
            raise UserError(PUT_BACK)
        order = PartialOrder(
            request.prompt or "",
            frozenset({"aspect"}),
            settings=request.settings or GenerationSettings(),
            uploads=request.uploads,
        )
        actor = Actor(request.guild_id, request.from_id, request.role_ids)

        async def accepted(connection: AsyncConnection, generation: Generation, hashes: list[str]) -> None:
            await requests.record_yes_to_pictures(
                connection,
                request,
                generation,
                policy_version=self._policy.version,
                wording=author_sentence(None, self._timings),
                photo_hashes=hashes,
            )
            await self._end(connection, claim, RequestStatus.DONE, f"#{generation.id}")

        channel = Channel(request.channel_id, request.parent_id, request.is_age_restricted)
        await self._orders.order_with_defaults(order, actor, channel, also=accepted)

    def _was_used_perhaps(self, request: PhotoRequest) -> bool:
        """Whether the pictures may have been ordered after the backup from which this database was put back."""
        restored = self._database.inherited.restored
        return restored is not None and request.answered_at is not None and request.answered_at <= restored.taken_at

    async def _end(
        self,
        connection: AsyncConnection,
        claim: Claim[PhotoRequest],
        status: RequestStatus,
        outcome: str | None,
        *,
        tells: bool = True,
    ) -> None:
        now = self._clock.now()
        due_at = claim.row.created_at + self._timings.details_kept
        await store(connection, photo_requests, claim, due_at=due_at, status=status, outcome=outcome)
        if tells:
            await tell_asker(connection, claim.row, now)

    async def _rest(self, claim: Claim[PhotoRequest]) -> None:
        """A refused one stays as long as the others; then it is forgotten."""
        forgotten_at = claim.row.created_at + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> None:
            if self._clock.now() < forgotten_at:
                await store(connection, photo_requests, claim, due_at=forgotten_at)
                return
            await mark(connection, photo_requests, claim)
            await erasure.erase_request(connection, claim.id)

        await self._database.write(transaction)

    async def _record_yes(
        self, connection: AsyncConnection, request: PhotoRequest, dataset: Dataset, hashes: list[str]
    ) -> None:
        """The proof that the author agreed to exactly these photos."""
        assert request.answered_at is not None  # set together with the status
        await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version=self._policy.version,
            photo_hashes=hashes,
            now=request.answered_at,
            user_id=request.to_id,
            kind=ConsentKind.AUTHOR,
            wording=author_sentence(dataset, self._timings),
        )
