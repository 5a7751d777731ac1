"""What a process costs that only imports the libraries, and reads the open rows if a database is named."""

import importlib
import json
import sqlite3
import sys
import time
from contextlib import closing

from tests.bench.processes import read_status_mb, report

LIBRARIES = (
    "aiohttp.web",
    "aiosqlite",
    "alembic.command",
    "cryptography.hazmat.primitives.ciphers.aead",
    "discord.ext.commands",
    "orjson",
    "PIL.Image",
    "PIL.ImageCms",
    "pydantic_settings",
    "sqlalchemy.ext.asyncio",
    "stamina",
)


def main() -> None:
    task = json.loads(sys.argv[1])
    for name in LIBRARIES:
        importlib.import_module(name)
    read = 0
    if "database" in task:
        with closing(sqlite3.connect(task["database"])) as connection:
            read = len(connection.execute("SELECT * FROM trainings WHERE due_at IS NOT NULL").fetchall())
    report(rows=read, rss_mb=read_status_mb("VmRSS"), cpu_ms=time.process_time() * 1000)


if __name__ == "__main__":
    main()
