"""Checks the signature of an Aurous Labs webhook and reads which object it is about. Nothing in here raises.

Source: Aurous Labs /webhooks. The envelope of registered endpoints is not documented in full, so both known forms are
read: `{event, data}` and `{id, type, data}`, where the object may also lie in `data.object`.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.providers.answers import parse_object_or_empty
from bot.providers.base import WebhookHint
from bot.providers.calls import OBJECT_ID

TOLERANCE_S = 300
"""How far the time of a signature may be from our clock, in both directions."""
SIGNATURES_MOST = 8
SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins

_MOMENT = re.compile(r"[0-9]{1,12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_JOBS = ("image.", "video.", "character.")


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    may_be_unsigned: bool,
    now: datetime | None = None,
) -> WebhookHint | None:
    """HMAC-SHA256 of `t.body` under an endpoint's secret, `t` at most five minutes off. `now`: default, this moment.

    A delivery to an order's own address may be unsigned. Without a secret, a signed one counts as unsigned.
    """
    sent = [value for name, value in headers.items() if name.lower() == "aurous-webhook-signature"]
    known = [secret for secret in secrets if secret]
    if may_be_unsigned and (not sent or not known):
        hint = _hint(parse_object_or_empty(body), "unsigned")
        return hint if hint is not None and hint.request_id else None
    if len(sent) != 1:
        return None
    variant = _matching_variant(body, sent[0], known, now or datetime.now(UTC))
    return _hint(parse_object_or_empty(body), variant) if variant else None


def _matching_variant(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> str | None:
    parts = [part.strip().partition("=") for part in header.split(",")[: SIGNATURES_MOST + 1]]
    moments = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v1" and _DIGEST.fullmatch(value)]
    if len(moments) != 1 or not _MOMENT.fullmatch(moments[0]):
        return None
    if abs(now.timestamp() - int(moments[0])) > TOLERANCE_S:
        return None
    signed, matching = moments[0].encode() + b"." + body, None
    for secret in secrets:
        for variant, key in _hmac_keys(secret):
            expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
            for digest in digests:
                if hmac.compare_digest(expected, digest):
                    matching = variant
    return matching


def _hmac_keys(secret: str) -> Iterator[tuple[str, bytes]]:
    """The keys that a secret may stand for: the documentation does not say which. Each needs the secret."""
    yield "whole", secret.encode(errors="surrogatepass")
    rest = secret.removeprefix(SECRET_PREFIX)
    if rest == secret or len(rest) < 16:
        return
    yield "rest", rest.encode(errors="surrogatepass")
    try:
        decoded = base64.b64decode(rest.encode("ascii", errors="replace"), validate=True)
    except ValueError:
        return
    yield "base64", decoded


def _hint(payload: Mapping[str, Any], variant: str) -> WebhookHint | None:
    """Tests, account news and unknown kinds give a hint without an object, so that Aurous Labs does not repeat them."""
    kind = payload.get("type") or payload.get("event")
    if not isinstance(kind, str):
        return None
    if payload.get("synthetic") is True or not kind.startswith(_JOBS):
        return WebhookHint("", is_training=False, variant=variant)
    request_id = _object_of(payload).get("id")
    if not isinstance(request_id, str) or not OBJECT_ID.fullmatch(request_id):
        return None
    return WebhookHint(request_id, kind.startswith("character."), variant)


def _object_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    data = payload.get("data")
    if not isinstance(data, dict):
        return {}
    inner = data.get("object")
    return inner if isinstance(inner, dict) else data
