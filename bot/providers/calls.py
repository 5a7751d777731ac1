"""HTTP calls to one provider with one key: which are repeated, and which error a failed call becomes."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import stamina

from bot.errors import Busy, KeyRejected, Missing, OutcomeUnknown, ProviderError, Refused, Unavailable
from bot.providers.answers import Unreadable, parse_object
from bot.providers.base import GenerationReport, TrainingReport
from bot.providers.transport import Lost, NotSent, PhotoUnreadable, Request, Response, Transport

T = TypeVar("T")
ReportT = TypeVar("ReportT", TrainingReport, GenerationReport)

CLOCK_SLACK = timedelta(minutes=10)
"""How far a provider's clock may be behind ours without ending a search too early."""
RETRY_WAIT_CAP_S = 5.0

OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")

_RETRIED = stamina.AsyncRetryingCaller(attempts=3, timeout=10.0, wait_initial=0.25, wait_max=2.0, wait_jitter=0.5)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between providers.

    `error_from`: the error for an answer outside 2xx; the time is UTC. `is_error`: whether a body has the shape that
    the provider gives to its errors.
    """

    label: str
    key_header: str
    error_from: Callable[[Response, datetime], ProviderError]
    is_error: Callable[[bytes], bool]
    headers: Mapping[str, str] = field(default_factory=dict)


class Calls:
    """Every method raises a subclass of ProviderError, nothing else, unless it says so."""

    def __init__(self, transport: Transport, base_url: str, api_key: str, dialect: Dialect) -> None:
        self.base_url = base_url.rstrip("/")
        self.label = dialect.label
        self._transport = transport
        self._api_key = api_key
        self._dialect = dialect

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> Request:
        own = {self._dialect.key_header: self._api_key, **self._dialect.headers}
        return Request(method, self.base_url + path, headers={**own, **(headers or {})}, **rest)

    async def send(self, request: Request) -> Response:
        """Send once; raises NotSent and Lost, too."""
        # Anything else could not stand in a header, and no provider's key holds it.
        if not self._api_key or not self._api_key.isascii() or not self._api_key.isprintable():
            raise KeyRejected("This does not look like an API key.")
        return self._without_key(await self._transport.send(request))

    async def submit(self, request: Request, parse: Callable[[Response], T]) -> T:
        """Send a paid call once. OutcomeUnknown when it is not clear whether the provider took it."""
        try:
            answer = await self._reach(request)
        except Lost as error:
            raise OutcomeUnknown(f"{self.label} did not answer in full.") from error
        if is_success(answer):
            try:
                return parse(answer)
            except Unreadable as error:
                raise OutcomeUnknown(f"{self.label}'s answer could not be read.", status=answer.status) from error
        refusal = self._error_from(answer)
        if isinstance(refusal, Unavailable):
            raise _traced(OutcomeUnknown(refusal.sentence, status=answer.status), refusal.trace)
        if isinstance(refusal, Missing):
            raise _traced(Refused(refusal.sentence, status=answer.status), refusal.trace)
        raise refusal

    async def read(self, path: str, parse: Callable[[Response], T]) -> T:
        return await self.ask(self.request("GET", path), parse)

    async def ask(self, request: Request, parse: Callable[[Response], T]) -> T:
        """Send a call up to three times; it must cost nothing and be safe to repeat."""

        async def ask() -> T:
            return await self.ask_once(request, parse)

        return await repeat_free(ask)

    async def ask_once(self, request: Request, parse: Callable[[Response], T]) -> T:
        try:
            answer = await self._reach(request)
        except Lost as error:
            raise Unavailable(f"{self.label} could not be reached.") from error
        if not is_success(answer):
            raise self._error_from(answer)
        try:
            return parse(answer)
        except Unreadable as error:
            raise Unavailable(f"{self.label}'s answer could not be read.", status=answer.status) from error

    async def remove(self, path: str) -> bool:
        """DELETE. False when the provider says that there is no such thing (404)."""
        try:
            await self.ask_once(self.request("DELETE", path), _read_removed)
        except Missing:
            return False
        return True

    async def pages(
        self, path: str, cursor_name: str, parse: Callable[[Response], tuple[Sequence[T], str | None]], cap: int
    ) -> AsyncGenerator[Sequence[T], None]:
        """Every page of a list; Unavailable when `cap` pages are not all. `parse` gives a page and the next cursor."""
        cursor = ""
        for _ in range(cap):
            page, next_cursor = await self.read(path + cursor, parse)
            yield page
            if next_cursor is None:
                return
            joint = "&" if "?" in path else "?"
            cursor = f"{joint}{cursor_name}={quote(next_cursor, safe='')}"
        raise Unavailable(f"{self.label} lists more than can be searched.")

    async def _reach(self, request: Request) -> Response:
        """Send. Only after Lost is it unclear whether the provider took the call."""
        try:
            return await self.send(request)
        except PhotoUnreadable as error:
            raise Refused("One of the photos is no longer there. Please add the photos again.") from error
        except NotSent as error:
            raise Unavailable(f"{self.label} could not be reached.") from error

    def _error_from(self, answer: Response) -> ProviderError:
        """What does not come from the provider itself says nothing about an order, an object or a key."""
        error = self._dialect.error_from(answer, datetime.now(UTC))
        if isinstance(error, Busy | Unavailable) or (is_json(answer) and self._dialect.is_error(answer.body)):
            return error
        return Unavailable(f"Something between us and {self.label} answered.", status=answer.status)

    def _without_key(self, answer: Response) -> Response:
        return Response(answer.status, answer.headers, answer.body.replace(self._api_key.encode(), b"[API key]"))


async def repeat_free(call: Callable[[], Awaitable[T]]) -> T:
    """Try a free call up to three times while it raises Unavailable."""
    return await _RETRIED(_wait_before_retry, call)


def of_body(parse: Callable[[bytes], T]) -> Callable[[Response], T]:
    """A parser of answers that hands only the body to `parse`."""
    return lambda answer: parse(answer.body)


def _read_removed(answer: Response) -> None:
    """A page of something in between is no proof that anything was removed."""
    if answer.status != HTTPStatus.NO_CONTENT:
        parse_object(answer.body)


def is_success(answer: Response) -> bool:
    return 200 <= answer.status < 300


def is_json(answer: Response) -> bool:
    """By its headers. Cloudflare marks what it answers itself (https://developers.cloudflare.com/fundamentals)."""
    return "json" in answer.headers.get("content-type", "json").lower() and "cf-mitigated" not in answer.headers


def checked_id(request_id: str) -> str:
    """The id, safe to put into a path; Missing for any other text."""
    if not OBJECT_ID.fullmatch(request_id):
        raise Missing("There is nothing under such an id.")
    return request_id


async def find_listed(
    pages: AsyncGenerator[Sequence[ReportT], None], is_it: Callable[[ReportT], bool], since: datetime
) -> ReportT | None:
    """The first report that is meant; None after every page back to `since`, newest first, was read."""
    async with aclosing(pages):
        async for page in pages:
            for report in page:
                if is_it(report):
                    return report
            if any(report.created_at is not None and report.created_at < since - CLOCK_SLACK for report in page):
                return None
    return None


def _traced(error: ProviderError, trace: str | None) -> ProviderError:
    error.trace = trace
    return error


def _wait_before_retry(error: Exception) -> bool | float:
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= RETRY_WAIT_CAP_S else False
