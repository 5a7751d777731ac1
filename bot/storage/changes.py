"""Noting changes of state inside a transaction; the writer has them said once it is committed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process.journal import Change, Settled, Turn, word_for
from bot.records.job import LaneName, SubjectTable
from bot.records.limit import Spend
from bot.storage.writer import NOTED

LANES = {
    "trainings": LaneName.TRAININGS,
    "generations": LaneName.GENERATIONS,
    "posts": LaneName.POSTS,
    "events": LaneName.EVENTS,
    "api_keys": LaneName.KEYS,
    "removals": LaneName.REMOVALS,
}
"""The lanes whose changes are said, by table."""
MOMENTS = ("finished_at", "submitted_at", "submitting_at", "posted_at", "sending_at", "answered_at", "ended_at")
"""Columns that say when the change that sets them came about."""
_TOLD = ("id", "guild_id", "provider", "created_at", "kind", "subject_table", "subject_id")
_JOBS = {SubjectTable.TRAINING: LaneName.TRAININGS, SubjectTable.GENERATION: LaneName.GENERATIONS}


def note_change(
    connection: AsyncConnection, table: sa.Table, row: Any, word: str, *, at: datetime | None = None, detail: str = ""
) -> None:
    """`row`: a record or a row of `table`; `at`: when it came about, if that is known."""
    begun = getattr(row, "created_at", None)
    connection.info[NOTED].append(
        Change(
            LANES[table.name],
            row.id,
            word,
            guild=row.guild_id,
            provider=getattr(row, "provider", None),
            seconds=None if at is None or begun is None else (at - begun).total_seconds(),
            detail=detail or _subject_of(table, row),
        )
    )


def note_new(connection: AsyncConnection, table: sa.Table, row: Any, status: str) -> None:
    """A row was stored with this status."""
    if table.name in LANES:
        note_change(connection, table, row, word_for(LANES[table.name], status, is_new=True))


def note_step(connection: AsyncConnection, table: sa.Table, row: Any, before: str, values: Mapping[str, Any]) -> None:
    """A step has stored `values` in a row that was `row`, with the status `before`."""
    lane = LANES.get(table.name)
    if lane is None:
        return
    at = next((values[name] for name in MOMENTS if values.get(name) is not None), None)
    status = values.get("status", before)
    if status != before:
        is_edit = lane is LaneName.POSTS and status == "posted" and row.message_id is not None
        word = Turn.EDITED if is_edit else word_for(lane, status)
        note_change(connection, table, row, word, at=at, detail=values.get("answer") or "")
    elif "paused_at" in values:
        word = Turn.RESUMED if values["paused_at"] is None else Turn.PAUSED
        note_change(connection, table, row, word, detail=values.get("paused_why") or "")


def note_spent(connection: AsyncConnection, spend: Spend) -> None:
    """A job has been settled."""
    lane = _JOBS.get(spend.subject_table)
    if lane is not None:
        connection.info[NOTED].append(Settled(lane, spend.subject_id, spend.provider, spend.credits))


def note_erased(connection: AsyncConnection, guild_id: int, word: str = Turn.ERASED) -> None:
    """Everything of a guild, or of a member of it, was erased at once; its rows are not named one by one."""
    connection.info[NOTED].append(Change(LaneName.GUILDS, None, word, guild=guild_id))


async def change_state(
    connection: AsyncConnection, statement: sa.Update | sa.Delete, to: str, *, at: datetime | None = None
) -> int:
    """Run a statement that gives rows the state `to`, or deletes them, and note it of each; how many they were."""
    table = statement.table
    assert isinstance(table, sa.Table)  # what is changed here are whole tables
    told = [table.c[name] for name in _TOLD if name in table.c]
    rows = (await connection.execute(statement.returning(*told))).all()
    for row in rows:
        note_change(connection, table, row, word_for(LANES[table.name], to), at=at)
    return len(rows)


def _subject_of(table: sa.Table, row: Any) -> str:
    if table.name != "posts":
        return ""
    return (
        row.kind if row.subject_table == SubjectTable.MESSAGE else f"{row.kind} of {row.subject_table} {row.subject_id}"
    )
