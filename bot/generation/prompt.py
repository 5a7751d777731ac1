"""What a prompt and its settings may be, and how the trigger word gets in. Pure."""

import re
import secrets
from dataclasses import replace

from bot.errors import UserError
from bot.models import GenerationSettings

PROMPT_MAX = 1950
"""Characters, trigger word included: Apiframe takes 2,000 and may put the word in itself (/docs/images/flux-lora)."""
ASPECTS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
FORMATS = ("png", "jpg", "webp")
SEED_MAX = 2**31 - 1
COUNT = (1, 4)
STRENGTH = (0.0, 1.5)
GUIDANCE = (1.0, 10.0)
STEPS = (4, 50)


def with_trigger_word(prompt: str, trigger_word: str | None) -> str:
    """The prompt with the trigger word in it exactly once more than zero times: put in front when it is not there.

    An empty prompt stays empty: the word alone is no wish for a picture.
    """
    prompt = " ".join(prompt.split())
    if not prompt or not trigger_word or re.search(rf"(?<!\w){re.escape(trigger_word)}(?!\w)", prompt):
        return prompt
    return f"{trigger_word} {prompt}"


def check_prompt(prompt: str) -> None:
    """UserError unless the finished prompt has 1 to 1,950 characters."""
    if not prompt.strip():
        raise UserError("Please describe the picture you would like in `prompt`.")
    if len(prompt) > PROMPT_MAX:
        raise UserError(f"The prompt is {len(prompt)} characters long; up to {PROMPT_MAX} are possible.")


def check_settings(settings: GenerationSettings) -> GenerationSettings:
    """The settings with a seed, so that the picture can be made again. UserError names the option that is off."""
    for option, value, (low, high) in (
        ("count", settings.count, COUNT),
        ("strength", settings.strength, STRENGTH),
        ("guidance", settings.guidance, GUIDANCE),
        ("steps", settings.steps, STEPS),
        ("seed", settings.seed, (0, SEED_MAX)),
    ):
        if value is not None and not low <= value <= high:
            raise UserError(f"`{option}` takes a number from {low:g} to {high:g}.")
    if settings.aspect not in ASPECTS:
        raise UserError(f"`aspect` is one of {', '.join(ASPECTS)}.")
    if settings.format not in FORMATS:
        raise UserError(f"`format` is one of {', '.join(FORMATS)}.")
    return settings if settings.seed is not None else replace(settings, seed=secrets.randbelow(SEED_MAX + 1))
