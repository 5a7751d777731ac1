"""A database that was put back from a backup: the mark that says so, and which of its rows the backup had.

What happened between backup and restore is not in it: orders were paid for, messages were posted, numbers given out.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import meta

KEY = "restored"
SPARE_IDS = 1000
"""A burst of orders in a moment without a second of its own."""

Newest = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """`generation` counts the restores of this database. `newest` is the last id of each table in the backup."""

    generation: int
    taken_at: datetime
    restored_at: datetime
    newest: Newest

    def holds(self, table: sa.Table, row_id: int) -> bool:
        """Whether the backup had this row."""
        return row_id <= self.newest.get(table.name, 0)


async def read(connection: AsyncConnection) -> Restored | None:
    """None for a database that was never put back."""
    return _load(await connection.scalar(_STORED))


def generation_of(connection: sa.Connection) -> int:
    """How often this database, of whatever version, was put back; 0 for never."""
    if not sa.inspect(connection).has_table(meta.name):
        return 0
    found = _load(connection.scalar(_STORED))
    return 0 if found is None else found.generation


def mark(connection: sa.Connection, *, taken_at: datetime, now: datetime, generation: int) -> Restored:
    """Note that this database was put back, and let new rows begin beyond all numbers that may be in use elsewhere.

    A number that was given out after the backup stands in messages, buttons and nonces at Discord. We do not know how
    many there were; one row a second in each table is more than a bot can make for long, so every id goes on as if
    there had been so many. A second restore of the same backup is later, and begins beyond those of the first.
    """
    restored = Restored(generation, taken_at, now, _last_ids(connection))
    lead = max(now - taken_at, timedelta(0)) // timedelta(seconds=1) + SPARE_IDS
    for table, newest in restored.newest.items():
        _set_last_id(connection, table, newest + lead)
    connection.execute(sa.delete(meta).where(meta.c.key == KEY))
    connection.execute(sa.insert(meta).values(key=KEY, value=_dump(restored)))
    return restored


_STORED = sa.select(meta.c.value).where(meta.c.key == KEY)


def _dump(restored: Restored) -> bytes:
    at = {name: getattr(restored, name).isoformat() for name in ("taken_at", "restored_at")}
    return json.dumps(asdict(restored) | at).encode()


def _load(value: bytes | None) -> Restored | None:
    if value is None:
        return None
    said = json.loads(value)
    taken_at, restored_at = (datetime.fromisoformat(said[name]) for name in ("taken_at", "restored_at"))
    return Restored(said["generation"], taken_at, restored_at, said["newest"])


def _last_ids(connection: sa.Connection) -> dict[str, int]:
    """The last id that each table has given out, 0 for none; ids of deleted rows count."""
    inspector = sa.inspect(connection)
    tables = [
        name
        for name in inspector.get_table_names()
        if any(column["name"] == "id" for column in inspector.get_columns(name))
    ]
    if connection.dialect.name == "sqlite":
        given = {row.name: row.seq for row in connection.execute(sa.text("SELECT name, seq FROM sqlite_sequence"))}
        return {table: given.get(table, 0) for table in tables}
    return {table: _last_of_sequence(connection, table) for table in tables}


def _last_of_sequence(connection: sa.Connection, table: str) -> int:
    # NULL until its first value (PostgreSQL manual, 53.35, pg_sequences).
    last = sa.text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, 'id')::regclass)")
    return int(connection.scalar(last, {"table": table}) or 0)


def _set_last_id(connection: sa.Connection, table: str, last: int) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table, "id"), last)))
        return
    # An ordinary table that ordinary statements may change (sqlite.org/autoinc.html).
    connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
    connection.execute(
        sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {"name": table, "seq": last}
    )
