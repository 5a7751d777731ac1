"""What a database holds, of whatever version: its schema, how many rows, the names of its files in the spool."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.errors import StartupError
from bot.storage import restored
from bot.storage.events.tables import events
from bot.storage.jobs.tables import lora_previews
from bot.storage.meta import MASTER_KEY_CHECK
from bot.storage.migrations import newest_revision, revisions
from bot.storage.sealing import Sealer
from bot.storage.tables import meta, photos, pictures, reference_pictures

FILES: Mapping[sa.Table, sa.Column[Any]] = {
    photos: photos.c.file,
    pictures: pictures.c.file,
    reference_pictures: reference_pictures.c.file,
    lora_previews: lora_previews.c.file,
    events: events.c.banner,
}
"""Every column that names a file in the spool."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`generation` says how often it was put back from a backup."""

    revision: str
    generation: int
    rows: Mapping[str, int]
    files: frozenset[str]


def read(connection: sa.Connection) -> Contents:
    """Raises StartupError for a database that is not Darkroom's, or of a newer version."""
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    if not {"alembic_version", meta.name} <= tables:
        raise StartupError("There is nothing of Darkroom's in this database.")
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""
    check_revision(revision)
    rows = {name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0 for name in tables}
    files = set[str]()
    for table, column in FILES.items():
        if table.name in tables and any(each["name"] == column.name for each in inspector.get_columns(table.name)):
            files.update(connection.scalars(sa.select(column).where(column.is_not(None))))
    return Contents(revision, restored.generation_of(connection), rows, frozenset(files))


def check_revision(revision: str) -> None:
    """StartupError when only a newer Darkroom knows this schema."""
    if revision not in revisions():
        raise StartupError(
            f"It was written by a newer Darkroom (schema {revision}, this one knows {newest_revision()}). "
            "Use that version, or a newer one."
        )


def is_sealed_with(connection: sa.Connection, sealer: Sealer) -> bool:
    """Whether this master key opens the keys in the database, as far as it says."""
    check = connection.scalar(sa.select(meta.c.value).where(meta.c.key == MASTER_KEY_CHECK))
    return check is None or sealer.matches(check)
