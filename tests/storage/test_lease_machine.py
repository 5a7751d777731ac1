"""Two workers, crashes, hints and time, in any order: no row is ever in two hands, and none is lost."""

from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.training import Training
from bot.storage import due, tables
from bot.storage.due import Claim, DueRows, LeaseLost
from tests.fakes.database_machine import DatabaseMachine, run_machine
from tests.fakes.rows import add_training

LEASE = timedelta(seconds=60)
ROWS = 4
WORKERS = st.sampled_from(["left", "right"])
SECONDS = st.integers(1, 90)


class Hands(DatabaseMachine):
    """`held` is what each worker believes it holds; the model knows until when that belief is justified."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = DueRows(self.database, tables.trainings, Training)
        self.held: dict[str, dict[int, Claim[Training]]] = {"left": {}, "right": {}}
        self.until = dict.fromkeys(range(1, ROWS + 1), self.clock.now())
        self.due = dict.fromkeys(range(1, ROWS + 1), self.clock.now())
        self.hinted: set[int] = set()
        for number in range(1, ROWS + 1):
            self.run(add_training(self.database, number))

    @property
    def owners(self) -> dict[int, str | None]:
        async def read() -> dict[int, str | None]:
            async with self.database.read() as connection:
                found = await connection.execute(tables.trainings.select())
                return {row.id: row.lease_owner for row in found}

        return self.run(read())

    @rule(worker=WORKERS, limit=st.integers(1, ROWS))
    def claim(self, worker: str, limit: int) -> None:
        now = self.clock.now()
        free = {row for row in self.due if self.due[row] <= now and self.until[row] <= now}
        claims = self.run(self.rows.claim(owner=worker, now=now, until=now + LEASE, limit=limit))
        assert {one.id for one in claims} <= free, "a row in somebody's hands was given out"
        assert len(claims) == min(limit, len(free)), "a free row was held back"
        for one in claims:
            self.held[worker][one.id] = one
            self.until[one.id] = now + LEASE
            self.hinted.discard(one.id)

    @rule(worker=WORKERS)
    def renew(self, worker: str) -> None:
        mine = [one for row, one in self.held[worker].items() if self.owners[row] == worker]
        self.run(self.rows.renew(self.held[worker].values(), until=self.clock.now() + LEASE))
        for one in mine:
            self.until[one.id] = self.clock.now() + LEASE

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, data=st.data(), later=SECONDS)
    def store(self, worker: str, data: st.DataObject, later: int) -> None:
        if not self.held[worker]:
            return
        row = data.draw(st.sampled_from(sorted(self.held[worker])))
        one = self.held[worker].pop(row)
        rightful = self.owners[row] == worker
        due_at = self.clock.now() + timedelta(seconds=later)

        async def transaction(connection: AsyncConnection) -> None:
            await due.store(connection, tables.trainings, one, due_at=due_at)

        try:
            self.run(self.database.write(transaction))
        except LeaseLost:
            assert not rightful, "the rightful owner was turned away"
            return
        assert rightful, "somebody without a lease stored an outcome"
        self.due[row] = one.due_at if row in self.hinted else due_at
        self.until[row] = self.clock.now()

    @rule(row=st.integers(1, ROWS))
    def hint(self, row: int) -> None:
        now = self.clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await due.wake(connection, tables.trainings, row, now=now)

        self.run(self.database.write(transaction))
        self.due[row] = now
        self.hinted.add(row)

    @rule(worker=WORKERS)
    def crash(self, worker: str) -> None:
        """The process dies: it forgets what it holds, the database does not."""
        self.held[worker].clear()

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @invariant()
    def nobody_shares_a_row(self) -> None:
        now = self.clock.now()
        for row, owner in self.owners.items():
            sure = [
                worker
                for worker, held in self.held.items()
                if row in held and self.run(self.rows.holds(held[row], now=now))
            ]
            assert len(sure) <= 1
            assert not sure or sure == [owner]

    @invariant()
    def the_next_time_is_known(self) -> None:
        expected = min(max(self.due[row], self.until[row]) for row in self.due)
        next_due = self.run(self.rows.next_due())
        assert next_due is not None
        assert max(next_due, self.clock.now()) == max(expected, self.clock.now())


def test_two_workers_never_hold_the_same_row_and_no_row_is_lost(migrated_file: Path) -> None:
    run_machine(Hands, migrated_file, 25)
