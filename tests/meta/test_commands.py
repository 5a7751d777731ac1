"""The command tree is the public surface that was promised, and Discord takes it as it is."""

import os
from collections.abc import Iterator

import pytest

from tests.meta.command_surface import SURFACE
from tests.meta.command_tree import CHAT, MESSAGE_MENU, Payload, command_tree, leaves
from tests.wire.discord.answers import Call
from tests.wire.discord.openapi import SPEC_VARIABLE, load_check

MANAGE_GUILD = 1 << 5


@pytest.fixture
async def tree() -> list[Payload]:
    return await command_tree()


def options_of(leaf: Payload) -> list[str]:
    return [f"{option['name']}{'!' if option['required'] else ''}" for option in leaf.get("options", [])]


def characters(node: Payload) -> int:
    """As Discord counts them: names, descriptions and choice values."""
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in node.get("choices", []))
    own = len(node["name"]) + len(node.get("description", "")) + choices
    return own + sum(characters(option) for option in node.get("options", []))


def every_node(node: Payload) -> Iterator[Payload]:
    yield node
    for option in node.get("options", []):
        yield from every_node(option)


async def test_the_commands_and_their_options_are_the_promised_ones(tree: list[Payload]) -> None:
    assert {name: options_of(leaf) for root in tree for name, leaf in leaves(root)} == SURFACE


async def test_keys_and_settings_are_for_admins_and_only_privacy_works_outside_a_server(tree: list[Payload]) -> None:
    permissions = {root["name"]: root.get("default_member_permissions") for root in tree}
    assert permissions.pop("keys") == permissions.pop("settings") == MANAGE_GUILD
    assert set(permissions.values()) == {None}
    contexts = {root["name"]: root["contexts"] for root in tree}
    assert contexts.pop("privacy") == [0, 1], "who has left a server erases from a private message"
    assert all(where == [0] for where in contexts.values())
    assert all(root["integration_types"] == [0] for root in tree)


async def test_required_options_come_first(tree: list[Payload]) -> None:
    for root in tree:
        for _, leaf in leaves(root):
            required = [option["required"] for option in leaf.get("options", [])]
            assert required == sorted(required, reverse=True)


async def test_every_payload_keeps_discords_limits(tree: list[Payload]) -> None:
    """Discord /docs/interactions/application-commands."""
    assert len([root for root in tree if root["type"] == CHAT]) <= 100
    assert len([root for root in tree if root["type"] == MESSAGE_MENU]) <= 15
    for root in tree:
        assert characters(root) <= 8000
        for node in every_node(root):
            assert 1 <= len(node["name"]) <= 32
            assert root["type"] == MESSAGE_MENU or 1 <= len(node["description"]) <= 100
            assert len(node.get("options", [])) <= 25
            assert len(node.get("choices", [])) <= 25


async def test_every_description_is_written_for_people(tree: list[Payload]) -> None:
    """discord.py puts an ellipsis where one was forgotten."""
    for root in tree:
        if root["type"] == CHAT:
            assert [node["name"] for node in every_node(root) if node["description"] in {"…", "..."}] == []


async def test_discords_document_allows_the_tree(tree: list[Payload]) -> None:
    document = os.environ.get(SPEC_VARIABLE)
    if not document:
        pytest.skip(f"{SPEC_VARIABLE} is not set")
    path = "/applications/{application_id}/commands"
    call = Call("PUT", path, path, {}, {}, tree, (), 0, 0.0)
    assert load_check(document).breach_of(call) is None
    misspelt = Call("PUT", path, path, {}, {}, [{**tree[0], "nam": "x"}], (), 0, 0.0)
    assert load_check(document).breach_of(misspelt) is not None
