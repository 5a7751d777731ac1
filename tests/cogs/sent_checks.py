"""What holds for everything that the bot has sent: nobody pinged, answers private, no secret told, plain labels."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.world import REHEARSAL_KEY, World
from tests.cogs.hostile_texts import MARK
from tests.cogs.simulated_guild import Stage

EPHEMERAL = 1 << 6
NEWS_ROLE = "Event news"
"""What a role is called here that a test lets the bot mention."""


MESSAGE, DEFERRED_MESSAGE = 4, 5
PLAIN = ("label", "title", "description", "placeholder")
"""Where Discord shows Markdown as it is typed: buttons, options, forms and alt texts."""
MARKDOWN = re.compile(r"\*\*|</|<t:|<@|\u200b|\\[^\w\s]")


def check_mentions(stage: Stage) -> None:
    """Nobody but one member, or the role for event news, can be pinged by any message, and only in the channel or
    privately by the bot."""
    members = {stage.ada.id, stage.ben.id, stage.cleo.id}
    roles = stage.world.env.backend.get_guild(stage.world.guild.id).roles.values()
    news = {role.id for role in roles if role.name == NEWS_ROLE}
    for path, body in stage.sent_messages():
        allowed = body["allowed_mentions"]
        assert allowed["parse"] == [], path
        assert set(allowed.get("roles", [])) <= news, path
        assert path.startswith("/channels/") or not allowed.get("roles"), path
        users = allowed.get("users", [])
        assert len(users) <= (1 if path.startswith("/channels/") else 0), path
        assert set(users) <= members, path


def check_privacy(world: World) -> None:
    """Every answer to an interaction is for the person who acted."""
    for request in world.env.http_requests:
        if request.method != "POST" or not isinstance(request.json, dict):
            continue
        if request.path.endswith("/callback") and request.json["type"] in {MESSAGE, DEFERRED_MESSAGE}:
            assert request.json["data"]["flags"] & EPHEMERAL, request
        elif request.path.startswith("/webhooks/"):
            assert request.json["flags"] & EPHEMERAL, request


def check_secrets(world: World) -> None:
    said = json.dumps([request.json for request in world.env.http_requests], default=str)
    assert REHEARSAL_KEY not in said


def check_plain_texts(world: World) -> None:
    """Nothing is quoted for Markdown where none is read; hostile names are shown there as they are."""
    for request in world.env.http_requests:
        for text in _plain_texts(request.json):
            assert MARK in text or MARKDOWN.search(text) is None, text


def _plain_texts(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        is_event = "entity_type" in body
        for key, value in body.items():
            if key in PLAIN and isinstance(value, str) and not is_event:
                yield value
            yield from _plain_texts(value)
    elif isinstance(body, list):
        for each in body:
            yield from _plain_texts(each)
