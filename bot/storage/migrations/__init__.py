"""Schema steps, forward only, applied when the database is opened."""

from pathlib import Path

import sqlalchemy as sa

from bot.errors import DarkroomError

UNFINISHED_RESTORE = "darkroom_unfinished_restore"
"""A table that is there while `restore` fills a PostgreSQL database."""


class UnfitSchema(DarkroomError):
    """The database was written by a newer program than this one, or by another one."""


def revision_of(connection: sa.Connection) -> str | None:
    """The schema's revision; None for an empty database. UnfitSchema for what this program must not touch."""
    tables = set(sa.inspect(connection).get_table_names())
    if UNFINISHED_RESTORE in tables:
        raise UnfitSchema("a restore of it was interrupted; start `restore` again")
    if not tables:
        return None
    if not {"alembic_version", "api_keys", "meta"} <= tables:
        raise UnfitSchema(
            "another program has made it; give Darkroom a folder of its own with DARKROOM_DATA_DIR, "
            "or another DARKROOM_DATABASE_URL"
        )
    current: str = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""
    if current not in revisions():
        raise UnfitSchema(
            f"a newer Darkroom has written it (schema {current}, this one knows {newest_revision()}); "
            "start that one, or restore a backup"
        )
    return current


def upgrade(connection: sa.Connection) -> str:
    """Bring the schema to the newest revision, or raise UnfitSchema; a sentence says from what to what.

    Alembic is imported only when there is something to do.
    """
    before, newest = revision_of(connection), newest_revision()
    if before == newest:
        return f"The database has the newest schema, {newest}."
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        _check_references(connection)
    if before is None:
        return f"The empty database got the newest schema, {newest}."
    return f"The database was brought from schema {before} to the newest, {newest}."


def _check_references(connection: sa.Connection) -> None:
    """Foreign keys are off while the steps run."""
    broken = connection.execute(sa.text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise UnfitSchema(f"rows of its table {broken[0]} refer to rows that are missing; restore a backup")


def newest_revision() -> str:
    return max(revisions())


def revisions() -> set[str]:
    return {file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*_*.py")}
