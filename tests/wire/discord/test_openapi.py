"""The check of request bodies against Discord's OpenAPI document; skipped, visibly, without the document."""

import os
from typing import Any

import pytest

from tests.wire.community import Community
from tests.wire.discord.answers import Call
from tests.wire.discord.openapi import SPEC_VARIABLE, OpenApiCheck, load_check
from tests.wire.discord.probe import Probe
from tests.wire.discord.standin import DiscordStandin

pytestmark = pytest.mark.skipif(
    SPEC_VARIABLE not in os.environ, reason=f"{SPEC_VARIABLE} does not name Discord's OpenAPI document"
)
CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
MESSAGES = "/channels/{channel_id}/messages"
COMMANDS = "/applications/{application_id}/commands"


@pytest.fixture(scope="module")
def check() -> OpenApiCheck:
    return load_check(os.environ[SPEC_VARIABLE])


def call(method: str, route: str, body: Any) -> Call:
    return Call(method, route, route, {}, {}, body, (), 0, 0.0)


def modal(title: str, component: dict[str, Any]) -> dict[str, Any]:
    label = {"type": 18, "label": "Photos", "component": component}
    return {"type": 9, "data": {"title": title, "custom_id": "m", "components": [label]}}


UPLOAD = {"type": 19, "custom_id": "u", "min_values": 1, "max_values": 10, "file_types": ["image"]}


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", MESSAGES, {"content": "hi", "tts": False, "nonce": 12345, "enforce_nonce": True}),
        ("POST", MESSAGES, {"content": "hi", "nonce": "train-7", "allowed_mentions": {"parse": [], "users": ["1"]}}),
        ("PATCH", MESSAGES + "/{message_id}", {"content": "hi", "tts": False, "attachments": [{"id": 0}]}),
        ("POST", MESSAGES, {"embeds": [{"title": "a", "flags": 0, "type": "rich", "image": {"url": "http://a"}}]}),
        ("POST", CALLBACK, modal("x" * 45, UPLOAD)),
        ("POST", CALLBACK, {"type": 5, "data": {"flags": 64}}),
        (
            "PUT",
            COMMANDS,
            [{"name": "a", "description": "b", "nsfw": False, "contexts": None, "default_member_permissions": 32}],
        ),
    ],
)
def test_what_the_library_sends_is_allowed(check: OpenApiCheck, method: str, route: str, body: object) -> None:
    assert check.breach_of(call(method, route, body)) is None


@pytest.mark.parametrize(
    ("method", "route", "body", "where"),
    [
        ("POST", MESSAGES, {"contents": "hi"}, "the body"),
        ("POST", MESSAGES, {"nonce": "x" * 26}, "nonce"),
        ("POST", MESSAGES, {"attachments": [{"id": 0}] * 11}, "attachments"),
        ("POST", MESSAGES, {"flags": "loud"}, "flags"),
        (
            "POST",
            MESSAGES,
            {"components": [{"type": 12, "items": [{"media": {"url": "attachment://a"}}] * 11}]},
            "items",
        ),
        ("POST", CALLBACK, {"type": 3}, "type"),
        ("POST", CALLBACK, {"type": 4, "data": {"content": "x" * 2001}}, "content"),
        ("POST", CALLBACK, modal("x" * 46, UPLOAD), "title"),
        ("POST", CALLBACK, modal("x", UPLOAD | {"max_values": 11}), "max_values"),
        ("PUT", COMMANDS, [{"name": "a", "description": "x" * 101}], "description"),
    ],
)
def test_a_mistake_is_noticed_and_placed(
    check: OpenApiCheck, method: str, route: str, body: object, where: str
) -> None:
    breach = check.breach_of(call(method, route, body))
    assert breach is not None
    assert where in breach.where


def test_all_served_routes_with_a_body_are_in_the_document(check: OpenApiCheck) -> None:
    with_bodies = [route for route in DiscordStandin()._routes if route[0] in {"POST", "PUT", "PATCH"}]
    unchecked = [route for route in with_bodies if not check.knows(*route)]
    assert unchecked == [
        ("PUT", "/channels/{channel_id}/messages/pins/{message_id}"),
        ("POST", "/channels/{channel_id}/typing"),
        ("PUT", "/channels/{channel_id}/thread-members/{user_id}"),
    ]


async def test_a_real_exchange_with_files_and_a_modal_breaks_no_rule(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    for name in ("board", "form", "twice"):
        await (await standin.slash(community.member, community.photos, name)).responded()
    assert standin.count("POST", CALLBACK) == 3
    assert standin.breaches == []


async def test_a_wrong_body_of_the_bot_is_collected(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    await probe.http.send_message(community.photos.id, params=_Params({"content": "hi", "colour": "red"}))  # type: ignore[arg-type]
    assert [breach.method for breach in standin.breaches] == ["POST"]
    assert "colour" in str(standin.breaches[0])
    standin.breaches.clear()


class _Params:
    """What discord.py's own parameter handling hands to its HTTP layer."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.files = None
        self.multipart = None
