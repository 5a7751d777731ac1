"""An event loop whose time leaps to the next timer, so that waits cost nothing and their lengths are exact."""

import asyncio
import contextlib
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import aiosqlite
import pytest
from aiohttp import ClientResponse, StreamReader

from tests.fakes.waiting import HANG_S

T = TypeVar("T")

GRACE_S = 0.001
"""What the kernel still has in its hands arrives within this time, with nothing lost if it does not."""


class LeapingSelector(selectors.DefaultSelector):
    """Where the loop would wait for its next timer, the wait is added to `now`. Nothing else may be waited for.

    A turn takes a microsecond at least: a timer that is rounded to the present would be set again for ever.
    """

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is left that could happen"
        self.now += max(timeout, 1e-6)
        return super().select(0)


class PatientSelector(LeapingSelector):
    """Waits, without time going by, for what is under way outside the loop: threads, and HTTP on sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        is_idle = timeout is None or timeout > 0
        ready = self._wait(0)
        while is_idle and not ready and self.under_way:
            ready = self._wait(HANG_S)
            assert ready, "what is under way does not end"
        if is_idle and not ready:
            ready = self._wait(HANG_S if timeout is None else GRACE_S)
        if ready or timeout == 0:
            self.now += 1e-6
            return ready
        return super().select(timeout)

    def _wait(self, seconds: float) -> list[tuple[selectors.SelectorKey, int]]:
        return selectors.DefaultSelector.select(self, seconds)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Count, as long as this lasts, statements of SQLite, work of threads, and answers and bodies on the way."""

        def counted(method: Callable[..., Any]) -> Callable[..., Any]:
            async def call(*args: Any, **options: Any) -> Any:
                self.under_way += 1
                try:
                    return await method(*args, **options)
                finally:
                    self.under_way -= 1

            return call

        def finished(method: Callable[..., Any]) -> Callable[..., Any]:
            """A thread ends what it has begun, whoever has given up waiting."""

            async def call(*args: Any, **options: Any) -> Any:
                return await asyncio.shield(asyncio.ensure_future(counted(method)(*args, **options)))

            return call

        def submit(pool: ThreadPoolExecutor, *args: Any, **options: Any) -> Future[Any]:
            future: Future[Any] = submit_unseen(pool, *args, **options)
            self.under_way += 1
            future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
            return future

        def stop(connection: aiosqlite.Connection) -> asyncio.Future[Any] | None:
            stopped: asyncio.Future[Any] | None = stop_unseen(connection)
            if stopped is not None:
                self.under_way += 1
                stopped.add_done_callback(lambda _: self._done())
            return stopped

        loop, submit_unseen, stop_unseen = (
            asyncio.get_running_loop(),
            ThreadPoolExecutor.submit,
            aiosqlite.Connection.stop,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ThreadPoolExecutor, "submit", submit)
            patch.setattr(aiosqlite.Connection, "stop", stop)
            patch.setattr(aiosqlite.Connection, "_execute", finished(aiosqlite.Connection._execute))
            for owner, name in ((ClientResponse, "start"), (StreamReader, "_wait")):
                patch.setattr(owner, name, counted(getattr(owner, name)))
            yield

    def _done(self) -> None:
        self.under_way -= 1


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: LeapingSelector | None = None) -> None:
        self._clock = clock or LeapingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run_on_leaping_time(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(work)


async def with_leaping_time(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work`, on a loop of its own whose time leaps although it has threads and sockets."""
    clock = PatientSelector()

    async def watched() -> T:
        with clock.watch():
            result = await work()
            while clock.under_way:  # noqa: ASYNC110 - threads end by themselves
                await asyncio.sleep(0)
            return result

    def run() -> T:
        with asyncio.Runner(loop_factory=lambda: LeapingLoop(clock)) as runner:
            return runner.run(watched())

    return await asyncio.to_thread(run)
