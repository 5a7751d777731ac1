"""The points at which the bot can be killed: every write, every request and every file that comes or goes."""

import functools
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from discord.http import HTTPClient
from discord.state import ConnectionState
from discord.webhook.async_ import AsyncWebhookAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.photos.intake import Fetcher, Spool
from bot.photos.pool import PhotoPool
from bot.providers.transport import Request, Transport
from bot.storage.database import Database

Pass = Callable[[str], None]
Put = Callable[[type, str, Any], None]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4,}")


class Points:
    """Call it with a point's name to pass it; the process ends there when this is one of the planned places.

    It ends as well after `crash_after` passes of any points, if that is not 0.
    """

    def __init__(self, folder: Path, crash_at: Collection[str], crash_nth: int, crash_after: int = 0) -> None:
        self._record = _appended(folder / "points.txt")
        self._deaths = _appended(folder / "deaths.txt")
        self._crash_at, self._crash_nth, self._crash_after = crash_at, crash_nth, crash_after
        self._passed: Counter[str] = Counter()
        self.signal: int = signal.SIGKILL

    def __call__(self, name: str) -> None:
        self._passed[name] += 1
        if self._passed[name] == 1:
            os.write(self._record, f"{name}\n".encode())
        if name in self._crash_at and self._passed[name] == self._crash_nth:
            os.write(self._deaths, f"{name}\n".encode())
            os.kill(os.getpid(), self.signal)
        if self._passed.total() == self._crash_after:
            os.kill(os.getpid(), signal.SIGKILL)


def read_points(folder: Path) -> set[str]:
    """Every point that was ever passed."""
    return set(_lines(folder / "points.txt"))


def read_deaths(folder: Path) -> list[str]:
    """The point of every planned end of a process."""
    return _lines(folder / "deaths.txt")


def _appended(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def instrument(points: Pass) -> None:
    """Wrap the edges of this process's classes; they stay wrapped until it ends."""
    instrument_work(points, setattr)
    _around(points, setattr, HTTPClient, "request", lambda route, **_: f"discord {route.method} {route.path}")
    _around(
        points, setattr, AsyncWebhookAdapter, "request", lambda route, *_, **__: f"discord {route.method} {route.path}"
    )
    _around_call(points, setattr, ConnectionState, "parse_interaction_create", "gateway interaction")


def instrument_work(points: Pass, put: Put) -> None:
    """What a bot without Discord passes: writes, the provider, pictures and files."""
    _instrument_writes(points, put)
    _around(points, put, Transport, "send", lambda request: f"provider {provider_route(request)}")
    _around(points, put, Fetcher, "fetch", lambda url, **_: f"fetch {fetch_kind(url)}")
    for method in ("examine", "sheet", "smaller_copy"):
        _around(points, put, PhotoPool, method, lambda *_, method=method: f"pool {method}")
    for method in ("free", "sweep"):
        _around_call(points, put, Spool, method, f"spool {method}")


def provider_route(request: Request) -> str:
    return f"{request.method} {_ID.sub('{id}', urlsplit(request.url).path)}"


def fetch_kind(url: str) -> str:
    return "photo" if "/attachments/" in url else "picture"


def _instrument_writes(points: Pass, put: Put) -> None:
    """Before the write is queued, inside its transaction, after its commit; named by the method and its module."""
    original = Database.write

    async def write(self: Database, transaction: Callable[[AsyncConnection], Any]) -> Any:
        asked_by, _, _ = getattr(transaction, "__qualname__", "?").rpartition(".<locals>.")
        name = f"write {getattr(transaction, '__module__', '?')} {asked_by}"

        async def watched(connection: AsyncConnection) -> Any:
            result = await transaction(connection)
            points(f"{name}: inside")
            return result

        points(f"{name}: before")
        written = await original(self, watched)
        points(f"{name}: after")
        return written

    put(Database, "write", write)


def _around(points: Pass, put: Put, owner: type, method: str, describe: Callable[..., str]) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    async def watched(self: Any, *args: Any, **options: Any) -> Any:
        name = describe(*args, **options)
        points(f"{name}: before")
        result = await original(self, *args, **options)
        points(f"{name}: after")
        return result

    put(owner, method, watched)


def _around_call(points: Pass, put: Put, owner: type, method: str, name: str) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def watched(self: Any, *args: Any, **options: Any) -> Any:
        points(f"{name}: before")
        result = original(self, *args, **options)
        points(f"{name}: after")
        return result

    put(owner, method, watched)
