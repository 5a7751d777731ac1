"""Small pieces of text: numbers, times, subjects, lists that fit. Pure."""

import re
from datetime import datetime, timedelta

from bot.records.dataset import SubjectKind

TEXT_MAX = 4000
"""Characters of all text displays of a Components V2 message together (Discord /docs/components/reference)."""


SUBJECT_WORDS = {
    SubjectKind.OBJECT: "a pet, object or place",
    SubjectKind.PERSON: "a person",
    SubjectKind.STYLE: "a style",
    SubjectKind.CHARACTER: "a character",
}
ONLY_YOU = "-# Only you see this."
MADE_BY_AI = "-# AI-generated"
METER_STEPS = 10
_ENDED = re.compile(r"\\.|`[^`]*`", re.DOTALL)
"""An escaped character, and a code span, in which a backslash escapes nothing."""


def capitalised(text: str) -> str:
    """Only its first letter changes."""
    return text[:1].upper() + text[1:]


def meter(reached: int, needed: int) -> str:
    filled = min(reached, needed) * METER_STEPS // needed
    return "▰" * filled + "▱" * (METER_STEPS - filled)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def moment(at: datetime) -> str:
    """A time that every reader sees in their own time zone."""
    return f"<t:{int(at.timestamp())}:t>"


def when(at: datetime) -> str:
    """Day and time."""
    return f"<t:{int(at.timestamp())}:f>"


def ago(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:R>"


def day(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:D>"


def roughly(span: timedelta) -> str:
    """A length of time as one would say it."""
    seconds = round(span.total_seconds())
    if seconds < 90:
        return f"about {count(seconds, 'second')}"
    minutes = round(seconds / 60)
    return f"about {count(minutes, 'minute')}" if minutes < 100 else f"about {count(round(minutes / 60), 'hour')}"


def message_link(guild_id: int, channel_id: int, message_id: int) -> str:
    """Its address, which Discord's client opens in place."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"


def member(user_id: int) -> str:
    """Their mention. Who was erased is nobody, or has a negative pseudonym."""
    return f"<@{user_id}>" if user_id > 0 else "an erased member"


def shorten(text: str, limit: int) -> str:
    """Words that fit, then three dots; bold text and code that it cuts are ended there, so the next words are not."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 4].rsplit(" ", 1)[0].rstrip("\\* ")
    before, opened, _ = _ENDED.sub("", kept).partition("`")
    return kept + "…" + opened + "**" * (before.count("**") % 2)


def clip(lines: list[str], limit: int, more: str) -> str:
    """As many whole lines as fit, then `more` with the number of those left out in place of `{}`."""
    kept: list[str] = []
    size = 0
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size + len(more) + 4 > limit:
            kept.append(more.format(len(lines) - index))
            break
        kept.append(line)
    return "\n".join(kept)
