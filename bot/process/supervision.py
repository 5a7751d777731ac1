"""What has to run as long as the process does: no part of it dies unseen, and the process ends when it is told to."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, NoReturn

from bot.errors import StartupError

log = logging.getLogger(__name__)

PARTS_CLOSE_S = 3.0
"""Seconds that the parts get to end when one of them has ended or all are cancelled."""
STOP_S = 8.0
"""Seconds after which a process that was asked to end is ended; containers are killed 10 s after SIGTERM."""
BEAT_S = 1.0
LATE_S = 1.0
STALE_S = 10.0


class Supervisor:
    """Runs critical parts, by name."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_running(self, name: str) -> bool:
        return name in self._tasks and not self._tasks[name].done()

    async def run(self, parts: Mapping[str, Coroutine[Any, Any, None]]) -> None:
        """Run all parts until cancelled; whichever ends takes the others with it.

        Raises its StartupError, or one that names it.
        """
        self._tasks = {name: asyncio.create_task(work, name=name) for name, work in parts.items()}
        try:
            await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            name, task = next((name, task) for name, task in self._tasks.items() if task.done())
            _report(name, None if task.cancelled() else task.exception())
        finally:
            await _end(self._tasks)


def _report(name: str, error: BaseException | None) -> NoReturn:
    if isinstance(error, StartupError):
        raise error
    log.critical("The part %s has ended, so Darkroom stops", name, exc_info=error)
    raise StartupError(f"Darkroom has stopped because a part of it ended ({name}). The log says why.") from error


async def _end(tasks: Mapping[str, asyncio.Task[None]]) -> None:
    for task in tasks.values():
        task.cancel()
    done, pending = await asyncio.wait(tasks.values(), timeout=PARTS_CLOSE_S)
    for task in done:
        if not task.cancelled():
            task.exception()  # asyncio logs an exception that nobody has asked for
    for task in pending:
        log.error("The part %s did not end within %.0f s", task.get_name(), PARTS_CLOSE_S)


class Heartbeat:
    """Beats once a second, and notes how late the event loop lets it."""

    def __init__(self) -> None:
        self._beaten_at: float | None = None
        self.late_s = 0.0
        """How late the latest beat came, in seconds."""

    def is_alive(self) -> bool:
        return self._beaten_at is not None and asyncio.get_running_loop().time() - self._beaten_at < STALE_S

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._beaten_at = loop.time()
            await asyncio.sleep(BEAT_S)
            self.late_s = loop.time() - self._beaten_at - BEAT_S
            if self.late_s > LATE_S:
                log.warning("The event loop stood still for %.1f s", self.late_s)


def end_within(seconds: float) -> None:
    """End the process after that time, whatever it waits for: a disk that does not answer, or a thread."""

    def end() -> None:
        log.critical("Darkroom could not end in order within %.0f s, so it ends now", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


async def until_stopped(work: Awaitable[None]) -> None:
    """Await `work`; SIGTERM cancels it, so that everything is closed in order, as with Ctrl+C."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def stop(*_: object) -> None:
        end_within(STOP_S)
        loop.call_soon_threadsafe(task.cancel)

    if sys.platform == "win32":  # Microsoft /cpp/c-runtime-library/reference/signal: SIGTERM is not generated
        log.info("This system cannot ask a program to end, so please stop Darkroom with Ctrl+C.")
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        signal.signal(signal.SIGTERM, before)
