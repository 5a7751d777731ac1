"""Storing the results of removal steps, each in one transaction."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.errors import ProviderError
from bot.limits.ledger import Ledger
from bot.records.doubt import one_more, pause_of
from bot.records.guild import NOBODY, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.limit import Amount
from bot.records.post import PostKind
from bot.records.removal import Removal, RemovalAnswer, RemovalKind, RemovalReason, RemovalStatus
from bot.resources import Resources, Service
from bot.storage.due import Claim, mark, store
from bot.storage.events import events
from bot.storage.jobs import posts
from bot.storage.money import keys
from bot.storage.people import erasure, removals
from bot.storage.policy_tables import removals as table


class RemovalOutcomes(Service):
    """A method with a claim raises LeaseLost, and stores nothing, once the claim has ended."""

    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._ledger = Ledger(opened.clock, opened.timings)

    async def later(self, claim: Claim[Removal], error: ProviderError | None = None) -> None:
        """Try again after a pause that grows with every try. `error` is None when the provider was not asked."""
        attempt = claim.row.attempt
        wait = backoff(attempt, first=self._timings.backoff_first, ceiling=self._timings.removal_retry)
        if error is not None and error.retry_after is not None:
            wait = max(wait, timedelta(seconds=error.retry_after))
        asked = {} if error is None else {"asked_at": self._clock.now()}
        await self._keep(claim, due_in=wait, attempt=attempt + 1, **asked)

    async def sleep(self, claim: Claim[Removal]) -> None:
        """The server has no key under which the provider could be asked: it is asked as soon as there is one."""
        now, removal = self._clock.now(), claim.row

        async def transaction(connection: AsyncConnection) -> None:
            await mark(connection, table, claim)
            has_key = await removals.key_for(connection, removal) is not None
            await store(connection, table, claim, due_at=now if has_key else None)
            if not has_key:
                await post_receipt(connection, removal, now=now)

        await self._database.write(transaction)

    async def rest(self, claim: Claim[Removal], until: datetime) -> None:
        await self._database.write(lambda connection: store(connection, table, claim, due_at=until))

    async def watch(self, claim: Claim[Removal]) -> None:
        """It is still under way: look again soon."""
        await self._keep(claim, due_in=self._timings.poll, attempt=0, doubt=None)

    async def found(self, claim: Claim[Removal], remote_id: str) -> None:
        """The provider has it under this id."""
        await self._keep(claim, due_in=timedelta(0), remote_id=remote_id, attempt=0, doubt=None)

    async def made(self, claim: Claim[Removal], kind: RemovalKind, remote_id: str, took: Amount | None) -> None:
        """The training has ended, so that what it made can be removed now. `took` settles what was reserved for it."""
        now, removal = self._clock.now(), claim.row

        async def transaction(connection: AsyncConnection) -> None:
            await store(connection, table, claim, due_at=now, kind=kind, remote_id=remote_id, attempt=0, doubt=None)
            await self._settle(connection, removal, took, now)

        await self._database.write(transaction)

    async def is_believed(self, claim: Claim[Removal]) -> bool:
        """The provider says that there is no such thing: True when it has said so all over `job_doubted`."""
        now = self._clock.now()
        doubt = one_more(claim.row.doubt, now)
        if doubt.is_over(self._timings.job_doubted, now):
            return True
        await self._keep(claim, due_in=pause_of(self._timings.job_doubted), doubt=doubt, asked_at=now)
        return False

    async def end(
        self, claim: Claim[Removal], answer: RemovalAnswer, *, was_asked: bool = True, took: Amount | None = None
    ) -> None:
        """Store the answer; with the last one the member gets the receipt.

        `took` settles what is still reserved for the job, None: all of it.
        """
        now, removal = self._clock.now(), claim.row
        ended = {"status": RemovalStatus.ENDED, "answer": answer, "answered_at": now, "doubt": None}
        asked = {"asked_at": now} if was_asked else {}

        async def transaction(connection: AsyncConnection) -> None:
            due_at = now + self._timings.receipts_kept
            await store(connection, table, claim, due_at=due_at, **ended, **asked)
            if removal.kind is not RemovalKind.UPLOAD:
                await self._settle(connection, removal, took, now)
            await keys.wake_retired(connection, removal.guild_id, now=now)
            await post_receipt(connection, removal, now=now, is_last=True)

        await self._database.write(transaction)

    async def forget(self, claim: Claim[Removal]) -> None:
        """The receipt has been kept long enough."""

        async def transaction(connection: AsyncConnection) -> None:
            await mark(connection, table, claim)
            await erasure.erase_job(connection, table, SubjectTable.REMOVAL, claim.id)

        await self._database.write(transaction)

    async def _settle(self, connection: AsyncConnection, removal: Removal, took: Amount | None, now: datetime) -> None:
        spend = await self._ledger.settle_by_id(
            connection, removal.subject_table, removal.subject_id, took, known_as=removal.marker
        )
        if spend is not None and spend.event_id is not None:
            await events.renew_panel(connection, spend.event_id, due_at=now + self._timings.panel)
            await events.wake(connection, spend.event_id, now=now)

    async def _keep(self, claim: Claim[Removal], *, due_in: timedelta, **values: Any) -> None:
        due_at = self._clock.now() + due_in
        await self._database.write(lambda connection: store(connection, table, claim, due_at=due_at, **values))


async def post_receipt(connection: AsyncConnection, removal: Removal, *, now: datetime, is_last: bool = False) -> None:
    """Send the receipt privately when nothing of the member can be asked for any more.

    It is about all that is to go, and has the name of what was wanted gone last, whatever is answered last: that may
    be something else after a backup was put back. `is_last`: an earlier one said that there was no answer.
    Whoever archives a LoRA finds it under `/privacy receipts`.
    """
    is_told = removal.why is not RemovalReason.ARCHIVED and removal.user_id != NOBODY
    if not is_told or not await removals.is_through(connection, removal):
        return
    newest = (await removals.of_person(connection, removal.user_id, removal.guild_id))[0]
    earlier = await posts.forget(connection, PostKind.RECEIPT, newest.id) if is_last else None
    await posts.add(
        connection,
        PostKind.RECEIPT,
        newest.id,
        guild_id=removal.guild_id,
        user_id=removal.user_id,
        places=[Place(PlaceKind.USER, removal.user_id)],
        now=now,
        instead_of=earlier,
        known_as=newest.known_as,
    )
