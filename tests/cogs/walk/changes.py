"""Every change of every row, written down by triggers together with the guild that the row belongs to."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot.records.job import SubjectTable
from bot.storage import tables as t
from bot.storage.events.tables import events

Row = dict[str, Any]
LOG = "walk_changes"
LEASE_COLUMNS = frozenset({"lease_owner", "lease_until"})
"""What the engine alone changes while it looks whether there is something to do."""
SUBJECTS = {
    SubjectTable.TRAINING: "(SELECT guild_id FROM trainings WHERE id = {0}.subject_id)",
    SubjectTable.GENERATION: "(SELECT guild_id FROM generations WHERE id = {0}.subject_id)",
    SubjectTable.KEY: "(SELECT guild_id FROM api_keys WHERE id = {0}.subject_id)",
    SubjectTable.OFFER: "(SELECT guild_id FROM lora_offers WHERE id = {0}.subject_id)",
    SubjectTable.LORA: "(SELECT guild_id FROM loras WHERE id = {0}.subject_id)",
    SubjectTable.PICTURE: (
        "(SELECT guild_id FROM generations JOIN pictures ON generation_id = generations.id "
        "WHERE pictures.id = {0}.subject_id)"
    ),
    SubjectTable.REPORT: "(SELECT guild_id FROM picture_reports WHERE id = {0}.subject_id)",
    SubjectTable.EVENT: "(SELECT guild_id FROM events WHERE id = {0}.subject_id)",
    SubjectTable.ANNOUNCEMENT: "(SELECT guild_id FROM announcements WHERE id = {0}.subject_id)",
    SubjectTable.DEPICTION: "(SELECT guild_id FROM depictions WHERE id = {0}.subject_id)",
    SubjectTable.REMOVAL: "(SELECT guild_id FROM removals WHERE id = {0}.subject_id)",
    SubjectTable.LOG: "(SELECT guild_id FROM moderation_log WHERE id = {0}.subject_id)",
    SubjectTable.APPROVAL: "(SELECT guild_id FROM approvals WHERE id = {0}.subject_id)",
}
PARENTS = {
    t.photos: "(SELECT guild_id FROM datasets WHERE id = {0}.dataset_id)",
    t.pictures: "(SELECT guild_id FROM generations WHERE id = {0}.generation_id)",
    t.reference_pictures: "(SELECT guild_id FROM generations WHERE id = {0}.generation_id)",
    t.timeline: "CASE {0}.subject_table "
    + " ".join(f"WHEN '{name}' THEN {found}" for name, found in SUBJECTS.items())
    + " END",
}
"""Whose a row is that names no guild itself."""
WATCHED = [table for table in events.metadata.sorted_tables if table is not t.meta]


@dataclass(frozen=True, slots=True)
class Change:
    table: str
    row_id: int
    guild_id: int
    before: Row | None
    after: Row | None

    @property
    def columns(self) -> set[str]:
        before, after = self.before or {}, self.after or {}
        return {name for name in before | after if before.get(name) != after.get(name)}

    def __str__(self) -> str:
        done = "update" if self.before and self.after else "insert" if self.after else "delete"
        return f"{done} of {self.table} #{self.row_id} ({', '.join(sorted(self.columns))[:200]})"


def triggers() -> Iterator[str]:
    """SQL that writes each change of a row down, with the guild it belongs to."""
    yield (
        f"CREATE TABLE {LOG} "
        "(id INTEGER PRIMARY KEY, name TEXT, row_id INTEGER, guild_id INTEGER, before TEXT, after TEXT)"
    )
    for table in WATCHED:
        guild = "{0}.guild_id" if "guild_id" in table.c else PARENTS[table]
        watched = [column for column in table.c if column.name not in LEASE_COLUMNS]
        differs = " OR ".join(f'OLD."{column.name}" IS NOT NEW."{column.name}"' for column in watched)
        for event, when, before, after, side in (
            ("INSERT", "1", "NULL", _as_json(watched, "NEW"), "NEW"),
            ("UPDATE", differs, _as_json(watched, "OLD"), _as_json(watched, "NEW"), "OLD"),
            ("DELETE", "1", _as_json(watched, "OLD"), "NULL", "OLD"),
        ):
            yield (
                f"CREATE TRIGGER walk_{table.name}_{event} AFTER {event} ON {table.name} WHEN {when} BEGIN "  # noqa: S608
                f"INSERT INTO {LOG} (name, row_id, guild_id, before, after) "
                f"VALUES ('{table.name}', {side}.id, {guild.format(side)}, {before}, {after}); END"
            )


def _as_json(columns: Iterable[sa.Column[Any]], side: str) -> str:
    pairs = [
        f"'{column.name}', "
        + (f'hex({side}."{column.name}")' if isinstance(column.type, sa.LargeBinary) else f'{side}."{column.name}"')
        for column in columns
    ]
    return f"json_object({', '.join(pairs)})"


@dataclass(eq=False)
class Journal:
    """Reads what the triggers wrote, through a connection of its own."""

    file: sqlite3.Connection
    _owners: dict[tuple[str, int], int] = field(default_factory=dict)
    """The guild of each row, for those whose parent is gone when they go."""
    _read: int = 0
    _version: int = -1

    def changes(self) -> list[Change]:
        """Since the last time."""
        version = self.file.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return []
        self._version = version
        query = f"SELECT id, name, row_id, guild_id, before, after FROM {LOG} WHERE id > ? ORDER BY id"  # noqa: S608 - our own name
        return [self._change(*row) for row in self.file.execute(query, (self._read,)).fetchall()]

    def _change(
        self, log_id: int, name: str, row_id: int, guild_id: int | None, before: str | None, after: str | None
    ) -> Change:
        self._read = log_id
        owner = self._owners.setdefault((name, row_id), guild_id or 0)
        assert owner, f"nobody knows whose {name} #{row_id} is"
        return Change(name, row_id, owner, _row(before), _row(after))


def _row(text: str | None) -> Row | None:
    if text is None:
        return None
    row: Row = json.loads(text)
    return row
