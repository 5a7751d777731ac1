"""Words of other people, found by what somebody types and quoted so that nothing comes alive; times in words. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from rapidfuzz import fuzz

CHOICES_MAX = 25
"""Autocomplete choices Discord shows (Discord /docs/interactions/application-commands)."""
LABEL_MAX = 100
"""Characters of a choice's label (the same page)."""
ALIKE = 80
"""Likeness in percent from which a misspelled word is taken for another: one wrong letter in five."""

_EMOJI_PARTS = frozenset("\u200d\u20e3\ufe0e\ufe0f" + "".join(map(chr, range(0x1F3FB, 0x1F400))))
"""Joiner, keycap, variation selectors and skin tones (Unicode Technical Standard 51)."""

_ACTIVE = re.compile(r"[\\*_~`|<>\[\]@/]|:(?=\S)|&(?=#?\w+;)|^[#+-]", re.ASCII)
"""What begins or ends something in Discord's Markdown, or at the start of a line; `&` does for readers of CommonMark.

A backslash before it is not shown (https://support.discord.com/hc/en-us/articles/210298617).
"""
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")
"""The number of a list."""
_BROKEN = re.compile(r"@(?=everyone|here)|:(?=//)", re.IGNORECASE)
"""Also broken by U+200B: a backslash hides itself before punctuation only, so none can stand before an address, and
not every client has always read escapes alike. `discord.utils.escape_mentions` breaks mentions so, too.
"""
_BREAK = "\u200b"
_MARKS = re.compile(rf"\\([^\w\s]|_)|[*`{_BREAK}]")
"""What is escaped, which stays, and marks that are not."""
_JOINERS = "\u200c\u200d"
"""They shape emoji, Persian and the scripts of India."""
_DRAWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn around numbers (Unicode's property Prepended_Concatenation_Mark)."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs that show nothing, and no format characters for Unicode."""

HOURS_MAX = 72
"""A longer time that is whole days is told in days."""

T = TypeVar("T")


def search(
    text: str, among: Iterable[T], name: Callable[[T], str], about: Callable[[T], str] = lambda _: ""
) -> list[T]:
    """Those whose name fits, best first, those that fit equally well in their order. An empty text fits all.

    First names that begin with the text, then those of which words begin with its words, then those that hold the
    text, in the name or in `about`, then those that are spelled nearly like it or have its letters in order.
    Case and accents do not count.
    """
    typed = _fold(text)
    joined = _join(typed)
    ranked = [(_rank(typed, joined, _fold(name(each)), _fold(about(each))), each) for each in among]
    return [each for rank, each in sorted(ranked, key=lambda pair: pair[0]) if rank <= 100 - ALIKE]


def named(text: str, among: Iterable[T], names: Callable[[T], Iterable[str]]) -> list[T]:
    """Those that are called this, case and spaces around aside; when there are none, emoji aside, too."""
    each_with_names = [(each, list(names(each))) for each in among]
    for fold in (_plain, _without_emoji):
        wanted = fold(text)
        found = [each for each, called in each_with_names if wanted and wanted in map(fold, called)]
        if found:
            return found
    return []


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _without_emoji(text: str) -> str:
    return _plain("".join(each for each in text if not _is_part_of_emoji(each)))


def _is_part_of_emoji(character: str) -> bool:
    """Signs, what joins and colours them, and flags; letters, digits and punctuation are not."""
    return unicodedata.category(character) == "So" or character in _EMOJI_PARTS


def _rank(typed: str, joined: str, name: str, about: str) -> float:
    """Below 0: the words are there as typed. From 0 on: percent by which they differ."""
    if name.startswith(typed):
        return -3
    words = typed.split()
    if all(f" {word}" in f" {name}" for word in words):
        return -2
    if typed in name or typed in about:
        return -1
    by_word = min(max(fuzz.ratio(word, each, score_cutoff=ALIKE) for each in name.split() or [""]) for word in words)
    whole = _join(name)
    in_part = fuzz.partial_ratio(joined, whole, score_cutoff=ALIKE) if 0 < len(joined) <= len(whole) else 0
    letters = iter(name)
    in_order = ALIKE if all(letter in letters for letter in typed) else 0
    return 100 - max(by_word, in_part, in_order)


def _fold(text: str) -> str:
    """Without case, accents and spaces around."""
    folded = text.strip().casefold()
    if folded.isascii():
        return folded
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))


def _join(text: str) -> str:
    """Letters and digits only, so that "35 mm" is in "35mm" and "trex" in "T-Rex"."""
    return "".join(filter(str.isalnum, text))


def quote(text: str, limit: int = 100) -> str:
    """A name or a few words of people in bold, at most `limit` characters of it.

    As for `cite`, no mention, link, emoji or formatting works in it, it has one line and nothing invisible. Only where
    Discord reads Markdown: labels, titles and alt texts are plain. Not inside other bold text.
    """
    words = _visible(text)
    return f"**{_escaped(words if len(words) <= limit else f'{words[: limit - 1].rstrip()}…')}**"


def cite(text: str, limit: int) -> str:
    """What people wrote, as a prompt, a rule or a reason, in quotation marks. At most `limit` characters are sent."""
    words = _visible(text)
    while len(escaped := _escaped(words)) > limit:
        words = f"{words[: min(limit, len(words) - 1) - 1].rstrip()}…"
    return f"“{escaped}”"


def code(text: str, limit: int = 100) -> str:
    """What counts letter by letter, as an id, an address or a word to type, as a code span of at most `limit`."""
    flat = " ".join(text.replace("`", "ˋ").split()) or " "
    return f"`{flat if len(flat) <= limit else flat[: limit - 1] + '…'}`"


def bare(text: str) -> str:
    """A sentence with words from `quote`, `cite` or `code` as it reads where Markdown is not read."""
    return _MARKS.sub(r"\1", text)


def _visible(text: str) -> str:
    """On one line, without what cannot be seen; never empty."""
    flat = " ".join("".join(each for each in text if each.isspace() or not _is_hidden(each)).split())
    return flat.lstrip(f"{_JOINERS}\ufe0e\ufe0f ").rstrip(f"{_JOINERS} ") or "…"


def _is_hidden(character: str) -> bool:
    """Marks that turn the direction, controls, halves of characters and fillers."""
    if character in _JOINERS or character in _DRAWN_FORMATS:
        return False
    return character in _FILLERS or unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _escaped(words: str) -> str:
    escaped = _ACTIVE.sub(r"\\\g<0>", _BROKEN.sub(rf"\g<0>{_BREAK}", words))
    return _NUMBERED.sub(r"\1\\", escaped)


def lasting(span: timedelta) -> str:
    """A length of time in words: whole days from four days on, else hours, minutes below one hour."""
    hours, days = span / timedelta(hours=1), span / timedelta(days=1)
    if hours > HOURS_MAX and days == int(days):
        return _counted(days, "day")
    return _counted(hours, "hour") if hours >= 1 else _counted(hours * 60, "minute")


def _counted(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
