"""Words of other people, found by what somebody types and quoted so that nothing comes alive; times in words. Pure."""

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
    """The text as a code span with at most `limit` characters: no mention, link, emoji or formatting works in it."""
    flat = " ".join(text.replace("`", "ˋ").split()) or " "
    return f"`{flat if len(flat) <= limit else flat[: limit - 1] + '…'}`"


def lasting(span: timedelta) -> str:
    """A length of time in words: whole days from four days on, else hours, minutes below one hour."""
    hours, days = span / timedelta(hours=1), span / timedelta(days=1)
    if hours > HOURS_MAX and days == int(days):
        return _counted(days, "day")
    return _counted(hours, "hour") if hours >= 1 else _counted(hours * 60, "minute")


def _counted(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
