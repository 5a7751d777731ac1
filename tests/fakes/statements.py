"""What a database is asked: the statements of readers, and in how many transactions."""

from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from bot.storage.database import Database


class Statements:
    """Within it, `asked` are the statements that readers send and `begun` counts their transactions."""

    def __init__(self, database: Database) -> None:
        self._engine = database._read_engine.sync_engine
        self.asked: list[str] = []
        self.begun = 0

    def __enter__(self) -> Self:
        sa.event.listen(self._engine, "begin", self._begin)
        sa.event.listen(self._engine, "before_cursor_execute", self._ask)
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _where: TracebackType | None) -> None:
        sa.event.remove(self._engine, "begin", self._begin)
        sa.event.remove(self._engine, "before_cursor_execute", self._ask)

    def _begin(self, _connection: sa.Connection) -> None:
        self.begun += 1

    def _ask(self, _connection: sa.Connection, _cursor: object, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            self.asked.append(statement)
