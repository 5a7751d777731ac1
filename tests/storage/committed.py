"""Small writes to the meta table, and which of them another process sees."""

import sqlite3
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import meta
from bot.storage.writer import Transaction


def put(number: int) -> Transaction[int]:
    async def transaction(connection: AsyncConnection) -> int:
        await meta.put(connection, f"key-{number}", b"value")
        return number

    return transaction


def names_on_disk(file: Path) -> set[str]:
    """What another process sees that opens the file now: committed rows only."""
    with sqlite3.connect(file) as connection:
        names = {row[0] for row in connection.execute("SELECT key FROM meta")}
    connection.close()
    return names
