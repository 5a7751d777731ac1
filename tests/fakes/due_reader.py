"""A look at the bot's database from outside, which costs no turn of the bot's own connections."""

import functools
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.storage.due import DueRows


class DueReader:
    """Reads what is committed; close it at the end."""

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite":
            url = url.set(drivername="sqlite")
        self._engine = sa.create_engine(url, poolclass=sa.StaticPool, isolation_level="AUTOCOMMIT")
        self._connection = self._engine.connect()

    def is_due(self, rows: DueRows[Any], now: datetime) -> bool:
        """Whether a row could be claimed now."""
        return self._connection.execute(_claimable(rows._table), {"now": now}).first() is not None

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


@functools.cache
def _claimable(table: sa.Table) -> sa.Select[tuple[int]]:
    now = sa.bindparam("now", type_=table.c.due_at.type)
    is_free = sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return sa.select(table.c.id).where(table.c.due_at <= now, is_free).limit(1)
