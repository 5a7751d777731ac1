"""The refusals of the rehearsal Aurous Labs: types, codes and error envelope of Aurous Labs /errors. No I/O."""

import json
from collections.abc import Mapping
from typing import Any

DOC_URL = "https://docs.aurous-labs.com/errors#"
_TYPES = {401: "authentication", 403: "authentication", 404: "not_found", 410: "not_found", 429: "rate_limit"}
"""403 is assumed; what is not listed is `invalid_request` below 500 and `server_error` from there on."""
_CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    402: "balance_too_low",
    403: "missing_scope",
    404: "resource_not_found",
    409: "idempotency_key_in_use",
    410: "output_expired",
    422: "output_not_available",
    429: "too_many_requests",
    500: "internal_error",
    502: "provider_unavailable",
    503: "provider_unavailable",
    504: "provider_timeout",
}
"""The code for a status when no rule has chosen one."""


class Refusal(Exception):
    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = dict(headers or {})


def type_of(status: int) -> str:
    return _TYPES.get(status, "invalid_request" if status < 500 else "server_error")


def envelope(status: int, code: str, message: str, request_id: str, param: str | None = None) -> dict[str, Any]:
    error = {
        "type": type_of(status),
        "code": code,
        "message": message,
        "param": param,
        "doc_url": DOC_URL + code,
        "request_id": request_id,
    }
    return {"error": error}


def word_status(status: int, request_id: str) -> bytes:
    """The body of an error that a test provokes."""
    code = _CODES.get(status, "invalid_request" if status < 500 else "internal_error")
    return json.dumps(envelope(status, code, f"Rehearsed {status}", request_id)).encode()


def missing(param: str) -> Refusal:
    return Refusal(400, "missing_field", f"{param} is required.", param=param)


def malformed(param: str, what: str) -> Refusal:
    return Refusal(400, "invalid_format", f"{param} {what}.", param=param)


def out_of_range(param: str, what: str) -> Refusal:
    return Refusal(400, "value_out_of_range", f"{param} {what}.", param=param)


def bad_combination(message: str, param: str | None = None) -> Refusal:
    return Refusal(400, "parameter_invalid_combination", message, param=param)


def not_found(what: str, param: str | None = None) -> Refusal:
    """Also for another team's things, so that the two look the same."""
    return Refusal(404, "resource_not_found", f"No such {what}.", param=param)
