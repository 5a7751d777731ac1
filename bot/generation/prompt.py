"""Prompts: their length, the trigger word, how people read them, what a first one says, the seed. Pure."""

import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.errors import UserError
from bot.generation.capabilities import SEED_MAX
from bot.records.dataset import SubjectKind
from bot.records.generation import GenerationSettings
from bot.records.lora import Lora

FIRST_PROMPTS: Mapping[SubjectKind, str] = MappingProxyType(
    {
        SubjectKind.PERSON: "portrait, soft light",
        SubjectKind.CHARACTER: "portrait, soft light",
        SubjectKind.OBJECT: "outdoors in the morning sun, sharp photo",
        SubjectKind.STYLE: "a lighthouse by the sea",
    }
)
"""What fits most LoRAs of a kind; the trigger word is put in front."""
WITHOUT_SPACES = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})


def with_trigger_word(prompt: str, trigger_word: str | None) -> str:
    """The prompt with the trigger word put in front, unless it contains the word already.

    An empty prompt stays empty: the trigger word alone asks for nothing.
    """
    prompt = " ".join(prompt.split())
    if not prompt or not trigger_word or _holds_word(prompt, trigger_word):
        return prompt
    return f"{trigger_word} {prompt}"


def for_people(prompt: str, lora: Lora | None) -> str:
    """The prompt with the LoRA's name in place of its trigger word, which says nothing to a reader."""
    word = None if lora is None else lora.trigger_word
    if lora is None or not word:
        return prompt
    rest = without_trigger_word(prompt, word)
    if _holds_word(rest.casefold(), lora.name.casefold()):
        prompt = rest
    parts: list[str] = []
    end = 0
    for start in _standing(prompt, word):
        if start >= end:
            parts += [prompt[end:start], lora.name]
            end = start + len(word)
    return "".join([*parts, prompt[end:]])


def without_trigger_word(prompt: str, trigger_word: str | None) -> str:
    """The prompt as it was before the trigger word was put in front."""
    return prompt.removeprefix(f"{trigger_word} ") if trigger_word else prompt


def _holds_word(text: str, word: str) -> bool:
    return any(True for _ in _standing(text, word))


def _standing(text: str, word: str) -> Iterator[int]:
    """Where the word stands in the text for itself, not as a part of a longer word."""
    for found in re.finditer(f"(?={re.escape(word)})", text):
        start = found.start()
        before, after = text[max(start - 1, 0) : start], text[start + len(word) :][:1]
        if not _joins(before, word[0]) and not _joins(after, word[-1]):
            yield start


def _joins(neighbour: str, edge: str) -> bool:
    """Whether a neighbour makes one longer word with the letter at the edge of a word.

    Letters of another script do not, and scripts without spaces have no edges: in Japanese or Thai a name of Latin
    letters stands right among the others.
    """
    if not edge.isalnum():
        return neighbour.isascii() and (neighbour.isalnum() or neighbour == "_")
    if not neighbour:
        return False
    if unicodedata.combining(neighbour):
        return True
    scripts = {_script(edge), _script(neighbour)}
    if neighbour in "0123456789_":
        return scripts.isdisjoint(WITHOUT_SPACES)
    return neighbour.isalpha() and (len(scripts) == 1 or "DIGIT" in scripts) and scripts.isdisjoint(WITHOUT_SPACES)


def _script(letter: str) -> str:
    """The first word of its Unicode name, which for letters is the script."""
    return unicodedata.name(letter, "").partition(" ")[0]


def check_prompt(prompt: str, longest: int) -> None:
    """UserError unless the finished prompt has 1 to `longest` characters."""
    if not prompt.strip():
        raise UserError("Please describe the picture you would like in `prompt`.")
    if len(prompt) > longest:
        raise UserError(
            f"The prompt is {len(prompt)} characters long, its trigger word included; up to {longest} are possible. "
            f"Please take at least {len(prompt) - longest} out."
        )


def with_seed(settings: GenerationSettings) -> GenerationSettings:
    """The settings with a seed, so that the picture can be made again."""
    return settings if settings.seed is not None else with_new_seed(settings)


def with_new_seed(settings: GenerationSettings) -> GenerationSettings:
    return replace(settings, seed=secrets.randbelow(SEED_MAX + 1))
