"""Orders, refunds, limits, months and erasures in any order: no limit is passed, and nothing reserved is lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.limits.ledger import Ledger
from bot.limits.rules import LimitReached, month_of
from bot.records.generation import Generation, GenerationSettings
from bot.records.key import ProviderName
from bot.records.limit import Amount, Limit, LimitKind
from bot.storage.jobs import generations
from bot.storage.money import limits, spends
from bot.storage.people import erasure, removals
from tests.fakes.database_machine import DatabaseMachine, run_machine
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD

MEMBERS = st.sampled_from([ANNA, BEN])
CREDITS = st.integers(0, 40)
MOST = st.none() | st.integers(0, 80)


@dataclass
class Reserved:
    """What the model knows of one job."""

    job: Generation
    at: datetime
    credits: int
    is_open: bool = True


class Books(DatabaseMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(self.clock, Timings())
        self.most: dict[LimitKind, int | None] = {}
        self.jobs: list[Reserved] = []

    def taken(self, user_id: int | None = None) -> int:
        """Credits of this month by the model, of one member or of all."""
        since = month_of(self.clock.now()).begins
        mine = (each for each in self.jobs if each.at >= since and user_id in {None, each.job.user_id})
        return sum(each.credits for each in mine)

    def fits(self, user_id: int, credits_: int) -> bool:
        for who, used in ((LimitKind.MEMBER, self.taken(user_id)), (LimitKind.SERVER, self.taken())):
            most = self.most.get(who)
            if most is not None and credits_ and used + credits_ > most:
                return False
        return True

    @rule(who=st.sampled_from([LimitKind.MEMBER, LimitKind.SERVER]), most=MOST)
    def set_limit(self, who: LimitKind, most: int | None) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            if most is None:
                await limits.clear(connection, GUILD, who)
            else:
                await limits.put(connection, Limit(0, GUILD, who, 0, most, None, None, ADMIN, self.clock.now()))

        self.run(self.database.write(transaction))
        self.most[who] = most

    @rule(user_id=MEMBERS, credits_=CREDITS)
    def order(self, user_id: int, credits_: int) -> None:
        number = len(self.jobs) + 1

        async def transaction(connection: AsyncConnection) -> Generation:
            job_id = await generations.insert(
                connection,
                settings=GenerationSettings(),
                guild_id=GUILD,
                channel_id=CHANNEL,
                user_id=user_id,
                key_id=1,
                provider=ProviderName.APIFRAME,
                prompt="a fox",
                idempotency_key=f"key-{number}-{self.clock.now().timestamp()}-{len(self.jobs)}",
                webhook_token=f"token-{number}-{self.clock.now().timestamp()}-{len(self.jobs)}",
                created_at=self.clock.now(),
            )
            job = await generations.get(connection, job_id)
            assert job is not None
            await self.ledger.reserve(connection, job, Amount(credits_, pictures=1), frozenset())
            return job

        expected = self.fits(user_id, credits_)
        try:
            job = self.run(self.database.write(transaction))
        except LimitReached:
            assert not expected, "what fits was refused"
            return
        assert expected, "a limit was passed"
        self.jobs.append(Reserved(job, self.clock.now(), credits_))

    @precondition(lambda self: any(each.is_open for each in self.jobs))
    @rule(data=st.data(), took=st.none() | CREDITS, is_twice=st.booleans())
    def end(self, data: st.DataObject, took: int | None, is_twice: bool) -> None:
        """A job ends with what it took, None: as much as was reserved; a second end changes nothing."""
        one = data.draw(st.sampled_from([each for each in self.jobs if each.is_open]))
        amount = None if took is None else Amount(min(took, one.credits))

        async def transaction(connection: AsyncConnection) -> None:
            await self.ledger.settle(connection, one.job, amount)
            if is_twice:
                await self.ledger.settle(connection, one.job, Amount(99))

        self.run(self.database.write(transaction))
        one.is_open = False
        one.credits = one.credits if amount is None else amount.credits

    @rule(user_id=MEMBERS)
    def erase(self, user_id: int) -> None:
        """What waits was never sent, so it gives back what it has reserved."""

        async def transaction(connection: AsyncConnection) -> None:
            await removals.of_member(connection, GUILD, user_id, now=self.clock.now())
            await erasure.erase_member(connection, guild_id=GUILD, user_id=user_id)

        self.run(self.database.write(transaction))
        for each in self.jobs:
            if each.is_open and each.job.user_id == user_id:
                each.is_open, each.credits = False, 0

    @rule(days=st.integers(1, 40))
    def let_time_pass(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))

    @invariant()
    def the_books_say_what_happened(self) -> None:
        stored = self.run(self.database.fetch(spends.of_guild, GUILD))
        assert [each.credits for each in stored] == [each.credits for each in self.jobs]
        assert [each.settled_at is None for each in stored] == [each.is_open for each in self.jobs]

    @invariant()
    def each_member_is_counted_once(self) -> None:
        since = month_of(self.clock.now()).begins
        used = self.run(self.database.fetch(spends.used_by_guild, GUILD, since))
        assert used.credits == self.taken()


def test_no_order_of_events_loses_a_credit_or_passes_a_limit(migrated_file: Path) -> None:
    run_machine(Books, migrated_file, 20)
