"""Rows as an export shows them: plain words, and nobody's name but the reader's own. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from bot.privacy.headings import PEOPLE, WORDS
from bot.records.dataset import Finding
from bot.records.generation import GenerationSettings
from bot.records.guild import NOBODY
from bot.records.lora import Audience
from bot.text import bare

YOU: Final = "you"
ANOTHER: Final = "another member"
MODERATOR: Final = re.compile(r"\bmoderator [0-9]+")
"""How the course of a job names the moderator who did something."""
SENTENCES: Final = frozenset(["detail", "error", "wording"])
"""Fields with sentences of the bot's own, written for Discord."""
EXACT_MAX: Final = 2**53
"""Larger numbers are rounded by programs that read JSON as JavaScript does (RFC 8259, section 6)."""


def plain_row(row: Mapping[str, Any], words: Mapping[str, str], ids: Collection[int]) -> dict[str, Any]:
    """The row under the words for its columns; empty fields are left out. `ids`: those of the reader."""
    plain = {}
    for name, word in words.items():
        value = row[name]
        is_person = name in PEOPLE or (name == "audience_id" and row.get("audience") == Audience.MEMBER)
        if name in SENTENCES and isinstance(value, str):
            value = MODERATOR.sub("a moderator", bare(value))
        if value is not None:
            plain[word] = _person(value, ids) if is_person else plain_value(value)
    return plain


def plain_value(value: Any) -> Any:
    match value:
        case bool():
            return value
        case str():
            return str(value)
        case datetime():
            return value.isoformat(timespec="seconds")
        case int() if abs(value) >= EXACT_MAX:
            return str(value)
        case Finding():
            return value.code.replace("_", " ")
        case GenerationSettings():
            return {_said(name): plain_value(each) for name, each in asdict(value).items() if each is not None}
        case Mapping():
            return {str(name): plain_value(each) for name, each in value.items()}
        case tuple() | frozenset():
            return [plain_value(each) for each in value]
    return value


def _said(name: str) -> str:
    return WORDS.get(name, name.capitalize())


def _person(user_id: int, ids: Collection[int]) -> str | None:
    if user_id in ids:
        return YOU
    return None if user_id == NOBODY else ANOTHER
