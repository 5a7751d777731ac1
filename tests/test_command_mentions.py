"""Commands in texts: mentions where Discord's ids are known and there is room, code otherwise."""

from collections.abc import Iterator

import pytest

from bot.command_mentions import clickable, learn


@pytest.fixture(autouse=True)
def ids() -> Iterator[None]:
    learn({"train": 11, "keys set": 22, "keys status": 22})
    yield
    learn({})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Send `/train` or run `/keys set`.", "Send </train:11> or run </keys set:22>."),
        ("`/train` `/train`", "</train:11> </train:11>"),
        ("`/keys`", "`/keys`"),
        ("`/nothing here`", "`/nothing here`"),
        ("`/train subject:person`", "`/train subject:person`"),
        ("\\`/train\\`", "\\`/train\\`"),
        ("/train", "/train"),
        ("`train`", "`train`"),
        ("", ""),
    ],
)
def test_each_command_with_an_id_becomes_its_mention_and_nothing_else_changes(text: str, shown: str) -> None:
    assert clickable(text) == shown


def test_without_room_the_text_stays_as_it_is() -> None:
    assert clickable("`/train`", 2) == "`/train`"
    assert clickable("`/train`", 3) == "</train:11>"


def test_what_is_learnt_replaces_what_was_known() -> None:
    learn({"jobs": 33})
    assert clickable("`/train` `/jobs`") == "`/train` </jobs:33>"
