"""Apiframe v2 as a provider: the calls, what may be repeated, and who signed a webhook."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import stamina

from bot.errors import KeyRejected, Missing, OutcomeUnknown, Refused, Unavailable
from bot.providers.apiframe_wire import (
    PAGE_SIZE,
    Unreadable,
    build_generation,
    build_training,
    error_from,
    parse_account,
    parse_details,
    parse_generation,
    parse_object_or_empty,
    parse_training,
    parse_training_page,
)
from bot.providers.base import (
    Account,
    GenerationOrder,
    GenerationReport,
    Prices,
    TrainingOrder,
    TrainingReport,
    WebhookHint,
)
from bot.providers.transport import Answer, Lost, NotSent, PhotoUnreadable, Request, Transport

T = TypeVar("T")

PRICES = Prices(training=257, picture=2)
"""Credits: 2 to create and 255 to train a LoRA, 2 for each image (Apiframe /docs/loras, /docs/images/flux-lora)."""

UPLOAD_DEADLINE_S = 600.0
PAGES_CAP = 50
CLOCK_SLACK = timedelta(minutes=10)
"""How far Apiframe's clock may run behind ours before a search would stop too early."""
RETRY_WAIT_CAP_S = 5.0

_RETRIED_READ = stamina.AsyncRetryingCaller(attempts=3, timeout=10.0, wait_initial=0.25, wait_max=2.0, wait_jitter=0.5)
_SIGNATURE = re.compile(r"(?:sha256=)?([0-9a-f]{64})")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Apiframe:
    """Apiframe under one API key; implements `ProviderClient`."""

    prices = PRICES

    def __init__(self, transport: Transport, base_url: str, api_key: str) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key

    def __repr__(self) -> str:
        return f"Apiframe({self._base_url!r})"

    async def account(self) -> Account:
        return await self._read("/v2/me", parse_account)

    async def submit_training(self, order: TrainingOrder) -> TrainingReport:
        request = self._request("POST", "/v2/loras", form=build_training(order), deadline_s=UPLOAD_DEADLINE_S)
        return await self._submit(request, parse_training)

    async def find_training(self, marker: str, since: datetime) -> TrainingReport | None:
        path = f"/v2/loras?limit={PAGE_SIZE}&includeArchived=true"
        cursor = ""
        for _ in range(PAGES_CAP):
            page, next_cursor = await self._read(path + cursor, parse_training_page)
            for report in page:
                if marker in report.name:
                    return report
            if next_cursor is None or _reaches_back(page, since - CLOCK_SLACK):
                return None
            cursor = f"&cursor={quote(next_cursor, safe='')}"
        raise Unavailable("Apiframe lists more LoRAs than can be searched.")

    async def training(self, request_id: str) -> TrainingReport:
        return await self._read(f"/v2/loras/{_checked_id(request_id)}", parse_training)

    async def archive_lora(self, request_id: str) -> None:
        request = self._request("DELETE", f"/v2/loras/{_checked_id(request_id)}")
        try:
            answer = await self._send(request)
        except (NotSent, Lost) as error:
            raise Unavailable("Apiframe could not be reached.") from error
        if not _is_success(answer) and answer.status not in {404, 410}:
            raise error_from(answer, datetime.now(UTC))

    async def submit_generation(self, order: GenerationOrder) -> GenerationReport:
        headers = {"Idempotency-Key": order.idempotency_key}
        request = self._request("POST", "/v2/images/generate", headers=headers, json=build_generation(order))
        return await self._submit(request, parse_generation)

    async def generation(self, request_id: str) -> GenerationReport:
        return await self._read(f"/v2/jobs/{_checked_id(request_id)}", parse_generation)

    def _request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> Request:
        return Request(method, self._base_url + path, headers={"X-API-Key": self._api_key, **(headers or {})}, **rest)

    async def _send(self, request: Request) -> Answer:
        # Anything else could not stand in a header, and no key of Apiframe's holds it.
        if not self._api_key or not self._api_key.isascii() or not self._api_key.isprintable():
            raise KeyRejected("This does not look like an API key.")
        answer = await self._transport.send(request)
        return Answer(answer.status, answer.headers, answer.body.replace(self._api_key.encode(), b"[API key]"))

    async def _submit(self, request: Request, parse: Callable[[bytes], T]) -> T:
        """Send a paid call once; whatever leaves its outcome open becomes OutcomeUnknown."""
        try:
            answer = await self._send(request)
        except PhotoUnreadable as error:
            raise Refused("One of the photos is no longer there. Please add the photos again.") from error
        except NotSent as error:
            raise Unavailable("Apiframe could not be reached.") from error
        except Lost as error:
            raise OutcomeUnknown("Apiframe did not answer in full.") from error
        if _is_success(answer):
            try:
                return parse(answer.body)
            except Unreadable as error:
                raise OutcomeUnknown("Apiframe's answer could not be read.", status=answer.status) from error
        refusal = error_from(answer, datetime.now(UTC))
        if isinstance(refusal, Unavailable):
            raise OutcomeUnknown(refusal.sentence, status=answer.status)
        if isinstance(refusal, Missing):
            raise Refused(refusal.sentence, status=answer.status, details=parse_details(answer.body))
        raise refusal

    async def _read(self, path: str, parse: Callable[[bytes], T]) -> T:
        return await _RETRIED_READ(_wait_before_retry, self._read_once, path, parse)

    async def _read_once(self, path: str, parse: Callable[[bytes], T]) -> T:
        try:
            answer = await self._send(self._request("GET", path))
        except (NotSent, Lost) as error:
            raise Unavailable("Apiframe could not be reached.") from error
        if not _is_success(answer):
            raise error_from(answer, datetime.now(UTC))
        try:
            return parse(answer.body)
        except Unreadable as error:
            raise Unavailable("Apiframe's answer could not be read.", status=answer.status) from error


def _wait_before_retry(error: Exception) -> bool | float:
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= RETRY_WAIT_CAP_S else False


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _checked_id(request_id: str) -> str:
    """Apiframe's ids are opaque, but they stand in a path."""
    if not _OBJECT_ID.fullmatch(request_id):
        raise Missing("Apiframe knows no such id.")
    return request_id


def _reaches_back(page: Sequence[TrainingReport], since: datetime) -> bool:
    return any(report.created_at is not None and report.created_at < since for report in page)


def verify_webhook(body: bytes, headers: Mapping[str, str], api_keys: Sequence[str]) -> WebhookHint | None:
    """HMAC-SHA256 of the raw body under SHA-256 of the API key (Apiframe /docs/webhooks); total, never raises.

    The documentation leaves open whether the digest is used as hexadecimal text or as bytes; both need the key.
    """
    sent = [value for name, value in headers.items() if name.lower() == "x-webhook-signature"]
    signature = _SIGNATURE.fullmatch(sent[0]) if len(sent) == 1 else None
    if signature is None:
        return None
    variant = None
    for api_key in filter(None, api_keys):
        digest = hashlib.sha256(api_key.encode(errors="surrogatepass"))
        for name, secret in (("hex", digest.hexdigest().encode()), ("raw", digest.digest())):
            expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
            if hmac.compare_digest(expected, signature[1]):
                variant = name
    return _hint(parse_object_or_empty(body), variant) if variant else None


def _hint(payload: Mapping[str, Any], variant: str) -> WebhookHint | None:
    """A job names itself `jobId`, a LoRA `id` (Apiframe /docs/webhooks, /docs/loras)."""
    is_training = "jobId" not in payload
    request_id = payload.get("id" if is_training else "jobId")
    if not isinstance(request_id, str) or not _OBJECT_ID.fullmatch(request_id):
        return None
    return WebhookHint(request_id, is_training, variant)
