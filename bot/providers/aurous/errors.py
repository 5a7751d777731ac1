"""What Aurous Labs' refusals mean: by status, then type, then code, with a sentence for people. No I/O.

Source: Aurous Labs /errors and the reference pages of each route. The list of codes there is not complete.
"""

from datetime import datetime
from typing import Any

from bot.errors import Busy, KeyRejected, Missing, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.answers import parse_object_or_empty, read_sentence, read_text, retry_after_s
from bot.providers.transport import Response

KEY_IN_USE = "idempotency_key_in_use"
CONCURRENCY = "concurrency_limit_exceeded"

SENTENCES = {
    "missing_field": "Something is missing in this order.",
    "invalid_format": "One of the settings is not written as Aurous Labs expects it.",
    "value_out_of_range": "One of the settings is too large or too small.",
    "parameter_invalid_combination": "Two of the settings do not go together. Please leave one of them out.",
    "mutually_exclusive_input": "A character and reference pictures do not go together. Please choose one of them.",
    "character_not_ready": "This character is not ready yet. Please try again when it is.",
    "unsupported_lora_for_mode": "This style does not go with a character or reference picture. Please choose another.",
    "unknown_version": "Aurous Labs no longer speaks the version that Darkroom uses. Darkroom needs an update.",
    "generation_not_cancellable": "It is too late to cancel these pictures.",
    "upload_invalid": "An uploaded photo is no longer there. Please start again with your photos.",
    "balance_too_low": "There are not enough credits.",
    "insufficient_credits": "There are not enough credits.",
    "missing_api_key": "The API key did not arrive.",
    "invalid_api_key": "The API key is not known.",
    "revoked_api_key": "The API key has been revoked.",
    "missing_scope": "This API key may only read. Please create one that may write.",
    "resource_not_found": "A style, character or picture of this order is no longer there. Please choose another.",
    "forbidden_resource": "A style, character or picture of this order is no longer there. Please choose another.",
    "output_expired": "The pictures have been deleted.",
    KEY_IN_USE: "The same order is still being taken.",
    "prompt_blocked": "This prompt is not allowed there. Please word it differently.",
    "reference_blocked": "This reference picture is not allowed there. Please choose another.",
    "output_moderation_rejected": "The content filter held the pictures back. Please word the prompt differently.",
    "output_not_available": "There are no pictures to fetch.",
    "too_many_requests": "Too many orders at once. Please wait a moment.",
    CONCURRENCY: "Too many orders are being worked on. Please wait until one is done.",
    "internal_error": "Something went wrong at Aurous Labs.",
    "provider_unavailable": "Aurous Labs cannot make pictures right now.",
    "provider_timeout": "Aurous Labs took too long.",
}
"""What members read instead of the provider's own message, by code."""

_MODERATION = frozenset({"prompt_blocked", "reference_blocked", "output_moderation_rejected"})


class KeyInUse(Refused):
    """409: an order with this Idempotency-Key is being worked on, or was sent with another body."""


def error_from(answer: Response, now: datetime) -> ProviderError:
    """The error that an answer outside 2xx stands for; Unavailable for everything that may work later."""
    said = _envelope(answer.body)
    code, message = read_text(said.get("code")) or "", read_sentence(said.get("message"))
    error = _make(_kind(answer.status, said.get("type")), SENTENCES.get(code, message), answer, now)
    if isinstance(error, Refused) and code in SENTENCES and code not in _MODERATION and message:
        error.details = {read_sentence(said.get("param")) or "order": [message]}
    error.trace = read_trace(answer) or read_sentence(said.get("request_id")) or None
    return error


def is_error(body: bytes) -> bool:
    """Every error is an envelope with a type and a code (Aurous Labs /errors); one of the two is enough."""
    said = _envelope(body)
    return read_text(said.get("type")) is not None or read_text(said.get("code")) is not None


def read_code(answer: Response) -> str | None:
    return read_text(_envelope(answer.body).get("code"))


def read_trace(answer: Response) -> str | None:
    """The provider's own id of this call."""
    return read_sentence(answer.headers.get("aurous-request-id")) or None


def _envelope(body: bytes) -> dict[str, Any]:
    error = parse_object_or_empty(body).get("error")
    return error if isinstance(error, dict) else {}


def _kind(status: int, said_type: object) -> str:
    """A documented status tells the type; for others between 400 and 499, the type that the answer names counts."""
    if status in _KINDS or not 400 <= status < 500:
        return _KINDS.get(status, "server_error")
    return said_type if isinstance(said_type, str) and said_type in _KINDS.values() else "invalid_request"


def _make(kind: str, sentence: str, answer: Response, now: datetime) -> ProviderError:
    match kind:
        case "authentication":
            return KeyRejected(sentence, status=answer.status)
        case "balance":
            return OutOfCredits(sentence, status=answer.status)
        case "not_found":
            return Missing(sentence, status=answer.status)
        case "rate_limit":
            return Busy(sentence, status=answer.status, retry_after=retry_after_s(answer.headers, now))
        case "invalid_request":
            kind_of_refusal = KeyInUse if read_code(answer) == KEY_IN_USE else Refused
            return kind_of_refusal(sentence, status=answer.status)
        case _:
            return Unavailable(sentence, status=answer.status, retry_after=retry_after_s(answer.headers, now))


_KINDS = {
    400: "invalid_request",
    401: "authentication",
    402: "balance",
    403: "authentication",
    404: "not_found",
    408: "server_error",
    409: "invalid_request",
    410: "not_found",
    422: "invalid_request",
    429: "rate_limit",
}
