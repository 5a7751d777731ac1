"""Prompts: their length, the trigger word, the seed. Pure."""

import re
import secrets
import unicodedata
from dataclasses import replace

from bot.errors import UserError
from bot.generation.capabilities import SEED_MAX
from bot.records.generation import GenerationSettings

WITHOUT_SPACES = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})


def with_trigger_word(prompt: str, trigger_word: str | None) -> str:
    """The prompt with the trigger word put in front, unless it contains the word already.

    An empty prompt stays empty: the trigger word alone asks for nothing.
    """
    prompt = " ".join(prompt.split())
    if not prompt or not trigger_word or _holds_word(prompt, trigger_word):
        return prompt
    return f"{trigger_word} {prompt}"


def _holds_word(text: str, word: str) -> bool:
    """Whether the word stands in the text for itself, not as a part of a longer word."""
    return any(
        not _joins(text[max(found.start() - 1, 0) : found.start()], word[0])
        and not _joins(text[found.start() + len(word) :][:1], word[-1])
        for found in re.finditer(f"(?={re.escape(word)})", text)
    )


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
        raise UserError(f"The prompt is {len(prompt)} characters long; up to {longest} are possible.")


def with_seed(settings: GenerationSettings) -> GenerationSettings:
    """The settings with a seed, so that the picture can be made again."""
    return settings if settings.seed is not None else with_new_seed(settings)


def with_new_seed(settings: GenerationSettings) -> GenerationSettings:
    return replace(settings, seed=secrets.randbelow(SEED_MAX + 1))
