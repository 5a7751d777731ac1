"""Questions that are answered in groups: each asker gets their own answer, from after they asked."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StorageTrouble
from bot.storage import meta
from bot.storage.database import ASKED_AT_ONCE, Database
from bot.storage.reader import GROUP_MAX, Reader, asked_once
from tests.fakes.statements import Statements
from tests.fakes.waiting import HANG_S
from tests.storage.committed import put


async def value_of(connection: AsyncConnection, number: int) -> bytes | None:
    return await meta.get(connection, f"key-{number}")


async def test_a_hundred_questions_at_once_share_transactions(database: Database) -> None:
    """Mutant: a transaction for each question."""
    await asyncio.gather(*(database.write(put(number)) for number in range(100)))
    with Statements(database) as statements:
        answers = await asyncio.gather(*(database.fetch(value_of, number) for number in range(100)))
    assert all(answers)
    assert statements.begun <= 100 // GROUP_MAX + ASKED_AT_ONCE


async def test_whoever_asks_in_the_moment_in_which_the_last_group_ends_is_answered(database: Database) -> None:
    """Mutant: a reader that has ended counts as one that will look once more, and nobody does."""
    await database.write(put(1))
    reader = Reader(database._read_engine, 1)
    for _ in range(3):
        async with asyncio.timeout(HANG_S):
            assert await reader.ask(lambda connection: value_of(connection, 1)) is not None
    await reader.close()


async def test_many_who_ask_the_same_about_a_server_cost_one_statement(database: Database) -> None:
    """Mutant: each of a group asks anew."""
    with Statements(database) as statements:
        await asyncio.gather(*(database.fetch(value_of, 7) for _ in range(GROUP_MAX)))
    assert len(statements.asked) == 1


async def test_an_answer_is_not_kept_beyond_its_group(database: Database) -> None:
    """Mutant: what a group was answered is told to the next one."""
    assert await database.fetch(value_of, 1) is None
    await database.write(put(1))
    assert await database.fetch(value_of, 1) is not None


async def test_whoever_asks_after_a_write_gets_what_was_written(database: Database) -> None:
    """Mutant: a question joins a group whose transaction sees the time before."""

    async def write_and_ask(number: int) -> bytes | None:
        await database.write(put(number))
        return await database.fetch(value_of, number)

    assert all(await asyncio.gather(*(write_and_ask(number) for number in range(100))))


async def test_a_write_asks_always(database: Database) -> None:
    """Mutant: a write is told what it asked before it changed it."""

    async def transaction(connection: AsyncConnection) -> list[bytes | None]:
        before = await meta.get(connection, "key")
        await meta.put(connection, "key", b"value")
        return [before, await meta.get(connection, "key")]

    assert await database.write(transaction) == [None, b"value"]


async def test_an_error_is_for_its_asker_alone(database: Database) -> None:
    """Mutants: an error ends its group; it is kept as the answer for others."""

    @asked_once
    async def fail(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("SELECT nothing FROM nowhere"))

    async def wait(_connection: AsyncConnection) -> None:
        await asyncio.sleep(0)

    await database.write(put(1))
    first, failed, waited, last = await asyncio.gather(
        database.fetch(value_of, 1),
        database.fetch(fail),
        database.fetch(wait),
        database.fetch(value_of, 1),
        return_exceptions=True,
    )
    assert first == last is not None
    assert isinstance(failed, sa.exc.OperationalError)
    assert isinstance(waited, RuntimeError)


@asynccontextmanager
async def held(database: Database) -> AsyncIterator[None]:
    """All connections for questions are busy."""
    loop, release = asyncio.get_running_loop(), threading.Event()
    holding: list[asyncio.Task[None]] = []
    for _ in range(ASKED_AT_ONCE):
        begun = asyncio.Event()

        async def hold(connection: AsyncConnection, begun: asyncio.Event) -> None:
            loop.call_soon_threadsafe(begun.set)
            await connection.run_sync(lambda _: release.wait())

        holding.append(asyncio.create_task(database.fetch(hold, begun)))
        await begun.wait()
    try:
        yield
    finally:
        release.set()
        await asyncio.gather(*holding)


async def test_whoever_gives_up_takes_nobody_with_them(database: Database) -> None:
    await database.write(put(1))
    async with held(database):
        given_up, patient = (asyncio.create_task(database.fetch(value_of, 1)) for _ in range(2))
        await asyncio.sleep(0)
        given_up.cancel()
    assert await patient is not None
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_closing_leaves_nobody_waiting(database: Database) -> None:
    """Mutant: who waits when the database is closed waits for ever."""
    async with held(database):
        waiting = asyncio.create_task(database.fetch(value_of, 1))
        await asyncio.sleep(0)
        assert database._reader is not None
        closing = asyncio.create_task(database._reader.close())
        with pytest.raises(StorageTrouble, match="stopping"):
            await waiting
    await closing
