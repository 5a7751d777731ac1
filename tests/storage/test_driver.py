"""The driver under SQLAlchemy: what comes back of a statement, and what a group of writes may do on its thread."""

import asyncio
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import meta
from bot.storage.database import Database
from bot.storage.tables import meta as table
from tests.storage.committed import names_on_disk, put


async def test_a_write_that_waits_for_something_else_is_undone_and_its_neighbours_are_kept(
    database: Database, database_file: Path
) -> None:
    async def wait(connection: AsyncConnection) -> None:
        await meta.put(connection, "waiting", b"value")
        await asyncio.sleep(0)

    first, waiting, last = await asyncio.gather(
        database.write(put(1)), database.write(wait), database.write(put(2)), return_exceptions=True
    )
    assert (first, last) == (1, 2)
    assert isinstance(waiting, RuntimeError)
    assert "wait for anything" in str(waiting)
    assert names_on_disk(database_file) == {"key-1", "key-2"}
    assert await database.write(put(3)) == 3


async def test_writes_of_a_group_run_one_after_the_other_off_the_event_loop(database: Database) -> None:
    seen: list[tuple[int, threading.Thread]] = []

    def note(number: int) -> None:
        seen.append((number, threading.current_thread()))

    async def write(number: int) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await connection.run_sync(lambda _: note(number))

        await database.write(transaction)

    await asyncio.gather(*(write(number) for number in range(5)))
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4]
    assert threading.main_thread() not in {thread for _, thread in seen}


async def test_a_statement_tells_its_rows_its_columns_and_how_many_it_changed(database: Database) -> None:
    values = [{"key": f"key-{number}", "value": bytes([number])} for number in range(3)]

    async def transaction(connection: AsyncConnection) -> None:
        assert (await connection.execute(sa.insert(table), values)).rowcount == 3
        made = await connection.execute(sa.insert(table).values(key="one more", value=b"").returning(table.c.key))
        assert made.scalar_one() == "one more"
        changed = await connection.execute(sa.update(table).where(table.c.key != "one more").values(value=b"new"))
        assert changed.rowcount == 3
        rows = (await connection.execute(sa.select(table).order_by(table.c.key))).mappings().all()
        new = [{"key": f"key-{number}", "value": b"new"} for number in range(3)]
        assert [dict(row) for row in rows] == [*new, {"key": "one more", "value": b""}]

    await database.write(transaction)
    async with database.read() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar() == 4
        assert (await connection.execute(sa.select(table).where(table.c.key == "none"))).first() is None


async def test_a_refused_statement_raises_what_sqlite_says(database: Database) -> None:
    async def twice(connection: AsyncConnection) -> None:
        await connection.execute(sa.insert(table), [{"key": "same", "value": b""}] * 2)

    with pytest.raises(sa.exc.IntegrityError, match="UNIQUE constraint failed"):
        await database.write(twice)
    async with database.read() as connection:
        with pytest.raises(sa.exc.OperationalError, match="no such table"):
            await connection.execute(sa.text("SELECT 1 FROM nowhere"))
        assert (await connection.execute(sa.select(table))).all() == []
