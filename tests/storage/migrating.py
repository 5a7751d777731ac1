"""A database of an earlier version."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.storage import migrations
from bot.storage.database import sqlite_url


def migrate_to(file: Path, revision: str) -> None:
    engine = sa.create_engine(sqlite_url(file).replace("+aiosqlite", ""))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
