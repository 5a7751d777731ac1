"""Finding a name by what somebody types, with the names that LoRAs and styles have; times in words."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import bare, cite, code, lasting, named, quote, search

LORAS = [
    "Rex the dog", "Golden Retriever", "Grandma's kitchen", "Anna", "Goldie the cat", "Old town", "Dog park",
    "Blue Volvo 240", "Café Müller", "Max", "Cleo and Ben", "T-Rex plush", "Lake house", "My bike",
]  # fmt: skip
STYLES = [
    "Arctic Light", "Analog film 35mm", "Anime", "Charcoal", "Cinematic", "Claymation", "Comic book", "Cyberpunk city",
    "Deep Sea", "Film noir", "Golden hour", "Ink & Paper", "Isometric", "Line art", "Low poly", "Neon Alley", "Oil",
    "Paper cut-out", "Pixel art", "Polaroid", "Pop art", "Punk poster", "Snow Globe", "Starlit", "Steampunk", "Ukiyo-e",
    "Vaporwave", "Vintage postcard", "Watercolour sketch", "Woodcut",
]  # fmt: skip


def found(text: str, among: list[str]) -> list[str]:
    return search(text, among, str)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("golden", "Golden hour"),
        ("goldn", "Golden hour"),
        ("godlen", "Golden hour"),
        ("cyber punk", "Cyberpunk city"),
        ("analogue", "Analog film 35mm"),
        ("35 mm", "Analog film 35mm"),
        ("film analog", "Analog film 35mm"),
        ("watercolor", "Watercolour sketch"),
        ("flim noir", "Film noir"),
        ("pap ink", "Ink & Paper"),
        ("ukiyo e", "Ukiyo-e"),
        ("vprwv", "Vaporwave"),
    ],
)
def test_a_style_is_found_first_however_it_is_spelled(text: str, wanted: str) -> None:
    assert found(text, STYLES)[0] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("golden", "Golden Retriever"),
        ("goldn", "Golden Retriever"),
        ("godlen", "Golden Retriever"),
        ("retriever goldn", "Golden Retriever"),
        ("rex dog", "Rex the dog"),
        ("trex", "T-Rex plush"),
        ("CAFE muller", "Café Müller"),
        ("grandmas", "Grandma's kitchen"),
    ],
)
def test_a_lora_is_found_first_however_it_is_spelled(text: str, wanted: str) -> None:
    assert found(text, LORAS)[0] == wanted


def test_what_is_spelled_otherwise_altogether_is_not_offered() -> None:
    assert found("zebra", [*LORAS, *STYLES]) == []
    assert found("analogue", ["A", "An", "Log"]) == []
    assert found("rex", LORAS) == ["Rex the dog", "T-Rex plush"]


def test_a_beginning_comes_first_then_words_then_parts_then_near_misses() -> None:
    names = ["Holden", "A golden day", "Ungolden", "The long day", "Golden hour", "Golden"]
    assert found("golden", names) == ["Golden hour", "Golden", "A golden day", "Ungolden", "Holden"]


def test_a_text_in_the_description_counts_as_the_middle_of_a_name() -> None:
    about = {"Ink": "drawn with a brush", "Brushes": "", "Airbrush": "", "Brash": "", "Oil": ""}
    assert search("BRUSH", about, str, about.__getitem__) == ["Brushes", "Ink", "Airbrush", "Brash"]


NAME = st.text("abcR xé-", max_size=8)


@given(NAME, st.lists(NAME, max_size=8))
def test_an_empty_text_keeps_the_order_and_a_text_that_is_held_is_always_found(text: str, names: list[str]) -> None:
    assert found(" ", names) == names
    wanted = text.strip().casefold()
    begin = [name for name in names if name.casefold().startswith(wanted)]
    offered = found(text, names)
    assert [name for name in offered if name.casefold().startswith(wanted)] == begin
    assert {name for name in names if wanted in name.casefold()} <= set(offered) <= set(names)


@given(st.text(max_size=12), st.lists(st.text(max_size=30), max_size=5))
def test_no_text_and_no_name_is_too_strange(text: str, names: list[str]) -> None:
    offered = found(text, [*names, text])
    assert text in offered
    assert len(offered) <= len(names) + 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("fox", ["Fox"]),
        (" FOX ", ["Fox"]),
        ("🦊 fox", ["🦊 Fox"]),
        ("🐺 fox", ["Fox", "🦊 Fox"]),
        ("old   town", ["Old town 🏘️"]),
        ("straße", ["Strasse"]),
        ("thumbs", ["👍🏽 Thumbs"]),
        ("one", ["⭐ One"]),
        ("🔥", ["🔥"]),
        ("", []),
        ("🌈", []),
        ("fo", []),
    ],
)
def test_a_name_is_found_whatever_its_case_and_without_its_emoji(text: str, wanted: list[str]) -> None:
    among = ["Fox", "🦊 Fox", "Old town 🏘️", "Strasse", "👍🏽 Thumbs", "⭐ One", "🔥"]
    assert named(text, among, lambda name: [name]) == wanted


def test_any_of_several_names_will_do() -> None:
    assert named("V2", [("Rex", "v2"), ("Max", "v1")], lambda names: names) == [("Rex", "v2")]


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (1, "1 hour"),
        (24, "24 hours"),
        (72, "72 hours"),
        (96, "4 days"),
        (100, "100 hours"),
        (168, "7 days"),
        (24 * 365, "365 days"),
        (0.5, "30 minutes"),
        (1 / 60, "1 minute"),
    ],
)
def test_a_length_of_time_in_words(hours: float, words: str) -> None:
    assert lasting(timedelta(hours=hours)) == words


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        (f"Apiframe no longer has the LoRA {quote('Rex_2')}.", "Apiframe no longer has the LoRA Rex_2."),
        (
            f"Apiframe said: {cite('1. see https://a.example/x_y', 100)}",
            "Apiframe said: “1. see https://a.example/x_y”",
        ),
        (f"Press *Start training*, or send {code('/train')}.", "Press Start training, or send /train."),
        ("Apiframe id 0c4_7a, request a\\b", "Apiframe id 0c4_7a, request a\\b"),
    ],
)
def test_a_sentence_reads_well_where_markdown_is_not_read(sentence: str, read: str) -> None:
    assert bare(sentence) == read


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_quoted_words_are_as_they_were_where_markdown_is_not_read(text: str) -> None:
    words = " ".join(text.split()) or "…"
    assert bare(quote(text, 10_000)) == words
    assert bare(cite(text, 10_000)) == f"“{words}”"
