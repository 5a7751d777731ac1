"""Prompts: their length, the trigger word, the seed. Pure."""

import re
import secrets
from dataclasses import replace

from bot.errors import UserError
from bot.generation.capabilities import SEED_MAX
from bot.records.generation import GenerationSettings


def with_trigger_word(prompt: str, trigger_word: str | None) -> str:
    """The prompt with the trigger word put in front, unless it contains the word already.

    An empty prompt stays empty: the trigger word alone asks for nothing.
    """
    prompt = " ".join(prompt.split())
    if not prompt or not trigger_word or re.search(rf"(?<!\w){re.escape(trigger_word)}(?!\w)", prompt):
        return prompt
    return f"{trigger_word} {prompt}"


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
