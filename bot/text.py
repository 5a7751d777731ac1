"""Words of other people - members, providers - as a code span, in which nothing comes alive. Pure."""

from collections.abc import Callable, Iterable
from typing import TypeVar

CHOICES_MAX = 25
"""Autocomplete choices Discord shows (Discord /docs/interactions/application-commands)."""
NO_MATCH = 4

T = TypeVar("T")


def rank_match(text: str, name: str) -> int:
    """0 the name begins with the text, 1 a word of it does, 2 it holds the text, 3 its letters in order, 4 no match."""
    text, name = text.strip().casefold(), name.casefold()
    if name.startswith(text):
        return 0
    if any(word.startswith(text) for word in name.split()):
        return 1
    if text in name:
        return 2
    letters = iter(name)
    return 3 if all(letter in letters for letter in text) else NO_MATCH


def best_ranked(among: Iterable[T], rank: Callable[[T], int]) -> list[T]:
    """Those that match, best first; those of one rank stay in their order."""
    ranked = [(rank(each), each) for each in among]
    return [each for rank_of, each in sorted(ranked, key=lambda pair: pair[0]) if rank_of < NO_MATCH]


def quote(text: str, limit: int = 100) -> str:
    """What somebody else wrote, within `limit` characters: no mention, link, emoji or formatting in it comes alive."""
    flat = " ".join(text.replace("`", "ˋ").split()) or " "
    return f"`{flat if len(flat) <= limit else flat[: limit - 1] + '…'}`"
