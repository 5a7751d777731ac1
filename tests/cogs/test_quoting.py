"""Names in bold and texts in quotation marks: whatever people type, they are one run of plain words."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simcord.preview._markdown import markdown_tokens

from bot.text import cite, code, quote
from cogs.ui.words import shorten
from tests.cogs.hostile_texts import MARK, SAMPLES
from tests.cogs.markdown import alive, live_text, shapes
from tests.cogs.walk.payloads import INJECTIONS

ACTIVE = st.lists(
    st.sampled_from([*"\\*_~`|<>[]()#-+.:@/&!1\n ", "@everyone", "https://", "discord.gg/a", "Fox", "é", *SAMPLES])
).map("".join)
TYPED = ACTIVE | st.text()
WORDS = (
    st.text("abc \\*_~`|<>[]()#-+.,:@/&!?'\"19éж狐🦊", min_size=1, max_size=40)
    .map(str.split)
    .map(" ".join)
    .filter(bool)
)
BREAK = "\u200b"


def read(text: str) -> str:
    """What a reader sees of a bold text that is nothing but words."""
    (paragraph,) = markdown_tokens(text, "text_display", context={"everyone": True})
    (line,) = paragraph["children"]
    opening, *words, closing = [each for each in line["children"] if each.get("content") != ""]
    assert (opening["type"], closing["type"]) == ("strong_open", "strong_close"), text
    assert {each["type"] for each in words} == {"text"}, text
    return "".join(each["content"] for each in words).replace(BREAK, "")


@given(TYPED)
def test_a_name_is_one_bold_run_and_no_more(typed: str) -> None:
    shown = quote(typed)
    assert [kind for kind, _ in shapes(shown)] == ["bold"]
    assert len(read(shown)) <= 100
    hidden = {each for each in shown if unicodedata.category(each) in {"Cc", "Zl", "Zp", "Cs"}}
    assert not hidden | set(shown) & set(
        "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u00ad"
    )


@given(TYPED, st.integers(1, 300))
def test_a_text_is_words_in_quotation_marks_and_no_more(typed: str, limit: int) -> None:
    shown = cite(typed, limit)
    assert shapes(shown) == []
    assert len(shown) <= limit + 2
    assert read(f"**{shown}**")[0] == "“"


@given(WORDS)
def test_every_letter_and_sign_of_a_name_can_be_read(typed: str) -> None:
    assert read(quote(typed)) == typed
    assert read(f"**{cite(typed, 400)}**") == f"“{typed}”"


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_hostile_name_is_inert_wherever_it_stands(sample: str) -> None:
    for shown in (quote(sample), cite(sample, 200)):
        for line in (
            shown,
            f"### {shown} is ready",
            f"1. {shown} · 2. {shown}",
            f"- {shown}: x\n{shown}",
            f"> {shown}",
        ):
            assert alive(line) == []
            assert MARK in line


def test_not_one_of_all_payloads_comes_alive() -> None:
    """Mutants: the colon, the at sign or the backslash is not escaped; the text is not broken inside "://"."""
    assert len(INJECTIONS) > 300
    assert [payload for payload in INJECTIONS if alive(quote(payload)) or alive(cite(payload, 200))] == []
    assert sum(bool(alive(payload)) for payload in INJECTIONS) > 0.6 * len(INJECTIONS)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Foxy", "**Foxy**"),
        ("photo-1_a.jpg", r"**photo-1\_a.jpg**"),
        ("30. photo.jpg", r"**30\. photo.jpg**"),
        ("# Fox", r"**\# Fox**"),
        ("-# Fox", r"**\-# Fox**"),
        ("T-Rex #2", "**T-Rex #2**"),
        ("Rock & Roll: live", "**Rock & Roll: live**"),
        (":fox:", r"**\:fox:**"),
        ("a\\", r"**a\\**"),
        ("@everyone", "**\\@\u200beveryone**"),
        ("https://a.example", "**https\\:\u200b\\/\\/a.example**"),
        ("\u202eevil\u2066 \u200bname\u00ad", "**evil name**"),
        ("two\r\nlines\u2028three", "**two lines three**"),
        ("👩\u200d🚀 ❤️ می\u200cخواهم", "**👩\u200d🚀 ❤️ می\u200cخواهم**"),
        ("\u200d\u3164\ufe0f", "**…**"),
        ("", "**…**"),
    ],
)
def test_what_is_sent_of_a_name(typed: str, shown: str) -> None:
    assert quote(typed) == shown


def test_a_limit_counts_what_is_read_of_a_name_and_what_is_sent_of_a_text() -> None:
    assert quote("*" * 40, 40) == "**" + r"\*" * 40 + "**"
    assert quote("abcdef", 4) == "**abc…**"
    assert cite("*" * 40, 40) == "“" + r"\*" * 19 + "…”"
    assert cite("abc def", 5) == "“abc…”"


def test_an_exact_word_stays_a_code_span() -> None:
    assert code("HCK_XOD") == "`HCK_XOD`"
    assert code("a`b\n@everyone") == "`aˋb @everyone`"
    assert code("abcdef", 4) == "`abc…`"


@given(TYPED, st.integers(20, 200))
@example("\\", 44).via("A backslash in a code span escapes nothing.")
@example("**", 60)
def test_a_sentence_that_is_cut_ends_its_bold_text_there(typed: str, limit: int) -> None:
    """Mutant: cut by its length alone, it leaves two asterisks or a backslash that take in the words after it."""
    cut = shorten(f"Refused {quote(typed)}, which said {cite(typed, 60)} of {code(typed)}. " * 2, limit)
    assert len(cut) <= limit
    assert {kind for kind, _ in shapes(f"{cut} · **3** credits")} <= {"bold"}
    assert live_text(cut).count("**") % 2 == 0
    assert "`" not in live_text(cut)
