"""Queues that limit how many submissions are worked on at once."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

LET_IN_S = 1.0
"""Seconds that work waits for unanswered interactions; Discord wants their answer within three seconds."""


class ArrivalsFirst:
    """`async with queue(member_id):` holds one of `at_once` places, once no interaction is `arriving`.

    Members take turns, as in a FairQueue. Arriving interactions are waited for at most `let_in_s` seconds.
    """

    def __init__(self, at_once: int, let_in_s: float = LET_IN_S) -> None:
        self._places = FairQueue(at_once)
        self._let_in_s = let_in_s
        self._arriving = 0
        self._all_in = asyncio.Event()
        self._all_in.set()

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Around the code from an interaction's arrival to its first answer."""
        self._arriving += 1
        self._all_in.clear()
        try:
            yield
        finally:
            self._arriving -= 1
            if not self._arriving:
                self._all_in.set()

    @asynccontextmanager
    async def __call__(self, member_id: int) -> AsyncIterator[None]:
        async with self._places(member_id):
            await self.let_in()
            yield

    async def let_in(self) -> None:
        """Wait until no interaction is arriving any more, at most `let_in_s` seconds."""
        if self._arriving:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._let_in_s):
                    await self._all_in.wait()


class FairQueue:
    """`async with queue(member_id):` holds one of `at_once` places.

    Among waiting members the one with the fewest places goes first, then the one served longest ago, then the one who
    has waited longest. Requests of one member go in their order. So a member who wants one place waits for at most one
    request of every other member.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._held: Counter[int] = Counter()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        self._served_at: dict[int, int] = {}
        self._grants = 0

    @asynccontextmanager
    async def __call__(self, member_id: int) -> AsyncIterator[None]:
        await self._take(member_id)
        try:
            yield
        finally:
            self._give_back(member_id)

    async def _take(self, member_id: int) -> None:
        request: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(member_id, deque()).append(request)
        self._grant()
        try:
            await request
        except asyncio.CancelledError:
            if request.cancelled():
                self._forget(member_id, request)
            else:
                self._give_back(member_id)
            raise

    def _give_back(self, member_id: int) -> None:
        self._held[member_id] -= 1
        if not self._held[member_id]:
            del self._held[member_id]
        self._free += 1
        self._grant()

    def _grant(self) -> None:
        while self._free and self._waiting:
            member_id = min(self._waiting, key=lambda each: (self._held[each], self._served_at.get(each, 0)))
            request = self._waiting[member_id][0]
            self._forget(member_id, request)
            if request.cancelled():
                continue
            self._free -= 1
            self._grants += 1
            self._held[member_id] += 1
            self._served_at[member_id] = self._grants
            request.set_result(None)
        if not self._held:
            self._served_at.clear()

    def _forget(self, member_id: int, request: asyncio.Future[None]) -> None:
        """Take the request out of the queue, if it is still there."""
        own = self._waiting.get(member_id)
        if own is not None and request in own:
            own.remove(request)
            if not own:
                del self._waiting[member_id]
