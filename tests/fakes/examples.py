"""How many examples a costly property or table is tried with: all in `.ci/run`, fewer in the other runs."""

from hypothesis import settings

USUAL = 100
"""Hypothesis' own number, as in `.ci/run`; the profiles of the others lower it."""


def in_proportion(examples: int) -> int:
    profile = settings.get_profile(settings.get_current_profile_name())
    return max(1, examples * profile.max_examples // USUAL)
