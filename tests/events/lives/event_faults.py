"""What goes wrong while an event runs: a provider that is away, a process that dies between two writes, a dead hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from bot.records.event import Event
from bot.records.job import LaneName
from bot.sandbox.rehearsal.faults import Handler, RouteFaults, drain
from bot.storage.database import Database
from bot.storage.due import Claim
from bot.storage.writer import Transaction
from tests.fakes.studio import Studio

WRITES_MAX = 40
"""Of one step, so that one which never ends is found out."""


class Outage(RouteFaults):
    """The provider answers everything with 503."""

    async def serve(self, route: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        await drain(request)
        return web.json_response({"error": "Down for maintenance"}, status=503)


@contextmanager
def outage(studio: Studio) -> Iterator[None]:
    """Apiframe is away for as long as this lasts."""
    well, studio.server.faults.routes = studio.server.faults.routes, Outage()
    try:
        yield
    finally:
        studio.server.faults.routes = well


class Killed(BaseException):
    """The process ends here."""


class MortalWrites:
    """In place of `Database.write`: the process dies at the write of a given number, before or after it is durable."""

    def __init__(self, database: Database, *, after: bool) -> None:
        self._write = database.write
        self._left: int | None = None
        self.after = after
        self.deaths = 0

    def die_at(self, number: int | None) -> None:
        """Counted from 1; None: live on."""
        self._left = number

    async def __call__(self, transaction: Transaction[Any]) -> Any:
        if self._left is None:
            return await self._write(transaction)
        self._left -= 1
        if self._left:
            return await self._write(transaction)
        self.deaths += 1
        if self.after:
            await self._write(transaction)
        raise Killed


class MortalLane:
    """Every step of a lane dies at its first write, then at its second, and so on until it gets through.

    `has_moved` says of a row before and after a death whether the next step would be another one.
    """

    def __init__(
        self, studio: Studio, lane: LaneName, writes: MortalWrites, has_moved: Callable[[Any, Any], bool]
    ) -> None:
        self.rows, self.advance_once = studio.lanes[lane]
        self.studio, self.lane, self.writes, self.has_moved = studio, lane, writes, has_moved
        studio.lanes[lane] = (self.rows, self.advance)

    async def advance(self, claim: Claim[Any]) -> None:
        for number in range(1, WRITES_MAX):
            self.writes.die_at(number)
            try:
                await self.advance_once(claim)
                return
            except Killed:
                self.writes.die_at(None)
                again = await self._start_anew(claim)
                if again is None or self.has_moved(claim.row, again.row):
                    await self.rows.release_all()
                    return
                claim = again
            finally:
                self.writes.die_at(None)
        raise AssertionError("the step never gets through")

    async def _start_anew(self, claim: Claim[Any]) -> Claim[Any] | None:
        await self.rows.release_all()
        claims = await self.studio.claim(self.lane, f"engine-{self.writes.deaths}")
        return next((each for each in claims if each.id == claim.id), None)


def has_event_moved(before: Event, now: Event) -> bool:
    return (before.status, before.paused_at) != (now.status, now.paused_at)
