"""The rules of prompts and settings."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.generation.prompt import (
    ASPECTS,
    FORMATS,
    PROMPT_MAX,
    SEED_MAX,
    check_prompt,
    check_settings,
    with_trigger_word,
)
from bot.models import GenerationSettings

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
        check_prompt(with_trigger_word(prompt, "TORKPN"))


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


@pytest.mark.parametrize("word", [None, ""])
def test_a_lora_without_a_trigger_word_leaves_the_prompt_alone(word: str | None) -> None:
    assert with_trigger_word(" a  fox ", word) == "a fox"


def test_a_trigger_word_of_strange_signs_is_taken_literally() -> None:
    assert with_trigger_word("a fox", "T.R+K") == "T.R+K a fox"
    assert with_trigger_word("TxRRK", "T.R+K") == "T.R+K TxRRK"


@pytest.mark.parametrize("length", [1, PROMPT_MAX])
def test_a_prompt_of_allowed_length_passes(length: int) -> None:
    check_prompt("x" * length)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_asked_for(prompt: str) -> None:
    with pytest.raises(UserError, match="describe"):
        check_prompt(prompt)


def test_a_prompt_that_is_too_long_names_both_lengths() -> None:
    with pytest.raises(UserError, match=rf"{PROMPT_MAX + 1}.*{PROMPT_MAX}"):
        check_prompt("x" * (PROMPT_MAX + 1))


SETTINGS = st.builds(
    GenerationSettings,
    count=st.integers(1, 4),
    aspect=st.sampled_from(ASPECTS),
    format=st.sampled_from(FORMATS),
    strength=st.none() | st.floats(0, 1.5),
    guidance=st.none() | st.floats(1, 10),
    steps=st.none() | st.integers(4, 50),
    seed=st.none() | st.integers(0, SEED_MAX),
)


@given(SETTINGS)
def test_settings_in_range_pass_and_get_a_seed_so_that_the_picture_can_be_made_again(
    settings: GenerationSettings,
) -> None:
    checked = check_settings(settings)
    assert checked.seed is not None
    assert 0 <= checked.seed <= SEED_MAX
    assert settings.seed in {None, checked.seed}
    assert replace(checked, seed=settings.seed) == settings


def outside(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(
        st.floats(max_value=low, exclude_max=True, allow_nan=False),
        st.floats(min_value=high, exclude_min=True, allow_nan=False),
        st.just(float("nan")),
    )


WRONG = st.one_of(
    st.fixed_dictionaries({"count": st.integers(max_value=0) | st.integers(min_value=5)}),
    st.fixed_dictionaries({"strength": outside(0, 1.5)}),
    st.fixed_dictionaries({"guidance": outside(1, 10)}),
    st.fixed_dictionaries({"steps": st.integers(max_value=3) | st.integers(min_value=51)}),
    st.fixed_dictionaries({"seed": st.integers(max_value=-1) | st.integers(min_value=SEED_MAX + 1)}),
    st.fixed_dictionaries({"aspect": st.text(max_size=5).filter(lambda text: text not in ASPECTS)}),
    st.fixed_dictionaries({"format": st.text(max_size=5).filter(lambda text: text not in FORMATS)}),
)


@given(WRONG)
def test_a_setting_out_of_range_is_named(wrong: dict[str, object]) -> None:
    [option] = wrong
    with pytest.raises(UserError, match=f"^`{option}`"):
        check_settings(replace(GenerationSettings(), **wrong))  # type: ignore[arg-type]
