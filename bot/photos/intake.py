"""How files from outside reach the disk: the spool and the bounded download."""

import asyncio
import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.errors import FetchError, FileGone, FileTooLarge, HostRefused, StartupError
from bot.network.addresses import proxy_for, redirected
from bot.network.resolver import GuardedResolver
from bot.photos.checks import display_name
from bot.photos.hosts import TrustedHosts
from bot.photos.room import writing
from bot.process.folders import unusable
from bot.process.permissions import FOLDER_MODE, restrict

PIECE_BYTES: Final = 256 * 1024
MAX_REDIRECTS: Final = 3
OVERALL_S: Final = 60.0
CONNECT_S: Final = 10.0
SILENCE_S: Final = 15.0

_GONE: Final = frozenset({403, 404, 410})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SUFFIX: Final = re.compile(r"(\.[a-z0-9]{1,8})?")
_OWN_NAME: Final = re.compile(r"[0-9a-f]{32}(\.[a-z0-9]{1,8})?")


class Spool:
    """A folder of files under random names; only its own names are ever opened or deleted through it."""

    def __init__(self, folder: Path) -> None:
        """StartupError, with a sentence, when it cannot be made."""
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(unusable(folder, error)) from None
        restrict(folder, FOLDER_MODE)
        self._folder = folder

    def new_name(self, suffix: str = "") -> str:
        """A fresh random name; `suffix` is ours (".jpg"), never taken from what a member sent."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError("a spool suffix is a dot and up to eight lower-case letters or digits")
        return secrets.token_hex(16) + suffix

    def path(self, name: str) -> Path:
        """Raises ValueError for anything that is not a name this spool gives out."""
        if not _OWN_NAME.fullmatch(name):
            raise ValueError("not a spool name")
        return self._folder / name

    def free(self, names: Iterable[str]) -> None:
        """Delete; names that are already gone do no harm."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def sweep(self, keep: Collection[str], *, age: timedelta) -> int:
        """Delete every file that is not in `keep` and was last written to at least `age` ago; how many."""
        latest = time.time() - age.total_seconds()
        swept = 0
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.name not in keep and not path.is_dir() and path.stat().st_mtime <= latest:
                    path.unlink()
                    swept += 1
        return swept


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it came. `file` is its spool name, `content_type` what the server claimed, possibly empty."""

    file: str
    sha256: str
    size: int
    content_type: str


class Fetcher:
    """The only downloader; use as an async context manager.

    No cookies, no proxies but the given one, no decompression, at most three redirects, each checked like the first
    address. Addresses of Discord files are signed in their query, so errors name only the host and the last path part.
    """

    def __init__(
        self,
        trusted: TrustedHosts,
        *,
        proxy: URL | None = None,
        resolver: AbstractResolver | None = None,
        overall_s: float = OVERALL_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._trusted = trusted
        self._proxy = proxy
        self._resolver = resolver
        self._overall_s = overall_s
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        resolver = GuardedResolver(self._trusted.refusal, self._resolver or aiohttp.ThreadedResolver(), self._proxy)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            timeout=self._timeout,
            auto_decompress=False,
            trust_env=False,
            read_bufsize=PIECE_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, limit: int, into: Spool) -> Received:
        """Stream to the spool, at most `limit` bytes; raises FetchError or one of its kinds, and leaves no rest.

        StorageTrouble, with a sentence, when it cannot be written.
        """
        given = self._trusted.check(url)
        where = _describe(given)
        try:
            async with asyncio.timeout(self._overall_s):
                return await self._follow(given, where, limit, into)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # TimeoutError is an OSError. No cause is chained: aiohttp puts the whole address into some of its texts.
            raise FetchError(f"{where} could not be fetched ({type(error).__name__}).") from None

    async def _follow(self, url: URL, where: str, limit: int, into: Spool) -> Received:
        if self._session is None:
            raise RuntimeError("enter the Fetcher before fetching")
        for _ in range(MAX_REDIRECTS + 1):
            proxy = proxy_for(url, self._proxy)
            async with self._session.get(url, allow_redirects=False, proxy=proxy) as response:
                if response.status not in _REDIRECTS:
                    return await _receive(response, where, limit, into)
                location = response.headers.get("Location", "")
            try:
                url = redirected(url, location)
            except ValueError:
                raise HostRefused(f"{where} was redirected to what is no web address.") from None
            self._trusted.check_url(url)
        raise FetchError(f"{where} was redirected too often.")


def _describe(url: URL) -> str:
    return f"{display_name(url.name or 'file')} from {display_name(url.host or '')}"


async def _receive(response: aiohttp.ClientResponse, where: str, limit: int, into: Spool) -> Received:
    if response.status in _GONE:
        raise FileGone(f"{where} is no longer there ({response.status}).")
    if response.status != 200:
        raise FetchError(f"{where} was answered with {response.status}.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError(f"{where} came compressed although we asked for it as it is.")
    if response.content_length is not None and response.content_length > limit:
        raise FileTooLarge(f"{where} is larger than {limit} bytes.")
    file = into.new_name()
    try:
        sha256, size = await _store(response.content, into.path(file), where, limit)
    except BaseException:
        into.free([file])
        raise
    return Received(file, sha256, size, response.headers.get("Content-Type", ""))


async def _store(content: aiohttp.StreamReader, path: Path, where: str, limit: int) -> tuple[str, int]:
    """SHA-256 and size. Hashing and writing happen in a thread, one piece at a time."""
    digest, size, piece = hashlib.sha256(), 0, bytearray()
    with writing():
        file = path.open("xb", buffering=0)

    def write(data: bytes) -> None:
        digest.update(data)
        rest = memoryview(data)
        with writing():
            while rest:
                rest = rest[file.write(rest) :]

    with file:
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(f"{where} is larger than {limit} bytes.")
            piece += chunk
            if len(piece) >= PIECE_BYTES:
                await asyncio.to_thread(write, bytes(piece))
                piece.clear()
        await asyncio.to_thread(write, bytes(piece))
    return digest.hexdigest(), size
