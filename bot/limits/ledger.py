"""The ledger: every paid job reserves what it may take from every limit that holds for it, and settles when it ends."""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, Timings
from bot.errors import UserError
from bot.limits import rules
from bot.records.generation import Generation
from bot.records.guild import Actor
from bot.records.job import JOB_NAMES, SubjectTable
from bot.records.limit import Amount, Limit, Spend, Unit
from bot.records.moderation import Act
from bot.records.training import Training
from bot.storage import guilds
from bot.storage.events import events
from bot.storage.money import limits, spends
from bot.storage.people import moderation_log, pseudonyms


class BudgetSpent(UserError):
    """Both numbers are in credits."""

    def __init__(self, needed: int, left: int) -> None:
        super().__init__(
            f"This takes {needed:,} credits; the event's budget has {left:,} left and does not renew. "
            "Its host can raise it. Nothing was ordered."
        )


class Ledger:
    def __init__(self, clock: Clock, timings: Timings) -> None:
        self._clock = clock
        self._timings = timings

    async def reserve(
        self, connection: AsyncConnection, job: Training | Generation, amount: Amount, role_ids: frozenset[int]
    ) -> None:
        """Reserve in the transaction that stores the job.

        LimitReached or BudgetSpent, which undo that transaction, when a limit has too little left. A job of an event
        counts against the event's budget and the server's limit, any other against its member's limit and the server's.
        """
        now = self._clock.now()
        await self._check(connection, job, amount, role_ids, now)
        await spends.reserve(
            connection,
            Spend(
                0,
                job.guild_id,
                job.user_id,
                job.event_id,
                subject_of(job),
                job.id,
                job.provider,
                reserved=amount.credits,
                created_at=now,
                settled_at=None,
                **asdict(amount),
            ),
        )
        await guilds.tidy_later(connection, job.guild_id, now=now)
        await self._renew_panel(connection, job, now)

    async def check(self, connection: AsyncConnection, actor: Actor, amount: Amount) -> None:
        """LimitReached when an order of the member's own would have to be refused just now; nothing is reserved."""
        stored, now = await limits.of_guild(connection, actor.guild_id), self._clock.now()
        await _check_member(connection, actor.guild_id, actor.user_id, amount, stored, actor.role_ids, now)
        await _check_server(connection, actor.guild_id, amount, stored, now)

    async def has_room(
        self, connection: AsyncConnection, job: Training | Generation, amount: Amount, role_ids: frozenset[int]
    ) -> bool:
        """Whether a job of the same member, server and event as this one could reserve so much now."""
        try:
            await self._check(connection, job, amount, role_ids, self._clock.now())
        except (rules.LimitReached, BudgetSpent):
            return False
        return True

    async def settle(self, connection: AsyncConnection, job: Training | Generation, took: Amount | None) -> None:
        """Replace what was reserved by what the job really took, in the transaction that ends it; None: all of it."""
        await self.settle_by_id(connection, subject_of(job), job.id, took, known_as=job.known_as)
        await self._renew_panel(connection, job, self._clock.now())

    async def settle_by_id(
        self,
        connection: AsyncConnection,
        subject: SubjectTable,
        subject_id: int,
        took: Amount | None,
        *,
        known_as: str | None,
    ) -> Spend | None:
        """The same for a job that may be gone here; what is settled now, None when it was settled before.

        `known_as`: what the provider knows the order by, None when that is not known any more.
        """
        now = self._clock.now()
        spend = await spends.settle(connection, subject, subject_id, took, now=now)
        if spend is not None and spend.credits:
            what = f"{JOB_NAMES[subject]} #{subject_id}, {spend.credits} credits of {spend.provider.label}"
            await moderation_log.note(
                connection, spend.guild_id, Act.PAID, spend.user_id, what, now=now, known_as=f"paid:{known_as or what}"
            )
        return spend

    async def _check(
        self,
        connection: AsyncConnection,
        job: Training | Generation,
        amount: Amount,
        role_ids: frozenset[int],
        now: datetime,
    ) -> None:
        stored = await limits.of_guild(connection, job.guild_id)
        if job.event_id is not None:
            await _check_event(connection, job.event_id, amount)
        else:
            await _check_member(connection, job.guild_id, job.user_id, amount, stored, role_ids, now)
        await _check_server(connection, job.guild_id, amount, stored, now)

    async def _renew_panel(self, connection: AsyncConnection, job: Training | Generation, now: datetime) -> None:
        if job.event_id is not None:
            await events.renew_panel(connection, job.event_id, due_at=now + self._timings.panel)


def subject_of(job: Training | Generation) -> SubjectTable:
    return SubjectTable.TRAINING if isinstance(job, Training) else SubjectTable.GENERATION


async def _check_event(connection: AsyncConnection, event_id: int, amount: Amount) -> None:
    event = await events.get(connection, event_id)
    if event is None or event.budget is None:
        return
    rest = max(0, event.budget - await spends.total(connection, event_id))
    if amount.credits > rest:
        raise BudgetSpent(amount.credits, rest)


async def _check_server(
    connection: AsyncConnection, guild_id: int, amount: Amount, stored: list[Limit], now: datetime
) -> None:
    whole, month = rules.server_limit(stored), rules.month_of(now)
    if whole is None:
        return
    used = await spends.used_by_guild(connection, guild_id, month.begins)
    for unit in Unit:
        rules.check(whole, unit, used, amount, month)


async def _check_member(
    connection: AsyncConnection,
    guild_id: int,
    user_id: int,
    amount: Amount,
    stored: list[Limit],
    role_ids: frozenset[int],
    now: datetime,
) -> None:
    month = rules.month_of(now)
    ids = await pseudonyms.ids_of(connection, guild_id, user_id)
    used = await spends.used_by_member(connection, guild_id, ids, month.begins) if stored else Amount()
    for unit in Unit:
        limit = rules.largest_for_member(stored, role_ids, unit)
        if limit is not None:
            rules.check(limit, unit, used, amount, month)
    guild = await guilds.get(connection, guild_id)
    if amount.trainings and guild is not None and guild.training_pause_h:
        last = await spends.last_training(connection, guild_id, ids)
        rules.check_pause(last, timedelta(hours=guild.training_pause_h), now)
