"""Choices of an option: their labels are as good as their values."""

import pytest
from discord import app_commands

from bot.errors import UserError
from bot.records.dataset import SubjectKind
from bot.records.key import ProviderName
from cogs.keys import DEFAULTS, NO_DEFAULT
from cogs.training.commands import GENDERS, SUBJECTS, subject_of
from cogs.ui.choices import PROVIDERS, value_of


@pytest.mark.parametrize("choices", [PROVIDERS, DEFAULTS, SUBJECTS, GENDERS])
def test_the_label_of_every_choice_means_its_value(choices: list[app_commands.Choice[str]]) -> None:
    for choice in choices:
        for said in (choice.value, choice.name, choice.name.upper(), f" {choice.name} ✨"):
            assert value_of(choices, said) == choice.value


def test_labels_mean_what_they_say() -> None:
    assert value_of(PROVIDERS, "aurous labs") == ProviderName.AUROUS
    assert value_of(DEFAULTS, "No default") == NO_DEFAULT
    assert subject_of("A person", None) is SubjectKind.PERSON
    assert subject_of("a character (instant, 1 to 6 photos)", None) is SubjectKind.CHARACTER
    with pytest.raises(UserError, match="open the list again"):
        value_of(PROVIDERS, "somebody else")
