"""Apiframe v2 as a provider: its calls, and the check of a webhook's signature."""

import hashlib
import hmac
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.providers.answers import parse_object_or_empty
from bot.providers.apiframe.wire import (
    PAGE_SIZE,
    build_generation,
    build_training,
    error_from,
    is_error,
    model_of,
    parse_account,
    parse_generation,
    parse_generation_page,
    parse_prices,
    parse_training,
    parse_training_page,
    parse_upload,
)
from bot.providers.base import (
    Account,
    Endpoint,
    GenerationOrder,
    GenerationReport,
    PhotoFile,
    Prices,
    Progress,
    StyleReport,
    TrainingOrder,
    TrainingReport,
    WebhookHint,
)
from bot.providers.calls import OBJECT_ID, Calls, Dialect, checked_id, find_listed, of_body
from bot.providers.measuring import measured
from bot.providers.transport import FilePart, Transport
from bot.records.generation import Operation
from bot.records.key import ProviderName

PRICES = Prices(training=257, picture=2)
"""Credits: 2 to create and 255 to train a LoRA, 2 for each image (Apiframe /docs/loras, /docs/images/flux-lora)."""
CLARITY_PRICE = 3
"""Credits (Apiframe /docs/image-edits/clarity-upscale)."""

UPLOAD_DEADLINE_S = 600.0
PICTURE_DEADLINE_S = 120.0
PAGES_CAP = 50

_DIALECT = Dialect("Apiframe", "X-API-Key", error_from, is_error)
_GONE = frozenset({Progress.ARCHIVED, Progress.FAILED})
_SIGNATURE = re.compile(r"(?:sha256=)?([0-9a-f]{64})")


@measured(
    ProviderName.APIFRAME,
    asks_nobody=(
        "cancel_generation",
        "remove_upload",
        "styles",
        "register_endpoint",
        "remove_endpoint",
        "test_endpoint",
    ),
)
class Apiframe:
    """Apiframe under one API key; implements `ProviderClient`."""

    prices = PRICES

    def __init__(self, transport: Transport, base_url: str, api_key: str) -> None:
        self._calls = Calls(transport, base_url, api_key, _DIALECT)

    def __repr__(self) -> str:
        return f"Apiframe({self._calls.base_url!r})"

    async def account(self) -> Account:
        return await self._calls.read("/v2/me", of_body(parse_account))

    async def submit_training(self, order: TrainingOrder) -> TrainingReport:
        form = build_training(order)
        request = self._calls.request("POST", "/v2/loras", form=form, deadline_s=UPLOAD_DEADLINE_S)
        return await self._calls.submit(request, of_body(parse_training))

    async def find_training(self, marker: str, since: datetime) -> TrainingReport | None:
        return await find_listed(self._all_loras(), lambda report: marker in report.name, since)

    async def training(self, request_id: str) -> TrainingReport:
        return await self._calls.read(f"/v2/loras/{checked_id(request_id)}", of_body(parse_training))

    async def listed_training(self, request_id: str, since: datetime) -> TrainingReport | None:
        return await find_listed(self._all_loras(), lambda report: report.request_id == request_id, since)

    async def archive_lora(self, remote_id: str) -> bool:
        """The LoRA is hidden and cannot be used any more; the trainer's copy goes "best-effort" (/docs/loras)."""
        return await self._calls.remove(f"/v2/loras/{checked_id(remote_id)}")

    async def remove_upload(self, remote_id: str) -> bool:
        """Apiframe has no call for it; an upload lives for an hour or two (OpenAPI 2.0.0, /v2/uploads)."""
        return False

    async def submit_generation(self, order: GenerationOrder) -> GenerationReport:
        path, body = build_generation(order)
        headers = {"Idempotency-Key": order.idempotency_key}
        request = self._calls.request("POST", path, headers=headers, json=body)
        return await self._calls.submit(request, of_body(parse_generation))

    async def generation(self, request_id: str) -> GenerationReport:
        return await self._calls.read(f"/v2/jobs/{checked_id(request_id)}", of_body(parse_generation))

    async def find_generation(
        self, is_it: Callable[[GenerationReport], bool], since: datetime
    ) -> GenerationReport | None:
        path = f"/v2/jobs?limit={PAGE_SIZE}"
        pages = self._calls.pages(path, "cursor", of_body(parse_generation_page), PAGES_CAP)
        return await find_listed(pages, is_it, since)

    async def cancel_generation(self, request_id: str) -> bool:
        """Apiframe has no call for it (OpenAPI 2.0.0)."""
        return False

    async def estimate(self, order: GenerationOrder) -> int | None:
        """From the documentation where it names a price, else the most that the catalogue says."""
        if order.operation is Operation.IMAGINE and order.lora:
            return PRICES.picture * order.settings.count
        if order.operation is Operation.UPSCALE_CLARITY:
            return CLARITY_PRICE
        listed = await self._calls.read("/v2/models?modality=image", of_body(parse_prices))
        return listed.get(model_of(order))

    async def upload_picture(self, picture: PhotoFile, idempotency_key: str) -> str:
        """The address to put into an order. Uploads take no Idempotency-Key (OpenAPI 2.0.0); a second one is free."""
        form = [FilePart("file", picture)]
        request = self._calls.request("POST", "/v2/uploads", form=form, deadline_s=PICTURE_DEADLINE_S)
        return await self._calls.ask(request, of_body(parse_upload))

    async def styles(self) -> Sequence[StyleReport]:
        return ()

    async def loras(self) -> Sequence[TrainingReport]:
        pages = self._calls.pages(f"/v2/loras?limit={PAGE_SIZE}", "cursor", of_body(parse_training_page), PAGES_CAP)
        return [lora async for page in pages for lora in page if lora.progress not in _GONE]

    async def register_endpoint(self, url: str) -> Endpoint | None:
        """None: with Apiframe, each order names its own address (Apiframe /docs/webhooks)."""
        return None

    async def remove_endpoint(self, endpoint_id: str) -> None:
        """Nothing to do: Apiframe has no registered addresses."""

    async def test_endpoint(self, endpoint_id: str) -> bool:
        return False

    def _all_loras(self) -> AsyncGenerator[Sequence[TrainingReport], None]:
        path = f"/v2/loras?limit={PAGE_SIZE}&includeArchived=true"
        return self._calls.pages(path, "cursor", of_body(parse_training_page), PAGES_CAP)


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    may_be_unsigned: bool,  # noqa: ARG001 - part of VerifyWebhook
) -> WebhookHint | None:
    """HMAC-SHA256 of the raw body under SHA-256 of the API key (Apiframe /docs/webhooks); never raises.

    `secrets` are API keys. Apiframe signs every delivery, so an unsigned one never counts. The documentation does not
    say whether the digest is used as hexadecimal text or as bytes; both need the key.
    """
    sent = [value for name, value in headers.items() if name.lower() == "x-webhook-signature"]
    signature = _SIGNATURE.fullmatch(sent[0]) if len(sent) == 1 else None
    if signature is None:
        return None
    variant = None
    for api_key in filter(None, secrets):
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
    if not isinstance(request_id, str) or not OBJECT_ID.fullmatch(request_id):
        return None
    return WebhookHint(request_id, is_training, variant)
