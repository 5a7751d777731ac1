"""The rules of prompts, trigger words and seeds."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.generation.capabilities import SEED_MAX
from bot.generation.prompt import (
    FIRST_PROMPTS,
    check_prompt,
    for_people,
    with_new_seed,
    with_seed,
    with_trigger_word,
)
from bot.moderation.texts import is_explicit
from bot.records.dataset import SubjectKind
from bot.records.generation import GenerationSettings
from bot.records.key import ProviderName
from bot.records.lora import Lora

PROMPT_MAX = 1950
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=5, max_size=6)
PROMPTS = st.text(max_size=200)


def times_in(word: str, prompt: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", prompt))


@given(PROMPTS, WORDS)
def test_the_trigger_word_is_in_every_prompt_that_says_anything(prompt: str, word: str) -> None:
    assert times_in(word, with_trigger_word(prompt, word)) >= bool(prompt.split())


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_not_made_up_of_the_trigger_word_alone(prompt: str) -> None:
    with pytest.raises(UserError, match="describe"):
        check_prompt(with_trigger_word(prompt, "TORKPN"), PROMPT_MAX)


@given(PROMPTS, WORDS)
def test_putting_it_in_twice_changes_nothing_more(prompt: str, word: str) -> None:
    once = with_trigger_word(prompt, word)
    assert with_trigger_word(once, word) == once


@given(st.lists(st.sampled_from(["a", "fox", "TORKPNS", "in", "a", "forest"]), max_size=12), st.integers(0, 12))
def test_a_word_the_member_wrote_stays_where_it_was_and_comes_once(words: list[str], position: int) -> None:
    words.insert(position, "TORKPN")
    prompt = with_trigger_word("  ".join(words), "TORKPN")
    assert prompt == " ".join(words)
    assert times_in("TORKPN", prompt) == 1


@given(PROMPTS, WORDS)
def test_nothing_else_of_the_prompt_is_changed_but_white_space(prompt: str, word: str) -> None:
    finished = with_trigger_word(prompt, word)
    assert finished.split()[-len(prompt.split()) or len(finished) :] == prompt.split()


def test_a_longer_word_that_only_begins_like_it_does_not_count() -> None:
    assert with_trigger_word("TORKPNS and xTORKPN", "TORKPN") == "TORKPN TORKPNS and xTORKPN"


@pytest.mark.parametrize("prompt", ["a (TORKPN) fox", "TORKPN's den", "by the sea,TORKPN."])
def test_punctuation_around_the_word_does_not_hide_it(prompt: str) -> None:
    assert with_trigger_word(prompt, "TORKPN") == prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "森の中のTORKPNの写真",
        "TORKPN在雪地里",
        "画TORKPN",
        "カタカナTORKPNカタカナ",
        "숲속의 TORKPN이 달린다",
        "รูปTORKPNในป่า",
        "صورةTORKPNفي الغابة",
        "לTORKPN יש",
        "собакаTORKPN",
        "「TORKPN」、雪",
        "（TORKPN）",
        "１TORKPN２",
        "TORKPN，下雪",
        "TORKPN。",
        "🦊TORKPN🦊",
        "TORKPN—fox",
    ],
)
def test_the_word_counts_beside_letters_of_another_script(prompt: str) -> None:
    assert with_trigger_word(prompt, "TORKPN") == prompt


@pytest.mark.parametrize(
    "prompt", ["TORKPNs", "éTORKPN", "TORKPN_2", "2TORKPN", "TORKPN\u0301", "TORKPN9 森", "sTORKPN と xTORKPN"]
)
def test_a_part_of_a_longer_word_of_its_script_does_not_count(prompt: str) -> None:
    assert with_trigger_word(prompt, "TORKPN") == f"TORKPN {prompt}"


@pytest.mark.parametrize(
    ("word", "prompt", "is_there"),
    [
        ("狐丸", "赤い狐丸が走る", True),
        ("狐丸", "赤い狐が走る", False),
        ("лиса", "рыжая лиса", True),
        ("лиса", "лисами", False),
        ("R2D2", "R2D22", False),
        ("R2D2", "R2D2x", False),
        ("R2D2", "雪のR2D2が", True),
    ],
)
def test_a_word_of_any_script_is_found_as_that_script_writes_words(word: str, prompt: str, is_there: bool) -> None:
    assert with_trigger_word(prompt, word) == (prompt if is_there else f"{word} {prompt}")


@pytest.mark.parametrize("word", [None, ""])
def test_a_lora_without_a_trigger_word_leaves_the_prompt_alone(word: str | None) -> None:
    assert with_trigger_word(" a  fox ", word) == "a fox"


def test_a_trigger_word_of_strange_signs_is_taken_literally() -> None:
    assert with_trigger_word("a fox", "T.R+K") == "T.R+K a fox"
    assert with_trigger_word("TxRRK", "T.R+K") == "T.R+K TxRRK"


@pytest.mark.parametrize("length", [1, PROMPT_MAX])
def test_a_prompt_of_allowed_length_passes(length: int) -> None:
    check_prompt("x" * length, PROMPT_MAX)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_asked_for(prompt: str) -> None:
    with pytest.raises(UserError, match="describe"):
        check_prompt(prompt, PROMPT_MAX)


def test_a_prompt_that_is_too_long_names_both_lengths() -> None:
    with pytest.raises(UserError, match=rf"{PROMPT_MAX + 7} .*{PROMPT_MAX} .*at least 7 out"):
        check_prompt("x" * (PROMPT_MAX + 7), PROMPT_MAX)


@given(st.none() | st.integers(0, SEED_MAX))
def test_every_order_gets_a_seed_so_that_the_picture_can_be_made_again(seed: int | None) -> None:
    settings = with_seed(GenerationSettings(count=3, seed=seed))
    assert settings.seed is not None
    assert 0 <= settings.seed <= SEED_MAX
    assert seed in {None, settings.seed}
    assert replace(settings, seed=seed) == GenerationSettings(count=3, seed=seed)


def test_a_new_seed_is_another_one() -> None:
    seeds = {with_new_seed(GenerationSettings(seed=7)).seed for _ in range(20)}
    assert len(seeds) > 1


def lora(name: str, trigger_word: str | None) -> Lora:
    return Lora(
        1,
        1,
        1,
        ProviderName.APIFRAME,
        "remote",
        name,
        trigger_word,
        SubjectKind.OBJECT,
        1,
        1,
        None,
        None,
        None,
        datetime(2026, 12, 1, tzinfo=UTC),
        None,
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("TORKPN in a forest", "Foxy in a forest"),
        ("a postcard of TORKPN by the sea, TORKPN again", "a postcard of Foxy by the sea, Foxy again"),
        ("TORKPN Foxy on a boat", "Foxy on a boat"),
        ("TORKPN a boat with foxy", "a boat with foxy"),
        ("TORKPNS in a forest", "TORKPNS in a forest"),
        ("森の中のTORKPNの写真", "森の中のFoxyの写真"),
        ("", ""),
    ],
)
def test_people_read_the_name_where_the_provider_gets_the_trigger_word(prompt: str, read: str) -> None:
    assert for_people(prompt, lora("Foxy", "TORKPN")) == read


def test_without_a_trigger_word_people_read_what_was_sent() -> None:
    assert for_people("TORKPN in a forest", lora("Foxy", None)) == "TORKPN in a forest"
    assert for_people("TORKPN in a forest", None) == "TORKPN in a forest"


def test_a_name_that_holds_the_trigger_word_or_signs_of_a_pattern_is_put_in_as_it_is() -> None:
    assert for_people("TORKPN in snow", lora(r"TORKPN \1", "TORKPN")) == r"TORKPN \1 in snow"


@pytest.mark.parametrize("kind", SubjectKind)
def test_there_is_a_first_prompt_for_every_kind_that_may_be_shown_anywhere(kind: SubjectKind) -> None:
    assert FIRST_PROMPTS[kind]
    assert not is_explicit(FIRST_PROMPTS[kind])
