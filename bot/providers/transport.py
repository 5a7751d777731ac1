"""Sends HTTP requests to providers: each exactly once, with a limit on the size of the answer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import aiohttp
from yarl import URL

from bot import __version__
from bot.errors import HostRefused
from bot.network.addresses import as_given, is_address, proxy_for
from bot.network.resolver import GuardedResolver, Judge, refuse_private
from bot.providers.base import PhotoFile

log = logging.getLogger(__name__)

ANSWER_CAP_BYTES = 4 * 2**20
CONNECT_TIMEOUT_S = 10.0
# Node servers close an idle connection after 5 s; a request sent at that moment is lost and its outcome unknown.
KEEP_ALIVE_S = 3.0
NOTHING_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.ClientHttpProxyError,
)
"""The last one: the proxy opened no connection."""


class NotSent(Exception):
    """Nothing was sent: no such host, connection refused or timed out, or TLS failed."""


class PhotoUnreadable(NotSent):
    """A photo of the form could not be opened, so nothing was sent."""


class Lost(Exception):
    """Something may have been sent, but no whole answer came: connection reset, timeout, half an answer."""


@dataclass(frozen=True, slots=True)
class Field:
    """One text field of a form."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """One photo of a form; it is streamed from disk."""

    name: str
    photo: PhotoFile


Body = aiohttp.FormData | BinaryIO | None


@dataclass(frozen=True, slots=True)
class Request:
    """At most one of `json`, `form` and `file`. `file`: a photo's bytes, for an address that is signed as it stands.

    `is_elsewhere`: an answer named an address that is not on the provider's own server; it is judged before connecting.
    `deadline_s` limits the whole exchange, `read_timeout_s` each wait for more of the answer. The repr shows only
    method and URL: headers hold the API key, bodies hold webhook addresses and a person's details.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Sequence[Field | FilePart] | None = field(default=None, repr=False)
    file: PhotoFile | None = field(default=None, repr=False)
    is_elsewhere: bool = False
    read_timeout_s: float = 60.0
    deadline_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` have lower-case names; `body` is cut at ANSWER_CAP_BYTES."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """Use it as an async context manager. It follows no redirect, keeps no cookie, and `proxy` is the only one.

    `judge_elsewhere` says where a request may lead that is not to the provider's own server.
    """

    def __init__(
        self,
        version: str = __version__,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        proxy: URL | None = None,
        judge_elsewhere: Judge = refuse_private,
    ) -> None:
        self._user_agent = f"Darkroom/{version}"
        self._judge_elsewhere = judge_elsewhere
        self._proxy = proxy
        self._connect_timeout_s = connect_timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._elsewhere: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        guard = GuardedResolver(self._judge_elsewhere, aiohttp.ThreadedResolver(), self._proxy)
        self._session, self._elsewhere = self._open_session(None), self._open_session(guard)
        return self

    def _open_session(self, resolver: GuardedResolver | None) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S, resolver=resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            middlewares=(_refuse_repeats,),
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._session, self._elsewhere):
            if session is not None:
                await session.close()
        self._session = self._elsewhere = None

    async def send(self, request: Request) -> Response:
        """Send once and read the answer; raises NotSent or Lost, nothing else."""
        session = self._elsewhere if request.is_elsewhere else self._session
        if session is None:
            raise NotSent("The transport is closed.")
        limits = aiohttp.ClientTimeout(
            total=request.deadline_s, connect=self._connect_timeout_s, sock_read=request.read_timeout_s
        )
        async with _opened_body(request) as body:
            try:
                if request.is_elsewhere:
                    self._judge_numbers(_address(request))
                return await _exchange(session, request, body, limits, self._proxy)
            except HostRefused as error:
                log.error("A photo was not sent: %s", error)
                raise NotSent("No connection: HostRefused") from error
            except NOTHING_SENT as error:
                raise NotSent(f"No connection: {type(error).__name__}") from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise Lost(f"No whole answer: {type(error).__name__}") from error

    def _judge_numbers(self, url: URL) -> None:
        """HostRefused for an address that is written in numbers and may not be; those are never looked up."""
        host = url.host or ""
        if is_address(host) and (refusal := self._judge_elsewhere(host, url.port or 0, host)):
            raise HostRefused(refusal)


async def _refuse_repeats(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Without this, aiohttp silently sends a GET or DELETE a second time after a reset."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Lost(f"No whole answer: {type(error).__name__}") from error


async def _exchange(
    session: aiohttp.ClientSession, request: Request, body: Body, limits: aiohttp.ClientTimeout, proxy: URL | None
) -> Response:
    address = _address(request)
    async with session.request(
        request.method,
        address,
        proxy=proxy_for(address, proxy),
        headers=request.headers,
        json=request.json,
        data=body,
        timeout=limits,
        allow_redirects=False,
        # A signed address bears no header that its signer did not name, and aiohttp would add these to a file.
        skip_auto_headers=("Content-Type", "Content-Disposition") if request.file is not None else None,
    ) as response:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk[: ANSWER_CAP_BYTES - len(content)]
            if len(content) == ANSWER_CAP_BYTES:
                response.close()
                break
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, headers, bytes(content))


def _address(request: Request) -> URL:
    try:
        return as_given(request.url)
    except ValueError as error:
        raise NotSent("No connection: InvalidURL") from error


@asynccontextmanager
async def _opened_body(request: Request) -> AsyncIterator[Body]:
    """A body made anew from freshly opened files: aiohttp would send a used one with empty parts."""
    if request.form is None and request.file is None:
        yield None
        return
    photos = [part.photo for part in request.form or () if isinstance(part, FilePart)]
    paths = [photo.path for photo in (*photos, request.file) if photo is not None]
    opening = asyncio.create_task(asyncio.to_thread(_open_files, paths))
    try:
        _, opened = await asyncio.shield(opening)
        yield opened[0] if request.form is None else _build_form(request.form, iter(opened))
    finally:
        await asyncio.shield(_close_files(opening))


def _build_form(parts: Sequence[Field | FilePart], opened: Iterator[BinaryIO]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for part in parts:
        if isinstance(part, Field):
            form.add_field(part.name, part.value.encode(errors="replace").decode())
        else:
            photo = part.photo
            form.add_field(part.name, next(opened), filename=photo.filename, content_type=photo.content_type)
    return form


def _open_files(paths: Sequence[Path]) -> tuple[ExitStack, list[BinaryIO]]:
    try:
        with ExitStack() as stack:
            opened: list[BinaryIO] = [stack.enter_context(path.open("rb")) for path in paths]
            return stack.pop_all(), opened
    except OSError as error:
        raise PhotoUnreadable("A photo could not be opened.") from error


async def _close_files(opening: asyncio.Task[tuple[ExitStack, list[BinaryIO]]]) -> None:
    """Close in a thread: closing waits for a read of the same file that is still under way in another one."""
    try:
        stack, _ = await opening
    except PhotoUnreadable:
        return
    await asyncio.to_thread(stack.close)
