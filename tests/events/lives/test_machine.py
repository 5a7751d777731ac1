"""Events over the real services, the engine and SQLite in the hands of hosts, members, a clock and a sick provider."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
import sqlalchemy as sa
import stamina
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.errors import UserError
from bot.events import lifecycle
from bot.generation.order import PictureOrder
from bot.records.event import AnnouncementKind, Event, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.storage.database import sqlite_url
from bot.storage.due import Claim, LeaseLost
from bot.storage.jobs import datasets
from bot.storage.jobs import generations as generation_rows
from bot.storage.tables import generations, loras
from tests.events.lives.event_acts import name_in_photos, photo_files
from tests.events.lives.event_books import check_books
from tests.events.lives.event_faults import Killed, MortalWrites, Outage
from tests.events.lives.event_run import CLEO, HOST, begin
from tests.fakes.examples import in_proportion
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import open_studio

T = TypeVar("T")

S = EventStatus
MEMBERS = st.sampled_from([ANNA, BEN, CLEO])
STEPS = st.sampled_from([timedelta(minutes=2), timedelta(minutes=25), timedelta(hours=2), timedelta(hours=30)])
BUDGET = 257 + 2 * 4
DAN = 404
ENDS = {AnnouncementKind.WINNER, AnnouncementKind.NO_BALLOT, AnnouncementKind.CANCELLED}


class Lives(RuleBasedStateMachine):
    """One event from its opening on; whoever does what they may not do now is told so, and that is all."""

    migrated: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.migrated, self.folder / "darkroom.db")
        self.stack.enter_context(stamina.set_testing(True, attempts=1))
        self.studio = self.run(
            self.stack.enter_async_context(open_studio(self.folder, sqlite_url(self.folder / "darkroom.db")))
        )
        self.well = self.studio.server.faults.routes
        self.writes = MortalWrites(self.studio.database, after=False)
        setattr(self.studio.database, "write", self.writes)  # noqa: B010 - a method, so that mypy wants it this way
        self.given: Counter[int] = Counter()
        self.has_withdrawn: set[int] = set()
        self.asked: list[int] = []
        self.path: list[EventStatus] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def tried(self, work: Coroutine[Any, Any, T]) -> T | None:
        """None when it may not be done now."""
        try:
            return self.run(work)
        except UserError:
            return None

    @property
    def event(self) -> Event:
        return self.run(self.life.event())

    def teardown(self) -> None:
        try:
            if self.path:
                self.run(self.come_to_rest())
        finally:
            self.run(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder)

    async def come_to_rest(self) -> None:
        """Everything is well again: the event comes to its end, and no photo is left."""
        self.studio.server.faults.routes = self.well
        await self.studio.set_key()
        for _ in range(40):
            await self.studio.pass_time(timedelta(hours=12))
            if (await self.life.status()).is_terminal:
                break
        await self.studio.pass_time(timedelta(hours=12))
        assert (await self.life.status()).is_terminal, await self.life.event()
        assert await photo_files(self.studio) == []
        await check_books(self.life)
        ends = [each for each in await self.life.notes() if each in ENDS]
        assert len(ends) <= 1 + (AnnouncementKind.NO_BALLOT in ends), ends

    @initialize(mode=st.sampled_from([EventMode.SHARED, EventMode.PERSONAL]))
    def open(self, mode: EventMode) -> None:
        self.run(self.studio.set_key())
        self.life = self.run(begin(self.studio, mode, pack=("{trigger} on a boat",), budget=BUDGET, photo_cap=20))
        for user_id in (ANNA, BEN):
            self.give(user_id)
        self.mode = mode
        self.path = [S.COLLECTING]
        self.watch()

    def watch(self) -> None:
        """Note every stage in which the event lane works."""
        rows, advance = self.studio.lanes[LaneName.EVENTS]

        async def watched(claim: Claim[Event]) -> None:
            self.pass_by(claim.row)
            await advance(claim)

        self.studio.lanes[LaneName.EVENTS] = (rows, watched)

    def pass_by(self, event: Event) -> None:
        if not self.path or self.path[-1] is not event.status:
            self.path.append(event.status)

    @rule(user_id=MEMBERS)
    def give(self, user_id: int) -> None:
        """Photos as the member's form would bring them, so only while it is open to them."""
        if self.event.status is not S.COLLECTING or user_id in self.has_withdrawn or self.given[user_id] >= 45:
            return
        self.tried(self.life.give(user_id, 15, first=1 + self.given[user_id]))
        self.given[user_id] += 15

    @rule(user_id=MEMBERS)
    def withdraw(self, user_id: int) -> None:
        if user_id in self.run(self.life.still_in()):
            self.run(self.studio.depictions.withdraw(self.life.event_id, Actor(GUILD, user_id)))
            self.has_withdrawn.add(user_id)

    @rule(giver_id=MEMBERS)
    def name(self, giver_id: int) -> None:
        if self.event.status is S.COLLECTING and giver_id in self.run(self.life.still_in()) and self.given[giver_id]:
            self.asked.append(self.run(name_in_photos(self.life, giver_id, DAN, answer=None)))

    @rule(confirmed=st.booleans())
    def answer(self, confirmed: bool) -> None:
        if self.asked:
            self.tried(self.studio.depictions.answer(self.asked[-1], confirmed, DAN, GUILD))

    @rule(user_id=MEMBERS)
    def order(self, user_id: int) -> None:
        made = self.run(self.life.view()).loras
        if made:
            order = PictureOrder("at the beach", lora_id=made[user_id % len(made)].id)
            self.tried(self.studio.budgets.order(self.event, order, Actor(GUILD, user_id), Channel(CHANNEL)))

    @rule(user_id=MEMBERS, number=st.integers(0, 2))
    def vote(self, user_id: int, number: int) -> None:
        """Also for oneself, and when there is nothing to vote for."""
        shown = self.run(self.studio.ballots.shown(self.life.event_id))
        if shown:
            entry_id = shown[number % len(shown)].entry_id
            self.tried(self.studio.ballots.vote(self.life.event_id, entry_id, Actor(GUILD, user_id)))

    @rule()
    def close(self) -> None:
        self.tried(self.studio.events.close(self.life.event_id, HOST))

    @rule()
    def go_on(self) -> None:
        """The host closes what can be closed, and a training has time enough."""
        self.close()
        for _ in range(2):
            self.run(self.studio.pass_time(timedelta(minutes=13)))

    @rule(hours=st.integers(1, 40))
    def extend(self, hours: int) -> None:
        self.tried(self.studio.events.extend(self.life.event_id, hours, HOST))

    @rule(really=st.integers(0, 5))
    def cancel(self, really: int) -> None:
        if really == 0:
            self.tried(self.studio.events.cancel(self.life.event_id, HOST))

    @rule(step=STEPS)
    def pass_time(self, step: timedelta) -> None:
        self.run(self.studio.pass_time(step))

    @rule(number=st.integers(1, 6), after=st.booleans())
    def die_and_start_anew(self, number: int, after: bool) -> None:
        """The process ends at some write of the event's step; the next one takes the leases back and clears up."""
        self.run(self.die(number, after))

    async def die(self, number: int, after: bool) -> None:
        rows, advance = self.studio.lanes[LaneName.EVENTS]
        for claim in await self.studio.claim(LaneName.EVENTS, "mortal"):
            self.writes.after = after
            self.writes.die_at(number)
            with suppress(Killed, LeaseLost):
                await advance(claim)
            self.writes.die_at(None)
        await rows.release_all()
        self.studio.spool.sweep(await self.known_files(), age=timedelta(0))

    async def known_files(self) -> set[str]:
        async with self.studio.database.read() as connection:
            return await datasets.files_in_use(connection) | await generation_rows.files_in_use(connection)

    @rule(is_away=st.booleans())
    def provider(self, is_away: bool) -> None:
        self.studio.server.faults.routes = Outage() if is_away else self.well

    @rule(is_there=st.booleans())
    def key(self, is_there: bool) -> None:
        if is_there:
            self.tried(self.studio.set_key())
        else:
            self.tried(self.studio.keys.remove(GUILD, ProviderName.APIFRAME))

    @rule(user_id=MEMBERS)
    def leave_the_server(self, user_id: int) -> None:
        self.studio.members.gone.add((GUILD, user_id))

    @invariant()
    def the_books_are_right(self) -> None:
        if self.path:
            self.run(check_books(self.life))

    @invariant()
    def stages_follow_each_other(self) -> None:
        for before, after in pairwise(self.path):
            lifecycle.check_move(self.mode, before, after)

    @invariant()
    def whoever_withdrew_has_no_photos_here(self) -> None:
        for user_id in self.has_withdrawn:
            assert self.run(photo_files(self.studio, of=user_id)) == []

    @invariant()
    def every_file_is_known(self) -> None:
        assert set(self.studio.files()) <= self.run(self.known_files()), "a file lies around that nobody knows of"

    @invariant()
    def a_retired_lora_makes_nothing_more(self) -> None:
        too_late = sa.select(generations.c.id).join(loras, loras.c.id == generations.c.lora_id)
        found = too_late.where(generations.c.created_at > loras.c.retiring_since)
        assert self.run(self.studio.scalars(found)) == []


def test_events_in_everybodys_hands(migrated_file: Path) -> None:
    Lives.migrated = migrated_file
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=in_proportion(12),
            stateful_step_count=15,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
