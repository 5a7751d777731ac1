"""Whether a text says that somebody is younger than 18, however it is spelled. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from bot.errors import UserError
from bot.moderation.lookalikes import as_latin

ADULT: Final = 18
OLDEST: Final = 120
"""A larger number is no age but, for example, a year of birth, which says nothing without a date."""
VAGUE_UNTIL: Final = 21
"""“Under 21” may be anything; “under 30” is hardly said of a child."""
TOO_YOUNG = (
    "Darkroom trains only on photos of people who are 18 or older. If they are, please write the age in years, such as "
    "`25` or `early 30s`; for an animal or a thing, leave it out."
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")


def _spelled() -> dict[str, int]:
    """Every number up to 120 as one word, decades, and what is often written instead."""
    words = {word: number for number, word in enumerate(_UNITS)}
    words |= {word.replace("teen", "teenth"): number for word, number in words.items() if number > 12}
    words |= {word: number for number, word in enumerate(_ORDINALS, start=3)}
    for word, tens in _TENS.items():
        words |= {word: tens, f"{word.removesuffix('y')}ies": tens, f"{word}something": tens, f"{word}ish": tens}
        words |= {word + unit: tens + number for number, unit in enumerate(_UNITS[1:10], start=1)}
    low = {word: number for word, number in words.items() if number <= OLDEST - 100}
    words |= {"hundred": 100, "ahundred": 100, "onehundred": 100}
    words |= {f"{start}hundred{word}": 100 + number for word, number in low.items() for start in ("", "a", "one")}
    return words | {"fourty": 40, "eightteen": 18, "ninteen": 19, "twelfe": 12, "fiveteen": 15}


_NUMBERS: Final = _spelled()
_CERTAIN: Final = _words(
    "teen teens teenie teenager teenagers teenage teenaged tween tweens tweenager preteen preteens child children kid "
    "kids kiddo kiddie toddler toddlers infant infants newborn adolescent adolescents adolescence juvenile underage "
    "underaged schoolgirl schoolgirls schoolboy schoolboys schoolchild preschooler kindergarten kindergartner"
)
"""Said of the young alone, wherever it stands."""
_IN_AN_AGE: Final = _CERTAIN | _words(
    "minor minors baby babies babe boy boys girl girls lad lass youth youngster youngsters school preschool grader "
    "highschool highschooler schooler pupil little childhood teeny jr junior childlike"
)
"""Said of the young where an age is asked for."""
_MISSPELLED: Final = [word for word in (*_NUMBERS, *_CERTAIN, "minor") if 5 <= len(word) <= 12]
_MONTHS: Final = {"month": 12, "months": 12, "mo": 12, "mos": 12, "mth": 12, "mths": 12}
_WEEKS: Final = {"week": 52, "weeks": 52, "wk": 52, "wks": 52, "day": 365, "days": 365}
_SMALLER: Final = _MONTHS | _WEEKS | dict.fromkeys(("hours", "hour", "minutes"), 8766)
_YEARS: Final = frozenset(
    {"y", "yr", "yrs", "yo", "yos", "yro", "year", "years", "yearold", "yearsold", "old", "jahre"}
)
_BELOW: Final = _words("under below less younger sub u beneath until max most till up smaller <")
_NOT_YET: Final = _words(
    "almost nearly near soon turning turns turn tomorrow before not yet no non isnt approaching coming becoming going "
    "about around roughly approximately approx maybe circa ca next close pre ish ~"
)
_NEGATIONS: Final = frozenset({"not", "no", "non", "isnt", "never", "longer", "nolonger"})
_FILLERS: Final = frozenset({"a", "an", "any", "age", "aged", "is", "im", "am", "of", "the", "in", "her", "his", "and"})
_ROMAN: Final = re.compile(r"(?=[ivxlc])(c?)(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_ROMAN_VALUES: Final = {"c": 100, "xc": 90, "xl": 40, "l": 50, "x": 10, "ix": 9, "iv": 4, "v": 5, "i": 1}
_SIGNS: Final = str.maketrans("бμ!|$@", "6miisa")
_AS_LETTERS: Final = str.maketrans("0134578", "oieastb")
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
    """Whether an answer to “how old?” names a number below 18, or a word for the young."""
    plain = _plain(text)
    tokens = _tokens(plain)
    if _has_word(tokens, _IN_AN_AGE) or re.search(r"(^|\s)-\s*1?\d\b|\b18\s*-\s*$", plain):
        return True
    roman = _roman([token for token in tokens if token not in _FILLERS | _YEARS])
    numbers = list(_numbers(tokens))
    if roman is not None:
        numbers.append((roman, 0, 0))
    has_years = any(tokens[end : end + 1] and tokens[end] in _YEARS for _, _, end in numbers)
    return any(_is_young(tokens, *each, has_years=has_years) for each in numbers) or _says_not_adult(tokens)


def mentions_minor(text: str) -> bool:
    """Whether a text about something else says so: a word for the young, or a number below 18 with “years”, “aged” …"""
    tokens = _tokens(_plain(text))
    if _has_word(tokens, _CERTAIN):
        return True
    for number, start, end in _numbers(tokens):
        before, after = tokens[max(0, start - 2) : start], tokens[end : end + 1]
        is_age = bool({"age", "aged", "ages"} & set(before)) or bool(after and after[0] in _YEARS | set(_SMALLER))
        if is_age and _is_young(tokens, number, start, end, has_years=False):
            return True
    return False


def _plain(text: str) -> str:
    """Lower case, Latin letters and digits, without accents and what cannot be seen."""
    apart = "".join(f" {each} " if "VULGAR FRACTION" in unicodedata.name(each, "") else each for each in text)
    seen = (each for each in as_latin(apart) if unicodedata.category(each) != "Cc")
    digits = "".join(str(unicodedata.decimal(each, each)) for each in seen)
    return re.sub(r"[‐-―−]", "-", digits.translate(_SIGNS)).replace("'", "").replace("’", "")


def _tokens(plain: str) -> list[str]:
    """Numbers, words and the signs that compare; letters set apart become a word, digits within one letters."""
    within = re.sub(r"[a-z]+\d+[a-z]+", lambda found: found[0].translate(_AS_LETTERS), plain)
    joined = re.sub(r"\b[a-z](?:[^a-z0-9]{1,2}[a-z]\b){2,}", lambda found: re.sub(r"[^a-z]", "", found[0]), within)
    slashed = re.sub(r"\by\s*/\s*o\b|\by\.\s*o\b", "yo", joined)
    return _TOKEN.findall(slashed)


def _numbers(tokens: Sequence[str]) -> Iterator[tuple[float, int, int]]:
    """(number, first token, end) of each; words that belong together are one number."""
    start = 0
    while start < len(tokens):
        if tokens[start][0].isdigit():
            yield float(tokens[start].replace(",", ".")), start, start + 1
            start += 1
            continue
        for end in range(min(start + 4, len(tokens)), start, -1):
            word = "".join(each for each in tokens[start:end] if each != "and")
            found = _NUMBERS.get(_corrected(word) if end == start + 1 else word)
            if found is not None:
                yield found, start, end
                start = end
                break
        else:
            start += 1


def _is_young(tokens: Sequence[str], number: float, start: int, end: int, *, has_years: bool) -> bool:
    after = tokens[end] if end < len(tokens) else ""
    if after in _SMALLER:
        return not has_years and number / _SMALLER[after] < ADULT
    if number < ADULT or number > OLDEST:
        return True
    near = {*tokens[max(0, start - 4) : start], *tokens[end : end + 4]}
    if near & _BELOW:
        return number <= VAGUE_UNTIL and not near & {"not", "no"}
    return number < ADULT + 1 and bool(near & _NOT_YET)


def _has_word(tokens: Sequence[str], words: frozenset[str]) -> bool:
    """One of these words that no “not a …” stands before."""
    for index, word in enumerate(tokens):
        pair = "".join(tokens[index : index + 2])
        if (_corrected(word) in words or pair in words) and not set(tokens[max(0, index - 2) : index]) & _NEGATIONS:
            return True
    return False


def _says_not_adult(tokens: Sequence[str]) -> bool:
    adult = [index for index, token in enumerate(tokens) if token in {"adult", "grownup", "grown", "legal"}]
    before = [token for index in adult for token in tokens[max(0, index - 2) : index]]
    return bool(set(before) & (_NOT_YET - {"about", "around", "maybe"}))


def _corrected(word: str) -> str:
    """The word it is a misspelling of, with one letter wrong, twice, missing or too many; else the word itself."""
    if word in _NUMBERS or word in _IN_AN_AGE or len(word) < 5:
        return word
    squeezed = _squeezed(word)
    return next((each for each in _MISSPELLED if _squeezed(each) == squeezed or _is_close(word, each)), word)


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
