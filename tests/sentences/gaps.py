"""The words of a shown text that do not stand in the sheet, names among them."""

import re
from collections.abc import Iterable

FILLED_IN = re.compile(r"\{[\w.]*\}|[{|}]|\(s\)|\n")
WORD = re.compile(r"[^\W\d_]{2,}")


def gaps(shown: Iterable[str], texts: Iterable[str]) -> set[str]:
    """Words with a letter that belongs to no piece of the sheet's texts; capital letters do not count."""
    pieces = {piece.strip().casefold() for text in texts for piece in FILLED_IN.split(text) if WORD.search(piece)}
    return {word for text in set(shown) for word in _uncovered(text, pieces)}


def _uncovered(text: str, pieces: Iterable[str]) -> list[str]:
    folded = text.casefold()
    covered: set[int] = set()
    for piece in pieces:
        if piece in folded:
            begins, ends = (r"\b" if each.isalnum() else "" for each in (piece[0], piece[-1]))
            for found in re.finditer(rf"{begins}{re.escape(piece)}s?{ends}", folded):
                covered.update(range(*found.span()))
    return [found[0] for found in WORD.finditer(text) if not covered.issuperset(range(*found.span()))]
