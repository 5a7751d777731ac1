"""Reads values from a provider's answer, which may hold anything: JSON, short text, numbers, times. No I/O."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

RETRY_AFTER_CAP_S = 15 * 60.0
SENTENCE_CAP = 300

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")


class Unreadable(Exception):
    """The body is not the JSON that the documentation promises."""


def parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


def parse_object(body: bytes) -> dict[str, Any]:
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Unreadable
    return value


def parse_object_or_empty(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body)
    except Unreadable:
        return {}


def read_sentence(value: object) -> str:
    """Printable text on one line, cut to SENTENCE_CAP characters; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * SENTENCE_CAP]).split())[:SENTENCE_CAP]


def read_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def read_whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_number(value: object) -> float | None:
    """A finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def read_moment(value: object) -> datetime | None:
    """Aware and UTC; a time without a zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, from a number or an HTTP date, at most RETRY_AFTER_CAP_S."""
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), RETRY_AFTER_CAP_S)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_CAP_S)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
