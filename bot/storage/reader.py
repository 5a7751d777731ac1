"""Questions to a SQLite database: all that wait are answered in one call to a connection's thread.

A call to the thread costs more than most statements do, and hundreds of members may ask within a second.
"""

import asyncio
import functools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StorageTrouble
from bot.storage.driver import Connection
from bot.storage.trouble import STOPPING
from bot.storage.writer import CLOSE_S, driver_of

T = TypeVar("T")
P = ParamSpec("P")
Question = Callable[[AsyncConnection], Coroutine[Any, Any, T]]

GROUP_MAX = 128
"""Most questions in one call: whoever asks next waits for all of them."""
ANSWERS = "answers of the group"


def asked_once(
    question: Callable[Concatenate[AsyncConnection, P], Awaitable[T]],
) -> Callable[Concatenate[AsyncConnection, P], Coroutine[Any, Any, T]]:
    """A question that many ask alike, as about their server: a group, which sees one moment, asks it once.

    Its parameters are hashable, and its answer is not to be changed. A write always asks.
    """

    @functools.wraps(question)
    async def ask(connection: AsyncConnection, /, *args: P.args, **options: P.kwargs) -> T:
        answers = connection.info.get(ANSWERS)
        if answers is None:
            return await question(connection, *args, **options)
        asked = (question, args, *options.items())
        if asked not in answers:
            answers[asked] = await question(connection, *args, **options)
        answer: T = answers[asked]
        return answer

    return ask


@dataclass(slots=True, eq=False)
class _Asked:
    question: Question[Any]
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Reader:
    """Answers through at most `at_once` connections of `engine`, until `close`."""

    def __init__(self, engine: AsyncEngine, at_once: int) -> None:
        self._engine = engine
        self._at_once = at_once
        self._waiting: deque[_Asked] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question[T]) -> T:
        """The answer as of after this call.

        RuntimeError when `question` waits for anything but the connection it is given.
        """
        asked = _Asked(question)
        self._waiting.append(asked)
        if len(self._tasks) < self._at_once:
            self._tasks.add(asyncio.create_task(self._answer_until_nobody_waits(), name="database-reader"))
        answer: T = await asked.answer
        return answer

    async def close(self) -> None:
        """Whoever still waits gets StorageTrouble; what is being asked just now has CLOSE_S to end."""
        _refuse(self._waiting, StorageTrouble(STOPPING))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)

    async def _answer_until_nobody_waits(self) -> None:
        """It counts until the moment in which nobody waits: a question that comes later begins another one."""
        task = asyncio.current_task()
        assert task is not None
        try:
            await self._answer_all()
        finally:
            self._tasks.discard(task)

    async def _answer_all(self) -> None:
        while group := self._next_group():
            try:
                async with self._engine.connect() as connection:
                    driver = await driver_of(connection)
                    answers = await driver.run_in_thread(_answers(connection, driver, group))
                for asked, answer in zip(group, answers, strict=True):
                    if isinstance(answer, Exception):
                        asked.refuse(answer)
                    elif not asked.answer.done():
                        asked.answer.set_result(answer)
            except Exception as error:  # noqa: BLE001 - what keeps a group from being asked belongs to its askers
                _refuse(group, error)
            finally:
                _refuse(group, StorageTrouble(STOPPING))

    def _next_group(self) -> list[_Asked]:
        """Without those who have given up."""
        group: list[_Asked] = []
        while self._waiting and len(group) < GROUP_MAX:
            asked = self._waiting.popleft()
            if not asked.answer.done():
                group.append(asked)
        return group


async def _answers(connection: AsyncConnection, driver: Connection, group: list[_Asked]) -> list[Any]:
    """Of each question its answer, or the error that it raised."""
    answers: list[Any] = []
    connection.info[ANSWERS] = {}
    try:
        for asked in group:
            try:
                answers.append(await driver.run_in_thread(asked.question(connection)))
            except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
                answers.append(error)
    finally:
        del connection.info[ANSWERS]
    return answers


def _refuse(group: Iterable[_Asked], error: Exception) -> None:
    for asked in group:
        asked.refuse(error)
