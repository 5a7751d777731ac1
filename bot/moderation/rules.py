"""Finding words of a list in a text, however they are disguised, but not inside innocent words. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from bot.errors import UserError
from bot.moderation.lookalikes import as_latin, plain

WORDS_MAX = 300
WORD_MAX = 60
STANDS_FOR = {
    "a": "a4@",
    "b": "b8",
    "c": "c(",
    "e": "e3€",
    "g": "g69",
    "i": "i1!|",
    "l": "l1|£",
    "o": "o0",
    "s": "s5$§",
    "t": "t7+",
    "z": "z2",
}
"""Digits and signs that are read as letters."""
_ALIKE = {ord(sign): "i" if letter == "l" else letter for letter, signs in STANDS_FOR.items() for sign in signs}
SIGNS: tuple[dict[int, str | None], ...] = (
    {**_ALIKE},
    {**_ALIKE, **dict.fromkeys(map(ord, "(!|+"))},
    {**_ALIKE, **dict.fromkeys(map(ord, "(!|+@$€£§"))},
)
"""How signs are read: all as letters, some as something between letters, all as that."""
INSIDE = r"(?:(?!['’´`])[^\w\s]|_){0,3}"
"""Signs between the letters of one word; an apostrophe makes another word: hell, he'll."""
LETTER = r"[^\W\d_]"
SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,5}[^\W_](?![^\W_]))+")
"""Letters that stand alone, one after the other."""
ARTICLES = "ai"
WITHOUT_SPACES = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})
"""Scripts, as the first word of a letter's Unicode name, whose words stand side by side."""


def tidy_words(text: str) -> tuple[str, ...]:
    """The words and phrases of a list with one on each line, each once; UserError about the first problem."""
    lines = list(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip()))
    if len(lines) > WORDS_MAX:
        raise UserError(f"The list takes up to {WORDS_MAX} lines; these are {len(lines)}. Please shorten it.")
    for number, line in enumerate(lines, start=1):
        if len(line) > WORD_MAX:
            raise UserError(f"Line {number} has {len(line)} characters; up to {WORD_MAX} are possible.")
        if len(plain(line).strip()) < 2 and line.isascii():
            raise UserError(f"Line {number} is a single letter, which would be in almost every text. Please remove it.")
    return tuple(lines)


def holds_word(words: Iterable[str], text: str) -> bool:
    """Whether one of the words or phrases stands in the text: as a word of its own, in whatever disguise.

    Letters inside a longer word do not count, so that Scunthorpe and Essex may be drawn.
    """
    return any(_stands(words, read(text), read) for read in (plain, as_latin))


def _stands(words: Iterable[str], seen: str, read: Callable[[str], str]) -> bool:
    """`seen` is the text as `read` reads it. Most words are ruled out by their letters alone, which is quick."""
    letters = [_letters(seen, signs) for signs in SIGNS]
    near = [word for word in words if _is_near(_letters_of(word, read), letters)]
    spelled = list(_spelled(seen)) if near else []
    for word in near:
        pattern = _pattern(word, read)
        if any(_is_read(found) for found in pattern.finditer(seen)) or any(map(pattern.fullmatch, spelled)):
            return True
    return False


def _is_near(word: str, letters: Iterable[str]) -> bool:
    """Also signs and pictures, which have no letters."""
    return not word or any(word in each for each in letters)


def _letters(seen: str, signs: dict[int, str | None]) -> str:
    """Letters and digits alone, each group of those that stand for one another as one of them."""
    return "".join(filter(str.isalnum, seen.translate(signs)))


@lru_cache(maxsize=4096)
def _letters_of(word: str, read: Callable[[str], str]) -> str:
    return _letters(read(word), SIGNS[-1])


def _is_read(found: re.Match[str]) -> bool:
    """A number is no word, nor is a part of one: 455 is not read as letters, t:1700 not as far as its second digit.

    Words of the list that have no letters are meant as they are.
    """
    if "exact" in found.re.groupindex:
        return True
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    is_cut = (found[0][0].isdigit() and before.isdigit()) or (found[0][-1].isdigit() and after.isdigit())
    return not is_cut and re.search(LETTER, found[0]) is not None


def _spelled(seen: str) -> Iterator[str]:
    """Words written letter by letter. Where wider gaps stand between the words, they divide them."""
    for found in SPELLED.finditer(seen):
        gaps = re.findall(r"[\W_]+", found[0])
        narrowest = min(map(len, gaps))
        for part in re.split(rf"[\W_]{{{narrowest + 1},}}", found[0]):
            word = re.sub(r"[\W_]", "", part)
            if sum(letter.isalpha() for letter in word) > 1:
                yield word
                if word[0] in ARTICLES:
                    yield word[1:]


@lru_cache(maxsize=4096)
def _pattern(word: str, read: Callable[[str], str]) -> re.Pattern[str]:
    seen = " ".join(read(word).split())
    is_lettered = re.search(LETTER, seen) is not None
    return re.compile(_word(seen) if is_lettered else f"(?P<exact>{_exact(seen)})")


def _word(word: str) -> str:
    inner = r"[\W_]*".join(INSIDE.join(map(_letter, part)) for part in word.split())
    begins = "" if _has_no_edges(word[0]) else rf"(?<!{LETTER})"
    ends = "" if _has_no_edges(word[-1]) else rf"(?!{LETTER})"
    return f"{begins}{inner}{ends}"


def _exact(word: str) -> str:
    """A number or a sign, which stands for itself."""
    quoted = re.escape(word)
    return rf"(?<!\w){quoted}(?!\w)" if word[0].isalnum() else quoted


def _letter(letter: str) -> str:
    return f"[{re.escape(STANDS_FOR.get(letter, letter))}]"


def _has_no_edges(letter: str) -> bool:
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0] in WITHOUT_SPACES
