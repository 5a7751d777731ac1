"""HTTP calls to Aurous Labs: version header, rate limits, uploads to signed addresses, repeats under one key."""

from collections.abc import Callable
from typing import TypeVar

import stamina

from bot.errors import OutcomeUnknown, ProviderError, Refused, Unavailable
from bot.providers.aurous.errors import CONCURRENCY, KeyInUse, error_from, is_error, read_code
from bot.providers.aurous.limits import AurousLimits, bucket_of, fingerprint
from bot.providers.aurous.wire import Ticket, is_same_server
from bot.providers.base import PhotoFile
from bot.providers.calls import Calls, Dialect, is_success, repeat_free
from bot.providers.transport import Lost, NotSent, PhotoUnreadable, Request, Response, Transport

T = TypeVar("T")

AUROUS_VERSION = "2026-05-15"
UPLOAD_DEADLINE_S = 120.0

_DIALECT = Dialect("Aurous Labs", "X-Api-Key", error_from, is_error, {"Aurous-Version": AUROUS_VERSION})
_REFUSED_PHOTO = frozenset({400, 413, 415, 422})
# Half a second, doubling up to 8 s, as Aurous Labs /idempotency advises.
_UNDER_ONE_KEY = stamina.AsyncRetryingCaller(attempts=6, timeout=60.0, wait_initial=0.5, wait_max=8.0, wait_jitter=0.0)


class AurousCalls(Calls):
    def __init__(self, transport: Transport, base_url: str, api_key: str, limits: AurousLimits) -> None:
        super().__init__(transport, base_url, api_key, _DIALECT)
        self._limits = limits
        self._fingerprint = fingerprint(api_key)

    async def send(self, request: Request) -> Response:
        """Raises Busy without sending while the call's bucket is known to be empty."""
        bucket = bucket_of(request.method, request.url.removeprefix(self.base_url))
        self._limits.check(self._fingerprint, bucket)
        answer = await super().send(request)
        is_refusal = answer.status == 429 and read_code(answer) != CONCURRENCY
        self._limits.note(self._fingerprint, bucket, answer.headers, is_refusal=is_refusal)
        return answer

    async def submit_under_key(self, request: Request, parse: Callable[[Response], T], *, when_lost: bool = False) -> T:
        """Send a paid call with an Idempotency-Key; send it again while an order under the key is still worked on.

        `when_lost`: also when no answer came. After an unclear answer, everything but success is OutcomeUnknown.
        """
        is_open = False

        async def send_again() -> T:
            nonlocal is_open
            try:
                return await self.submit(request, parse)
            except ProviderError as error:
                was_open, is_open = is_open, is_open or isinstance(error, KeyInUse | OutcomeUnknown)
                if was_open and not isinstance(error, KeyInUse | OutcomeUnknown):
                    raise OutcomeUnknown(f"{self.label} did not say what became of the order.") from error
                raise

        repeated = (KeyInUse, OutcomeUnknown) if when_lost else KeyInUse
        try:
            return await _UNDER_ONE_KEY(repeated, send_again)
        except KeyInUse as error:
            raise OutcomeUnknown(error.sentence, status=error.status) from error

    async def put_photo(self, ticket: Ticket, photo: PhotoFile) -> None:
        """Send the photo's bytes without the API key; the address is signed."""
        request = Request(
            "PUT",
            ticket.url,
            headers=ticket.headers,
            file=photo,
            is_elsewhere=not is_same_server(ticket.url, self.base_url),
            deadline_s=UPLOAD_DEADLINE_S,
        )

        async def put_once() -> None:
            try:
                answer = await self._transport.send(request)
            except PhotoUnreadable as error:
                raise Refused("One of the photos is no longer there. Please add the photos again.") from error
            except (NotSent, Lost) as error:
                raise Unavailable("The photos could not be uploaded.") from error
            if answer.status in _REFUSED_PHOTO:
                raise Refused("One of the photos was not accepted. Please try another.", status=answer.status)
            if not is_success(answer):
                raise Unavailable("The photos could not be uploaded.", status=answer.status)

        await repeat_free(put_once)
