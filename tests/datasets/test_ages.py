"""Ages in every spelling: who is younger than 18 is refused, everybody else is not asked twice."""

from dataclasses import replace

import pytest

from bot.datasets.ages import is_below_18, mentions_minor
from bot.datasets.rules import DatasetOrder, check_order
from bot.errors import UserError
from bot.events.drafts import check_event
from bot.events.photos.rules import check_person
from bot.records.dataset import Gender, SubjectKind
from bot.records.event import EventMode
from tests.fakes.events import make_event

REFUSED = (
    "12",
    "0",
    "1",
    "5",
    "9",
    "17",
    "17.5",
    "17,9",
    "１７",
    "17 y/o",
    "17yo",
    "17 yo",
    "age 5",
    "aged 12",
    "age: 16",
    "17 years old",
    "17-year-old",
    "teen",
    "Teenager",
    "TEENS",
    "late teens",
    "pre-teen",
    "tween",
    "minor",
    "a minor",
    "seventeen",
    "Seventeen",
    "seven teen",
    "seven-teen",
    "s e v e n t e e n",
    "t.w.e.l.v.e",
    "sevente en",
    "seventeeeen",
    "seventen",
    "twelve",
    "tw3lve",
    "t33n",
    "m1nor",
    "ch1ld",
    "1 7",
    "1-7",
    "XVII",
    "xii",
    "Ⅻ",
    "ⅩⅦ",
    "⑰",
    "𝟏𝟕",
    "١٧",
    "१२",
    "17+",
    "over 16",
    "under 18",
    "below 18",
    "<18",
    "< 18",
    "younger than 18",
    "not 18",
    "not yet 18",
    "almost 18",
    "nearly eighteen",
    "soon 18",
    "turning 18 next week",
    "18 next month",
    "-18",
    "18-",
    "u18",
    "16-20",
    "17 to 25",
    "16 or 17",
    "child",
    "kid",
    "kids",
    "little girl",
    "young boy",
    "baby",
    "toddler",
    "infant",
    "newborn",
    "underage",
    "under age",
    "under-aged",
    "not an adult",
    "non-adult",
    "high school",
    "highschooler",
    "8th grade",
    "schoolgirl",
    "school boy",
    "18 months",
    "24 months old",
    "36 weeks",
    "6 mo",
    "one seven",
    "ｔｅｅｎ",
    "tееn",
    "s\u200beventeen",
    "1\u200b7",
    "mínor",
    "ten",
    "ten years",
    "four",
    "fourteenth birthday",
    "twelfth",
    "born 2012",
    "2012",
    "10s",
    "13 going on 30",
    "17½",
    "l7",
    "i7",
    "17f",
    "f17",
    "25 (looks 17)",
    "about 18",
    "18ish",
    "~18",
    "up to 18",
    "18 or younger",
    "at most 18",
    "under twenty",
    "juvenile",
    "adolescent",
    "fifteen and a half",
    "1O",
    "eighteen minus one",
    "m-i-n-o-r",
    "T E E N",
    "thirten",
    "sxiteen",
    "half of thirty, 15",
    "not quite eighteen",
    "below the age of eighteen",
    "just seventeen years young",
    "sub-18",
    "not legal",
    "eighteen soon",
    "216 days",
    "XVI years old",
    "6 1/2",
)
ACCEPTED = (
    "18",
    "18+",
    "19",
    "25",
    "30",
    "99",
    "100",
    "104",
    "120",
    "１８",
    "２５",
    "18 y/o",
    "25yo",
    "25 yo",
    "age 25",
    "aged 40",
    "age: 33",
    "25 years old",
    "25-year-old",
    "adult",
    "Adult",
    "an adult",
    "young adult",
    "adults",
    "grown-up",
    "middle aged",
    "middle-aged",
    "senior",
    "elderly",
    "early 30s",
    "early 30's",
    "late 20s",
    "mid-30s",
    "mid 40s",
    "30s",
    "20s",
    "20-something",
    "twenties",
    "late twenties",
    "early-thirties",
    "in her fifties",
    "in my forties",
    "thirty something",
    "fifty-something",
    "eighteen",
    "nineteen",
    "twenty",
    "twenty-one",
    "twenty one",
    "twentyfive",
    "thirty",
    "thirty-seven",
    "forty-two",
    "fourty",
    "sixty-five",
    "seventy",
    "ninety-nine",
    "one hundred",
    "one hundred and four",
    "hundred",
    "over 18",
    "18 or older",
    "18 and over",
    "at least 18",
    "older than 20",
    "over 21",
    ">18",
    "21+",
    "30 to 35",
    "30-35",
    "25/26",
    "around 40",
    "about 30",
    "40ish",
    "~35",
    "ca. 50",
    "under 30",
    "under 40",
    "25.5",
    "30,5",
    "XXV",
    "XL",
    "lx",
    "xviii",
    "25f",
    "f25",
    "35m",
    "not a minor",
    "no longer a teen",
    "not a teenager",
    "216 months",
    "300 months",
    "18 years 3 months",
    "retired",
    "pensioner",
    "old",
    "unknown",
    "ageless",
    "n/a",
    "of age",
    "legal adult",
    "not under 18",
    "no younger than 18",
    "eighty four",
    "mid fifties",
    "over fifty",
    "I am 25",
    "I'm 40 years old",
    "nineteen years old",
    "a woman of 45",
    "eightteen",
    "adult (30)",
    "student, 22",
    "20 years",
    "married, 31",
)
ELSEWHERE = (
    "White",
    "Black",
    "East Asian",
    "Mixed, half Thai",
    "Hispanic/Latino",
    "1/4 Cherokee",
    "Asia Minor",
    "50% Irish",
    "third generation Korean",
    "Afro-Caribbean",
    "Indian, 25 years old",
)
MINORS_ELSEWHERE = (
    "Asian, 12 years old",
    "white teen",
    "Black, aged 15",
    "mixed (17yo)",
    "Irish kid",
    "Thai, seventeen years",
    "age 9 latina",
    "underage",
    "Asian, \uff11\uff17 y/o",
)
PERSON = DatasetOrder("Rex", SubjectKind.PERSON, Gender.MALE, "Mixed")
EVENT = make_event(mode=EventMode.PERSONAL, subject_kind=SubjectKind.PERSON, photo_cap=20)


def test_the_tables_are_long_enough_and_apart() -> None:
    assert (len(set(REFUSED)), len(set(ACCEPTED))) >= (60, 60)
    assert set(REFUSED).isdisjoint(ACCEPTED)


@pytest.mark.parametrize("age", REFUSED)
def test_an_age_below_18_is_refused_in_every_spelling(age: str) -> None:
    assert is_below_18(age)
    assert is_below_18(f"  {age} ")


@pytest.mark.parametrize("age", ACCEPTED)
def test_every_other_age_passes(age: str) -> None:
    assert not is_below_18(age)


@pytest.mark.parametrize("number", range(131))
def test_every_number_is_on_its_side(number: int) -> None:
    for said in (str(number), f"{number} years old", f"age {number}", f"{number}yo"):
        assert is_below_18(said) == (not 18 <= number <= 120)


@pytest.mark.parametrize("kind", SubjectKind)
def test_an_order_is_refused_with_one_sentence_whatever_is_trained(kind: SubjectKind) -> None:
    order = replace(PERSON, subject_kind=kind, age="sev\u0435nteen")
    with pytest.raises(UserError, match="18 or older") as refusal:
        check_order(order)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("words", ELSEWHERE)
def test_words_about_something_else_pass(words: str) -> None:
    assert not mentions_minor(words)
    check_order(replace(PERSON, ethnicity=words))
    check_person(EVENT, Gender.MALE, words)


@pytest.mark.parametrize("words", MINORS_ELSEWHERE)
def test_an_age_said_among_other_words_is_refused_in_trainings_and_events(words: str) -> None:
    with pytest.raises(UserError, match="18 or older"):
        check_order(replace(PERSON, ethnicity=words))
    with pytest.raises(UserError, match="18 or older"):
        check_person(EVENT, Gender.MALE, words)
    with pytest.raises(UserError, match="18 or older"):
        check_event(replace(EVENT, theme=words))
    with pytest.raises(UserError, match="18 or older"):
        check_event(replace(EVENT, name=words))


def test_an_event_without_people_may_speak_of_ages() -> None:
    check_event(replace(EVENT, subject_kind=SubjectKind.OBJECT, theme="Our dog, 12 years old"))
