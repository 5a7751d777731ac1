"""How many examples a costly property or table is tried with: most in `.ci/run`, fewer in the other runs."""

from hypothesis import settings

USUAL = 100
"""Hypothesis' own number, with `EXAMPLES=all`; the other profiles lower it."""


def in_proportion(examples: int) -> int:
    profile = settings.get_profile(settings.get_current_profile_name())
    return max(1, examples * profile.max_examples // USUAL)
