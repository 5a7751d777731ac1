"""What the database and the disk below it are like, and what of the rows the other checks need."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.config import Settings
from bot.doctor.findings import Finding, fail, ok, warn
from bot.errors import StartupError
from bot.records.guild import Guild
from bot.storage import guilds, meta
from bot.storage.jobs import trainings
from bot.storage.migrations import UnfitSchema, newest_revision, revision_of
from bot.storage.money.keys import SealedKey, all_sealed
from bot.storage.reading import NoDatabase, OpenedMeanwhile, read_only

GOOD_SQLITE = (3, 51, 3)
"""Earlier ones can damage a WAL database when two connections write or check it in at the same moment."""
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found of the database, and what the other checks need of it. All empty when it cannot be read."""

    findings: Sequence[Finding]
    master_key_check: bytes | None = None
    identities: bytes | None = None
    policy: bytes | None = None
    keys: Sequence[SealedKey] = field(default=(), repr=False)
    """Those in use."""
    guilds: Sequence[Guild] = ()
    """Those whose settings name a channel."""


async def read(url: str) -> Stored:
    """Look at the database; nothing in it or beside it changes, whether a Darkroom runs on it or not."""
    try:
        return await _read(url)
    except OpenedMeanwhile:
        return await _read(url)


async def _read(url: str) -> Stored:
    name = "database"
    try:
        async with read_only(url) as connection:
            return await _look(connection)
    except NoDatabase as error:
        return Stored([ok(name, f"{error} The first start makes it.")])
    except UnfitSchema as error:
        return Stored([fail(name, f"It cannot be used: {error}.", "")])
    except OpenedMeanwhile:
        raise
    except StartupError as error:
        return Stored([fail(name, str(error), "Check DARKROOM_DATA_DIR, DARKROOM_DATABASE_URL and who may read it.")])


async def _look(connection: AsyncConnection) -> Stored:
    revision, newest = await connection.run_sync(revision_of), newest_revision()
    kind = await _version(connection)
    if revision is None:
        return Stored([ok("database", f"{kind}, still empty; the first start makes its tables.")])
    check = await meta.get(connection, meta.MASTER_KEY_CHECK)
    identities = await meta.get(connection, meta.IDENTITIES)
    policy = await meta.get(connection, meta.POLICY)
    if revision != newest:
        old = f"{kind}, schema {revision} of {newest}; keys and servers are not looked at before it is the newest."
        to_do = "Start Darkroom, or run `migrate`, after a backup."
        return Stored([warn("database", old, to_do)], check, identities, policy)
    counted = await trainings.count_by_status(connection)
    jobs = ", ".join(f"{count} {status}" for status, count in sorted(counted.items())) or "none yet"
    used = [key for key in await all_sealed(connection) if key.row.retired_at is None]
    found = ok("database", f"{kind}, schema {revision}, the newest. Trainings: {jobs}.")
    return Stored([found], check, identities, policy, used, await guilds.with_channels(connection))


async def _version(connection: AsyncConnection) -> str:
    if connection.dialect.name == "sqlite":
        return "SQLite"
    return f"PostgreSQL {str(await connection.scalar(sa.text('SHOW server_version'))).partition(' ')[0]}"


def sqlite_version(settings: Settings) -> Sequence[Finding]:
    if not settings.database_url.get_secret_value().startswith("sqlite"):
        return []
    name, version = "SQLite", sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= GOOD_SQLITE:
        return [ok(name, f"Version {version}.")]
    old = f"Version {version} has a fault that can damage a database when two programs write to it."
    good = ".".join(map(str, GOOD_SQLITE))
    return [warn(name, old, f"Let no other program open the file, and take a Python with SQLite {good} or newer.")]


async def disk(settings: Settings) -> Sequence[Finding]:
    return await asyncio.to_thread(_disk, settings.darkroom_data_dir, settings.darkroom_free_disk * MEGABYTE)


def _disk(folder: Path, floor: int) -> Sequence[Finding]:
    name = "disk"
    if folder.exists() and not folder.is_dir():
        return [fail(name, f"{folder} is a file.", "Set DARKROOM_DATA_DIR to a folder.")]
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK) or _is_read_only(there):
        return [
            fail(name, f"Nothing can be written to {there}.", "Give this user write access, or set DARKROOM_DATA_DIR.")
        ]
    space = shutil.disk_usage(there)
    if space.total <= 0:
        unknown = f"The file system of {there} does not say how much room it has."
        return [warn(name, unknown, "Watch it yourself: Darkroom cannot refuse photos in time.")]
    free = f"{space.free // MEGABYTE} MB are free"
    if space.free < floor:
        refused = f"{free}; below {floor // MEGABYTE} MB no new photos are taken."
        return [fail(name, refused, "Make room, or change DARKROOM_FREE_DISK.")]
    return [ok(name, f"{free}; below {floor // MEGABYTE} MB no new photos are taken.")]


def _is_read_only(folder: Path) -> bool:
    return sys.platform != "win32" and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
