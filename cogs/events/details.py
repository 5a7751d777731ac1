"""What an announcement notes besides its kind. Pure."""

import json
from typing import Any

Detail = dict[str, Any]


def read(detail: str) -> Detail:
    """Notes of another version may hold less, more, or something else."""
    try:
        found = json.loads(detail or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def number(detail: Detail, name: str) -> int:
    value = detail.get(name)
    return value if isinstance(value, int) else 0


def sentences(detail: Detail, name: str) -> list[str]:
    values = detail.get(name)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def numbers(detail: Detail, name: str) -> list[int]:
    values = detail.get(name)
    return [value for value in values if isinstance(value, int)] if isinstance(values, list) else []
