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
BETWEEN = dict.fromkeys(map(ord, "(!|+@$€£§"), ".")
"""Signs as something that stands between letters."""
SIGNS: tuple[dict[int, str | None], ...] = (
    {**_ALIKE},
    {**_ALIKE, **dict.fromkeys(map(ord, "(|+"))},
    {**_ALIKE, **dict.fromkeys(map(ord, "(!|+"))},
    {**_ALIKE, **dict.fromkeys(BETWEEN)},
)
"""How signs are read: all as letters, some as something between letters, all as that."""
LETTER = r"[^\W\d_]"
SPELLED = re.compile(r"(?<![^\W_(!|+@$€£§])[^\W_](?:(?:[^\w(!|+@$€£§]|_)+[^\W_](?![^\W_(!|+@$€£§]))+")
"""Letters that stand alone, one after the other."""
LONG_RUN = re.compile(r"([^\W_]|[(!|+@$€£§])\1{3,}")
"""A letter or sign four times or more; three say the same: no word of a language has them."""
TWICE = re.compile(r"(.)\1+")
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
        seen = plain(line).strip()
        if not seen:
            raise UserError(f"Line {number} holds only characters that nobody can see. Please remove it.")
        if len(seen) < 2 and (seen.isascii() or seen.upper() != seen.lower()):
            raise UserError(f"Line {number} is a single letter, which would be in almost every text. Please remove it.")
    return tuple(lines)


def holds_word(words: Iterable[str], text: str) -> bool:
    """Whether one of the words or phrases stands in the text: as a word of its own, in whatever disguise.

    Letters inside a longer word do not count, so that Scunthorpe and Essex may be drawn. A letter may be repeated three
    times or more, but not twice: good is not god.
    """
    return any(_stands(words, LONG_RUN.sub(r"\1\1\1", read(text)), read) for read in (plain, as_latin))


def _stands(words: Iterable[str], seen: str, read: Callable[[str], str]) -> bool:
    """`seen` is the text as `read` reads it. Most words are ruled out by their letters alone, which is quick."""
    letters = [_letters(seen, signs) for signs in SIGNS]
    near = [word for word in words if _is_near(_letters_of(word, read), letters)]
    if not near:
        return False
    spans = [found.span() for found in SPELLED.finditer(seen)]
    texts = (seen, seen.translate(BETWEEN))
    spelled = [word for text in texts for word in _spelled(text)]
    for pattern in (_pattern(word, read) for word in near):
        if any(_is_read(found, spans) for text in texts for found in pattern.finditer(text)):
            return True
        if any(map(pattern.fullmatch, spelled)):
            return True
    return False


def _is_near(word: str, letters: Iterable[str]) -> bool:
    """Also signs and pictures, which have no letters."""
    return not word or any(word in each for each in letters)


def _letters(seen: str, signs: dict[int, str | None]) -> str:
    """Letters and digits alone, each once, each group of those that stand for one another as one of them."""
    return TWICE.sub(r"\1", "".join(filter(str.isalnum, seen.translate(signs))))


@lru_cache(maxsize=4096)
def _letters_of(word: str, read: Callable[[str], str]) -> str:
    return _letters(read(word), SIGNS[-1])


def _is_read(found: re.Match[str], spelled: Iterable[tuple[int, int]]) -> bool:
    """A number is no word, nor is a part of one: 455 is not read as letters, t:1700 not as far as its second digit.

    A part of what is spelled is none either, D.I.C.K.E.N.S.; words of the list without letters are meant as they are.
    """
    if "exact" in found.re.groupindex:
        return True
    begins, ends = found.span()
    if any(first <= begins and ends <= last for first, last in spelled):
        return False
    before, after = found.string[:begins][-1:], found.string[ends:][:1]
    is_cut = (found[0][0].isdigit() and before.isdigit()) or (found[0][-1].isdigit() and after.isdigit())
    return not is_cut and re.search(LETTER, found[0]) is not None


def _spelled(seen: str) -> Iterator[str]:
    """Words written letter by letter. Wider gaps, or else spaces, divide them."""
    for found in SPELLED.finditer(seen):
        narrowest = min(map(len, re.findall(r"[\W_]+", found[0])))
        for part in (*re.split(rf"[\W_]{{{narrowest + 1},}}", found[0]), *found[0].split()):
            word = LONG_RUN.sub(r"\1\1\1", re.sub(r"[\W_]", "", part))
            if sum(map(str.isalpha, word)) > any(map(str.isspace, part)):
                yield word
                if word[0] in ARTICLES:
                    yield word[1:]


@lru_cache(maxsize=4096)
def _pattern(word: str, read: Callable[[str], str]) -> re.Pattern[str]:
    seen = LONG_RUN.sub(r"\1\1\1", " ".join(read(word).split()))
    is_lettered = re.search(LETTER, seen) is not None
    return re.compile(_word(seen) if is_lettered else f"(?P<exact>{_exact(seen)})")


def _word(word: str) -> str:
    """No two ways lead through a text, so that no word and no text take long: a sign is a letter wherever it can be."""
    runs = [(part, run[0]) for part, of in enumerate(word.split()) for run in re.finditer(r"(.)\1*", of)]
    inner = ""
    for number, (part, run) in enumerate(runs):
        if number:
            is_new_part = part != runs[number - 1][0]
            inner += rf"(?:(?!{_letter(run[0])})[\W_])*" if is_new_part else _inside(run[0])
        inner += _run(run, number, is_last=number == len(runs) - 1)
    begins = "" if _has_no_edges(word[0]) else rf"(?<!{LETTER})"
    ends = "" if _has_no_edges(word[-1]) else rf"(?!{LETTER})"
    return f"{begins}{inner}{ends}"


def _inside(letter: str) -> str:
    """Signs before the next letter of one word; an apostrophe makes another word: hell, he'll."""
    return rf"(?:(?!['’´`]|{_letter(letter)})(?:[^\w\s]|_)){{0,3}}"


def _run(run: str, number: int, *, is_last: bool) -> str:
    """The same letter once or more, and how it is drawn out: not 1 and |, which may be the next letter as well."""
    letter = _letter(run[0])
    *others, last = [f"(?:{letter})"] * (len(run) - 1) + [f"(?P<r{number}>{letter})"]
    more = 2 if len(run) == 1 else 1
    ambiguous = r"[\d|]" if is_last else "[1|]"
    drawn_out = f"(?:(?!{ambiguous})(?P=r{number}){{{more}}})?"
    return rf"(?>{_inside(run[0]).join([*others, last])}{drawn_out})"


def _exact(word: str) -> str:
    """A number or a sign, which stands for itself."""
    quoted = re.escape(word)
    return rf"(?<!\w){quoted}(?!\w)" if word[0].isalnum() else quoted


def _letter(letter: str) -> str:
    return f"[{re.escape(STANDS_FOR.get(letter, letter))}]"


def _has_no_edges(letter: str) -> bool:
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0] in WITHOUT_SPACES
