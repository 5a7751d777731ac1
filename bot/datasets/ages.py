"""Whether a text says that somebody is younger than 18, however it is spelled. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from bot.datasets.age_words import (
    ADULTS,
    AND,
    BELOW,
    CERTAIN,
    COUNTED_IN,
    ENDINGS,
    FILLERS,
    IN_AN_AGE,
    MISSPELLED,
    NEGATIONS,
    NOT_BELOW,
    NOT_YET,
    NUMBERS,
    OLDER,
    SMALLER,
    UNSAID,
    YEARS,
)
from bot.errors import UserError
from bot.moderation.lookalikes import as_latin

ADULT: Final = 18
OLDEST: Final = 120
"""A larger number is no age; it may be a year of birth."""
BORN: Final = range(1900, 2008)
"""Years of birth of people who were 18 before 2026; of later ones the year alone says too little."""
VAGUE_UNTIL: Final = 21
"""“Under 21” may be anything; “under 30” is hardly said of a child."""
TOO_YOUNG = (
    "Darkroom trains only on photos of people who are 18 or older. If they are, please write the age in years, such as "
    "`25` or `early 30s`; for an animal or a thing, leave it out."
)


_ROMAN: Final = re.compile(r"(?=[ivxlc])(c?)(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_ROMAN_VALUES: Final = {"c": 100, "xc": 90, "xl": 40, "l": 50, "x": 10, "ix": 9, "iv": 4, "v": 5, "i": 1}
_SIGNS: Final = str.maketrans("бμ!|$@", "6miisa")
_AS_LETTERS: Final = str.maketrans("0134578", "oieastb")
_DATE: Final = re.compile(r"\b(?:(\d{4})[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](\d{4}))\b")
_MIXED: Final = re.compile(r"(\d)\s+\d+\s*[/⁄]\s*\d+")
"""A whole number and a fraction, such as 17 1/2."""
_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+|[<>≤≥+~]")


def check_age(text: str | None) -> None:
    """UserError when this answer to “how old?” says, or may say, less than 18."""
    if text is not None and is_below_18(text):
        raise UserError(TOO_YOUNG)


def check_words(text: str | None) -> None:
    """UserError when somewhere in this text a person is said to be younger than 18."""
    if text is not None and mentions_minor(text):
        raise UserError(TOO_YOUNG)


def is_below_18(text: str) -> bool:
    """Whether an answer to “how old?” is below 18, or may be: a word that is not known may say so in its language."""
    plain = _plain(text)
    tokens = _tokens(plain)
    if (
        _has_word(tokens, IN_AN_AGE)
        or any(map(_is_other_number, plain))
        or re.search(r"(^|\s)-\s*1?\d\b|\b18\s*-\s*$", plain)
    ):
        return True
    roman = _roman([token for token in tokens if token not in FILLERS | YEARS])
    numbers = list(_numbers(tokens))
    if roman is not None:
        numbers.append((roman, 0, 0))
    if not numbers and (COUNTED_IN & set(tokens) or not _is_understood(text, tokens)):
        return True
    has_years = any(tokens[end : end + 1] and tokens[end] in YEARS for _, _, end in numbers)
    return any(_is_young(tokens, *each, has_years=has_years) for each in numbers) or _says_not_adult(tokens)


def mentions_minor(text: str) -> bool:
    """Whether a text about something else says so: a word for the young, or a number below 18 with “years”, “aged” …"""
    tokens = _tokens(_plain(text))
    if _has_word(tokens, CERTAIN):
        return True
    for number, start, end in _numbers(tokens):
        before, after = tokens[max(0, start - 2) : start], tokens[end : end + 1]
        is_age = bool({"age", "aged", "ages"} & set(before)) or bool(after and after[0] in YEARS | set(SMALLER))
        if is_age and _is_young(tokens, number, start, end, has_years=False):
            return True
    return False


def _plain(text: str) -> str:
    """Lower case, Latin letters and digits, without accents and what cannot be seen."""
    german = text.replace("ß", "ss").replace("ẞ", "ss")
    apart = "".join(f" {each} " if "VULGAR FRACTION" in unicodedata.name(each, "") else each for each in german)
    seen = (each for each in as_latin(apart) if unicodedata.category(each) != "Cc")
    digits = "".join(str(unicodedata.decimal(each, each)) for each in seen)
    text = re.sub(r"[‐-―−]", "-", digits.translate(_SIGNS)).replace("'", "").replace("’", "")
    return _MIXED.sub(r"\1", _DATE.sub(lambda found: f" {found[1] or found[2]} ", text))


def _is_other_number(character: str) -> bool:
    """A numeral that no digit stands for, such as the Chinese ones."""
    return not character.isdecimal() and unicodedata.numeric(character, None) is not None


def _is_understood(text: str, tokens: Sequence[str]) -> bool:
    """Of an answer without a number: it says that somebody is grown up, or nothing at all."""
    if any(map(_is_other_letter, unicodedata.normalize("NFKC", text))):
        return False
    words = set(_with_pairs([_corrected(token) for token in tokens]))
    return not any(map(str.isalnum, text)) or bool(words & (ADULTS | OLDER | UNSAID | IN_AN_AGE))


def _is_other_letter(character: str) -> bool:
    """Of a script in which nothing is understood."""
    return character.isalpha() and not unicodedata.name(character, "").startswith("LATIN")


def _tokens(plain: str) -> list[str]:
    """Numbers, words and the signs that compare; letters set apart become a word, digits within one letters."""
    within = re.sub(r"[a-z]+\d+[a-z]+", lambda found: found[0].translate(_AS_LETTERS), plain)
    joined = re.sub(r"\b[a-z](?:[^a-z0-9]{1,2}[a-z]\b){2,}", lambda found: re.sub(r"[^a-z]", "", found[0]), within)
    slashed = re.sub(r"\by\s*/\s*o\b|\by\.\s*o\b", "yo", joined)
    return [part for token in _TOKEN.findall(slashed) for part in _apart(token)]


def _apart(token: str) -> tuple[str, ...]:
    """“sixteenish” as “sixteen” and “ish”."""
    if token in NUMBERS:
        return (token,)
    stems = ((token.removesuffix(ending), ending) for ending in ENDINGS if token.endswith(ending))
    return next((parts for parts in stems if parts[0] in NUMBERS), (token,))


def _numbers(tokens: Sequence[str]) -> Iterator[tuple[float, int, int]]:
    """(number, first token, end) of each; words that belong together are one number."""
    start = 0
    while start < len(tokens):
        if tokens[start][0].isdigit():
            yield float(tokens[start].replace(",", ".")), start, start + 1
            start += 1
            continue
        for end in range(min(start + 4, len(tokens)), start, -1):
            word = "".join(each for each in tokens[start:end] if each not in AND)
            found = NUMBERS.get(_corrected(word) if end == start + 1 else word)
            if found is not None:
                yield found, start, end
                start = end
                break
        else:
            start += 1


def _is_young(tokens: Sequence[str], number: float, start: int, end: int, *, has_years: bool) -> bool:
    after = tokens[end] if end < len(tokens) else ""
    if after in SMALLER:
        return not has_years and number / SMALLER[after] < ADULT
    if number < ADULT or number > OLDEST:
        return number not in BORN
    near = {*_with_pairs(tokens[max(0, start - 4) : start]), *_with_pairs(tokens[end : end + 4])}
    if near & BELOW:
        return number <= VAGUE_UNTIL and not near & NOT_BELOW
    return number < ADULT + 1 and bool(near & NOT_YET)


def _with_pairs(tokens: Sequence[str]) -> list[str]:
    return [*tokens, *map("".join, pairwise(tokens))]


def _has_word(tokens: Sequence[str], words: frozenset[str]) -> bool:
    """One of these words that no “not a …” stands before."""
    for index, word in enumerate(tokens):
        pair = "".join(tokens[index : index + 2])
        if (_corrected(word) in words or pair in words) and not set(tokens[max(0, index - 2) : index]) & NEGATIONS:
            return True
    return False


def _says_not_adult(tokens: Sequence[str]) -> bool:
    adult = [index for index, token in enumerate(tokens) if token in ADULTS | OLDER]
    before = [token for index in adult for token in tokens[max(0, index - 2) : index]]
    return bool(set(before) & (NOT_YET - {"about", "around", "maybe"} | NEGATIONS))


def _corrected(word: str) -> str:
    """The word it is a misspelling of, with one letter wrong, twice, missing or too many; else the word itself."""
    if word in NUMBERS or word in IN_AN_AGE or len(word) < 5:
        return word
    squeezed = _squeezed(word)
    return next((each for each in MISSPELLED if _squeezed(each) == squeezed or _is_close(word, each)), word)


def _squeezed(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def _is_close(word: str, right: str) -> bool:
    """Of six letters or more: one missing, one too many, or two changed over."""
    if min(len(word), len(right)) < 6 or word[0] != right[0]:
        return False
    if len(word) == len(right):
        differ = [index for index in range(len(word)) if word[index] != right[index]]
        first = differ[0]
        swapped = word[:first] + word[first : first + 2][::-1] + word[first + 2 :]
        return len(differ) == 2 and swapped == right
    longer, shorter = (word, right) if len(word) > len(right) else (right, word)
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))


def _roman(tokens: Sequence[str]) -> int | None:
    """The value when the whole answer is one Roman number."""
    if len(tokens) != 1 or not _ROMAN.fullmatch(tokens[0]):
        return None
    parts = re.findall("xc|xl|ix|iv|[clxvi]", tokens[0])
    return sum(_ROMAN_VALUES[part] for part in parts)
