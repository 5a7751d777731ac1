"""The same thing has the same word as an option, as a field of a form, on a card and in a refusal."""

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from bot.errors import UserError
from bot.events.planning.drafts import LABELS
from bot.generation.capabilities import ABILITIES, Kind, Target, check_order
from bot.records.event import Event
from bot.records.generation import OPTIONS, GenerationSettings
from bot.records.key import ProviderName
from cogs.events.host.forms import NUMBERS
from cogs.generation.forms import PromptModal
from cogs.pictures.cards import settings_parts
from tests.meta.command_tree import command_tree, leaves
from tests.sentences.sheet import sheet

BESIDES = {"prompt", "lora", "style", "reference", "reference_2", "provider"}
"""Options of `/imagine` that are no settings."""
VALUES: dict[str, Any] = {
    "count": 2,
    "aspect": "16:9",
    "format": "png",
    "strength": 0.5,
    "guidance": 4.5,
    "steps": 30,
    "seed": 7,
    "negative": "rain",
    "size": "2k",
    "width": 640,
    "height": 480,
    "enhance": True,
    "denoise": 0.4,
}
PLAIN = Target(ProviderName.APIFRAME)


async def options_of(command: str) -> list[str]:
    found = [leaf for root in await command_tree() for name, leaf in leaves(root) if name == command]
    return [option["name"] for option in found[0]["options"]]


async def test_each_setting_of_pictures_is_an_option_by_its_one_word() -> None:
    names = set(await options_of("imagine"))
    assert {each.name for each in fields(GenerationSettings)} == set(OPTIONS) == set(VALUES)
    assert names == {*OPTIONS.values(), *BESIDES}


async def test_the_fields_of_the_form_are_called_like_the_options() -> None:
    labels = [part["label"] for part in PromptModal(prompt="a fox", uploads=()).to_dict()["components"]]
    assert {label.lower() for label in labels} <= {"prompt", *OPTIONS.values()}


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"count", "width", "height"}))
def test_a_card_says_a_setting_by_its_word(name: str) -> None:
    (said,) = settings_parts(replace(GenerationSettings(), **{name: VALUES[name]}))
    assert OPTIONS[name] in said


@pytest.mark.parametrize("name", sorted(set(VALUES) - set(ABILITIES[Kind.PLAIN].settings)))
def test_a_refusal_names_the_option_by_its_word(name: str) -> None:
    with pytest.raises(UserError, match=f"^`{OPTIONS[name]}` works .* Leave `{OPTIONS[name]}` out"):
        check_order(PLAIN, replace(GenerationSettings(), **{name: VALUES[name]}), 0)


def test_the_numbers_of_an_event_are_called_alike_in_the_form_and_when_they_are_refused() -> None:
    assert {number.field: number.label for number in NUMBERS} == dict(LABELS)
    assert set(LABELS) <= {each.name for each in fields(Event)}


async def test_no_sentence_has_another_word_for_one_of_these() -> None:
    """What is filled in stands in braces and is not read."""
    read = re.sub(r"\{[^{}]*\}", "", sheet(await command_tree()))
    assert re.findall(r"\b(?:denoise|negative|aspect|picture sets?|picture orders?)\b|`count`|\bcount:", read) == []
